"""Tests of pool.node."""
