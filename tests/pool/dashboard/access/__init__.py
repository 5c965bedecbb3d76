"""Tests of pool.dashboard.access."""
