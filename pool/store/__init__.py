"""Adapters to Redis (rebuildable) and SQL (truth)."""
