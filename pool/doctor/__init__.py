"""Live probes of all that a pool stands on, each with its mend."""
