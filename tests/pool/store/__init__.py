"""Tests of pool.store."""
