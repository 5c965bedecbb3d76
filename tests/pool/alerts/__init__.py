"""Tests of pool.alerts."""
