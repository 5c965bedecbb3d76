"""Hosts that are far from each other: namespaces, and between them a wire that takes its time and loses packets.

The wire is ours: each namespace has a TUN device, and a thread here carries every IP packet from one to the other,
after a delay, or not at all. TCP does the rest. The kernel's own `netem` would do the same, where it is built in.
"""

from __future__ import annotations

import contextlib
import fcntl
import heapq
import os
import random
import select
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TypeVar

from tests import namespaces
from tests.namespaces import enter, ip, namespace

T = TypeVar("T")

_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_PACKET_BYTES_MAX = 65536
_TURN_SECONDS = 0.05


def why_not() -> str | None:
    """Why there can be no such hosts here; None if there can."""
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "this kernel has no TUN devices (/dev/net/tun), or they need root"
    return namespaces.why_not()


class Host:
    """A namespace with an address on the wire, and a thread that lives there."""

    def __init__(self, name: str, address: str) -> None:
        self._stack = contextlib.ExitStack()
        self.namespace = self._stack.enter_context(namespace(name))
        self.address = address
        self._thread = ThreadPoolExecutor(1, initializer=enter, initargs=(self.namespace,))
        self.tun = self.run(self._open_tun)
        for words in (f"addr add {address}/24 dev wan", "link set wan up mtu 1400"):
            ip("-n", self.namespace, *words.split())

    def run(self, what: Callable[[], T]) -> T:
        """Do it there; processes that it starts live there too, until `close`."""
        return self._thread.submit(what).result()

    def close(self) -> None:
        """End it."""
        self._thread.shutdown()
        os.close(self.tun)
        self._stack.close()

    def _open_tun(self) -> int:
        tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH22x", b"wan", _IFF_TUN | _IFF_NO_PI))
        return tun


class Wire(threading.Thread):
    """Carries packets between hosts. delay_seconds: of each; lost_part: of all."""

    def __init__(self, hosts: list[Host], delay_seconds: float, lost_part: float, seed: int) -> None:
        super().__init__(name="wire", daemon=True)
        self._to = {bytes(map(int, host.address.split("."))): host.tun for host in hosts}
        self._delay_seconds = delay_seconds
        self._lost_part = lost_part
        self._chance = random.Random(seed)
        self._ending = threading.Event()
        self._under_way: list[tuple[float, int, int, bytes]] = []
        self.carried = 0
        self.lost = 0

    def stop(self) -> None:
        """Cut it."""
        self._ending.set()
        self.join()

    def run(self) -> None:
        order = count()
        while not self._ending.is_set():
            now = time.monotonic()
            wait = _TURN_SECONDS if not self._under_way else max(0.0, min(_TURN_SECONDS, self._under_way[0][0] - now))
            for tun in select.select(list(self._to.values()), [], [], wait)[0]:
                self._take(tun, next(order))
            while self._under_way and self._under_way[0][0] <= time.monotonic():
                _, _, target, packet = heapq.heappop(self._under_way)
                with contextlib.suppress(BlockingIOError):  # a full queue is a lost packet
                    os.write(target, packet)

    def _take(self, tun: int, number: int) -> None:
        packet = os.read(tun, _PACKET_BYTES_MAX)
        target = self._to.get(packet[16:20])
        if packet[0] >> 4 != 4 or target is None:
            return
        if self._chance.random() < self._lost_part:
            self.lost += 1
            return
        self.carried += 1
        heapq.heappush(self._under_way, (time.monotonic() + self._delay_seconds, number, target, packet))


@contextlib.contextmanager
def far_apart(names: list[str], delay_seconds: float, lost_part: float, seed: int = 1) -> Iterator[dict[str, Host]]:
    """Hosts on one wire."""
    hosts: dict[str, Host] = {}
    try:
        for number, name in enumerate(names, 1):
            hosts[name] = Host(name, f"10.77.0.{number}")
        wire = Wire(list(hosts.values()), delay_seconds, lost_part, seed)
        wire.start()
        try:
            yield hosts
        finally:
            wire.stop()
            assert wire.carried, "nothing went over the wire"
            assert wire.lost or not lost_part, "nothing was lost"
    finally:
        for host in hosts.values():
            host.close()
