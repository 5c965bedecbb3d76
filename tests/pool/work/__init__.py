"""Tests of pool.work."""
