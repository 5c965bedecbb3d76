"""Tests of pool.feed."""
