"""Chaos: the whole pool on real nodes, everything that may break broken on purpose, and an oracle that says whether any
acknowledged share or block was lost by it."""
