"""Tests of pool.rebuild."""
