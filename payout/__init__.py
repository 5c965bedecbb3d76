"""Money: rewards, ledger, maturity. Integers only."""
