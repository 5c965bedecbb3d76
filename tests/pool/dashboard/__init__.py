"""Tests of `pool.dashboard`: no sockets; the site is driven through an in-memory transport."""
