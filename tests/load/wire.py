"""A wire between the server and the miners, so that each end of a connection is worked at on its own core.

On loopback both ends are one system call's: the kernel takes in what a server sends, and may answer it for the miner,
before `write` returns, in the server's time. On a wire the server has its own end only. Ours is a pair of virtual
Ethernet devices in two network namespaces, and each device's packets are taken in by the cores of its end (receive
packet steering). Source: Linux, Documentation/networking/scaling.rst.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import msgspec

from tests.load.processes import BenchmarkFailed, Cores, Net
from tests.namespaces import ip, namespace, why_not, within

STEERING: Final = "/sys/class/net/wire/queues/rx-0/rps_cpus"

_SERVER: Final = "10.78.0.1"
_MINERS: Final = tuple(f"10.78.1.{number}" for number in range(1, 33))
"""As many as the generator takes for 60,000 connections."""


@contextmanager
def wired(where: Cores) -> Iterator[Cores]:
    """Within: this thread and what it starts are at the server's end. Raises BenchmarkFailed."""
    if (reason := why_not()) is not None:
        raise BenchmarkFailed(f"no wire: {reason}; with --loopback there is none")
    with ExitStack() as stack:
        try:
            server, miners = (stack.enter_context(namespace(name)) for name in ("server", "miners"))
            ip("link", "add", "wire", "netns", server, "type", "veth", "peer", "name", "wire", "netns", miners)
            _plug_in(server, [_SERVER], where.server)
            _plug_in(miners, _MINERS, where.others)
        except subprocess.CalledProcessError as error:
            raise BenchmarkFailed(f"no wire: {shlex.join(error.cmd)} failed; with --loopback there is none") from error
        stack.enter_context(within(server))
        yield msgspec.structs.replace(where, net=Net(_SERVER, _MINERS[0], miners))


def _plug_in(end: str, addresses: Iterable[str], cores: frozenset[int]) -> None:
    for address in addresses:
        ip("-n", end, "addr", "add", f"{address}/16", "dev", "wire")
    ip("-n", end, "link", "set", "wire", "up")
    # `ip` has /sys show the devices of the namespace.
    tee = ["ip", "netns", "exec", end, "tee", STEERING]
    subprocess.run(tee, input=mask_of(cores), text=True, stdout=subprocess.DEVNULL, check=True)


def mask_of(cores: frozenset[int]) -> str:
    """As the kernel reads a set of cores: hexadecimal digits, eight to a group, the highest first."""
    mask, groups = sum(1 << core for core in cores), list[str]()
    while mask or not groups:
        groups.append(f"{mask & 0xFFFFFFFF:08x}")
        mask >>= 32
    return ",".join(reversed(groups))
