"""Tests of pool.bitcoin."""
