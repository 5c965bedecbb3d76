"""Tests of the package pool."""
