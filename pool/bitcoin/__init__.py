"""Facts of Bitcoin as pure functions on bytes and integers."""
