"""Tests of pool.backup."""
