"""Stratum v1: a session without sockets, and the Twisted server that drives it."""
