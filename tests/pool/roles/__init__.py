"""Tests of pool.roles."""
