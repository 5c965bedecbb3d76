"""Statistics and ledger computed again from the journals alone, and compared with the live ones."""
