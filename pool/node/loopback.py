"""Ports of loopback, for what demos and tests start."""

from __future__ import annotations

import itertools
import os
import socket
from typing import Final

# Below what Linux gives to outgoing connections by itself (`ip_local_port_range`, 32,768 and up): one from there may
# go to any connection between its choice and its use, or while who has it is started again.
FIRST: Final = 10_240
LAST: Final = 32_767
# Each process begins somewhere else, so that those which choose at the same time seldom choose the same. A prime: all
# beginnings differ before one comes again.
_STEP: Final = 7_919
_numbers = itertools.count(os.getpid() * _STEP)


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        # As servers do: what a former one closed is not in the way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A TCP port that nobody uses now, and that this process was not given before. Raises OSError if there is none."""
    size = LAST + 1 - FIRST
    for number in itertools.islice(_numbers, size):
        if is_free(port := FIRST + number % size):
            return port
    raise OSError(f"all ports from {FIRST} to {LAST} of 127.0.0.1 are taken; end some of their programs")
