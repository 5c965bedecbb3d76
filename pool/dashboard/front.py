"""Requests of twisted.web as values: bodies no longer than an order, addresses as far as proxies are believed."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import cached_property

from twisted.web.server import Request

from pool.dashboard.access.operations import BRIEF_BYTES_MAX, LARGE_BYTES_MAX
from pool.dashboard.asked import Asked

_HEADERS = ("authorization", "cookie", "content-type", "host", "origin", "sec-fetch-site", "x-csrf-token")


class BriefRequest(Request):
    """A request that keeps no more of its body than a login has: the rest is thrown away as it comes, so that nobody
    can fill memory."""

    bytes_max = BRIEF_BYTES_MAX
    is_too_long = False

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        if self.is_too_long or len(self.kept) + len(data) > self.bytes_max:
            self.is_too_long = True
            self.kept.clear()
        else:
            self.kept += data

    @cached_property
    def kept(self) -> bytearray:
        """What has come of the body."""
        return bytearray()


class OperatorsRequest(BriefRequest):
    """One at the operators' listener, which may bring a whole fleet."""

    bytes_max = LARGE_BYTES_MAX


class Front:
    """One listener. proxies: addresses and networks whose X-Forwarded-For and X-Forwarded-Proto are believed."""

    def __init__(self, proxies: Iterable[str], *, is_admin: bool) -> None:
        self._proxies = [ipaddress.ip_network(each) for each in proxies]
        self._is_admin = is_admin

    def asked(self, request: Request) -> Asked:
        """What the request asks."""
        headers = {name: value for name in _HEADERS if (value := request.getHeader(name)) is not None}
        address = str(getattr(request.getClientAddress(), "host", ""))
        is_secure = request.isSecure()
        if self._is_proxy(address):
            address = self._forwarded_for(request, address)
            is_secure = (request.getHeader("x-forwarded-proto") or "").lower() == "https"
        body: bytes | None = b""
        if isinstance(request, BriefRequest):
            body = None if request.is_too_long else bytes(request.kept)
        return Asked(
            method=request.method.decode("ascii", "replace"),
            path=request.path.decode("ascii", "replace"),
            arguments=request.args or {},
            headers=headers,
            body=body,
            address=address,
            is_secure=is_secure,
            is_admin=self._is_admin,
        )

    def _forwarded_for(self, request: Request, peer: str) -> str:
        """The last address in the chain that is no proxy of ours: what is left of it anybody may have written."""
        said = ",".join(request.requestHeaders.getRawHeaders("x-forwarded-for") or [])
        for each in reversed([part.strip() for part in said.split(",") if part.strip()]):
            try:
                ipaddress.ip_address(each)
            except ValueError:
                return peer
            if not self._is_proxy(each):
                return each
            peer = each
        return peer

    def _is_proxy(self, text: str) -> bool:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return False
        return any(address in network for network in self._proxies)
