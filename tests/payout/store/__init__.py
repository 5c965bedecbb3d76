"""Tests of payout.store, on both databases."""
