"""Lists of addresses and networks, as an operator writes them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Sources:
    """Which addresses a list names. Raises ValueError, with the entry, for what is neither address nor network."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._networks: tuple[Network, ...] = tuple(ipaddress.ip_network(entry) for entry in entries)

    def __contains__(self, address: str) -> bool:
        """Whether an address is in one of the networks; what is no address is in none."""
        if not self._networks:
            return False
        try:
            plain = ipaddress.ip_address(canonical(address))
        except ValueError:
            return False
        return any(plain in network for network in self._networks)


def canonical(address: str) -> str:
    """An address as bans and lists know it: one of IPv4 that came over a socket of IPv6 is one of IPv4."""
    head, found, tail = address.rpartition("::ffff:")
    return tail if found and not head and "." in tail else address
