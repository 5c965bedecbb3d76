"""The share journal: append-only segments on disk, their shipper and their replay."""
