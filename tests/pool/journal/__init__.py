"""Tests of pool.journal."""
