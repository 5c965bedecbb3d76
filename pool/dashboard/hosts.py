"""By which names the operators' listener is spoken to: a page of somebody else's must not reach it.

DNS rebinding: a stranger's page, open in an operator's browser, has its own name resolve to the address of the
listener, and then reads it as its own. The browser still says the stranger's name in `Host`, so only names that are
ours are answered; addresses cannot be rebound, and are answered where they are the listener's own.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

from pool.dashboard.answers import Refusal


class Hosts:
    """names: what `Host` may say beside `localhost` and the listener's own address, without a port."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = {"localhost", *(_plain(name) for name in names)}

    def check(self, said: Sequence[str], own: str) -> None:
        """said: every `Host` of a request. own: the address that its connection came to. Raises Refusal."""
        host = _plain(_without_port(said[0])) if len(said) == 1 else ""
        if host not in self._names and not _is_own(host, own):
            raise Refusal(
                421,
                "wrong_host",
                f"{host[:80] or 'A request without one Host'} is no name of the operators' listener.",
                "Open it by 127.0.0.1 or by the address that it listens at, or add the name to web.admin_hosts.",
            )


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text.partition("]")[0].removeprefix("[")
    return text.partition(":")[0]


def _plain(name: str) -> str:
    return name.strip().lower().removesuffix(".")


def _is_own(host: str, own: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
        return address.is_loopback or address == _unmapped(ipaddress.ip_address(own))
    except ValueError:
        return False


def _unmapped(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> object:
    """The IPv4 address in one that a listener of both families names."""
    return getattr(address, "ipv4_mapped", None) or address
