"""Who may see what and do what: credentials, scopes, passwords, lock-outs, and the log of what was done."""
