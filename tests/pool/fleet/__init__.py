"""Tests of pool.fleet."""
