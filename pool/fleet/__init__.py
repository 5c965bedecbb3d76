"""The fleet as the pool knows it: who owns which machines, where they stand, under which contract, and when."""
