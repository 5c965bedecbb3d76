"""Tests of pool.top."""
