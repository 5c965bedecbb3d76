"""Tests of stratum."""
