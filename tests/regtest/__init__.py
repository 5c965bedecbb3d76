"""End to end: real nodes, a real Redis, real processes."""
