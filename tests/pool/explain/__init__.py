"""Tests of pool.explain."""
