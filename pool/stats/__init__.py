"""Hashrate estimates and counters per worker, account and pool: pure folds over the share journal."""
