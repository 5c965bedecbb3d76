"""Tests of payout.explain."""
