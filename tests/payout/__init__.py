"""Tests of payout: rules, ledger, accounting."""
