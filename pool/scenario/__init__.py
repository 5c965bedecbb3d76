"""Whole cases that the pool plays through by itself: `steppe scenario`."""
