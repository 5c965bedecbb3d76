"""Simulated miners, to measure what a share costs."""
