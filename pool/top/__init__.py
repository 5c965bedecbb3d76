"""What an operator sees in a terminal: `steppe top`."""
