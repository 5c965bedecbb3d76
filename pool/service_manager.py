"""What systemd is told of a service: that it is there, still alive, reloading, on its way out. Source: sd_notify(3)."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Mapping
from typing import Final

_NANOSECONDS_PER_MICROSECOND: Final = 1_000


class ServiceManager:
    """Whoever started us, if it wants to be told; else nothing is done.

    environment: its NOTIFY_SOCKET and WATCHDOG_USEC. send: a datagram to the address of a unix socket; raises OSError.
    """

    def __init__(self, environment: Mapping[str, str], send: Callable[[str, bytes], None] | None = None) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        # The first character of a name that is in no folder is written so.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._send = send or _send
        # Half the time after which silence counts as a hang.
        self._alive_seconds = int(environment.get("WATCHDOG_USEC") or 0) / 2_000_000
        self._alive_at = 0.0
        self._is_ready = False

    def alive(self, now: float) -> None:
        """Everything runs; call it often. The first time says that we are there."""
        if not self._is_ready:
            self._is_ready = True
            self._tell("READY=1")
        if self._alive_seconds and now >= self._alive_at:
            self._alive_at = now + self._alive_seconds
            self._tell("WATCHDOG=1")

    def reloading(self) -> None:
        """Files are read again; `alive` says when that is done."""
        self._is_ready = False
        microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // _NANOSECONDS_PER_MICROSECOND
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={microseconds}")

    def stopping(self, seconds: float) -> None:
        """We end, and it may take so long."""
        self._tell(f"STOPPING=1\nEXTEND_TIMEOUT_USEC={int(seconds * 1_000_000)}")

    def _tell(self, state: str) -> None:
        if self._address:
            # Nothing that a manager fails to hear is worth a pool.
            with contextlib.suppress(OSError):
                self._send(self._address, state.encode())


def _send(address: str, datagram: bytes) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.sendto(datagram, address)
