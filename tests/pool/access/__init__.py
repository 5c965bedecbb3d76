"""Tests of pool.access."""
