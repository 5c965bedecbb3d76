"""What the pool did, told from journal and ledger so that nobody has to trust it."""
