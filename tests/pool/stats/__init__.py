"""Tests of pool.stats."""
