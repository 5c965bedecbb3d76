"""BIT Mining, June to August 2021: a fleet that leaves Sichuan, through journal, accounting and ledger."""
