"""Requests of twisted.web as values, with addresses as far as proxies are believed; values as what it sends."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any, cast

from twisted.web.server import Request

from pool.dashboard.answers import HEADERS, Answer
from pool.dashboard.asked import Asked

_HEADERS = ("authorization", "cookie", "content-type", "host", "origin", "sec-fetch-site", "x-csrf-token")


class Front:
    """One listener. proxies: addresses and networks whose X-Forwarded-For and X-Forwarded-Proto are believed."""

    def __init__(self, proxies: Iterable[str], *, is_admin: bool) -> None:
        self._proxies = [ipaddress.ip_network(each) for each in proxies]
        self._is_admin = is_admin

    def asked(self, request: Request) -> Asked:
        """What the request asks. Until its body has come it has neither that, nor method and path."""
        headers = {name: value for name in _HEADERS if (value := request.getHeader(name)) is not None}
        address = str(getattr(request.getClientAddress(), "host", ""))
        is_secure = request.isSecure()
        if self._is_proxy(address):
            address = self._forwarded_for(request, address)
            is_secure = (request.getHeader("x-forwarded-proto") or "").lower() == "https"
        return Asked(
            method=request.method.decode("ascii", "replace"),
            path=(request.path or b"").decode("ascii", "replace"),
            arguments=request.args or {},
            headers=headers,
            body=cast(Any, request.content).read(),
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


def write(request: Request, answer: Answer, *, is_known: bool = False) -> None:
    """Send an answer; of one that the asker has already, only that. The request is still to be finished."""
    request.setResponseCode(304 if is_known else answer.status)
    set_headers(request, answer)
    request.write(b"" if is_known else answer.body)


def set_headers(request: Request, answer: Answer) -> None:
    """What an answer says before its body."""
    headers = request.responseHeaders
    headers.setRawHeaders("Server", ["Steppe"])
    headers.setRawHeaders("Cache-Control", ["no-cache"])  # keep, but ask each time: an upgrade is seen at once
    headers.setRawHeaders("Content-Type", [answer.content_type])
    headers.setRawHeaders("Content-Length", [str(len(answer.body))])
    for name, value in (*HEADERS, *answer.headers):
        headers.setRawHeaders(name, [value])
    if answer.etag is not None:
        headers.setRawHeaders("ETag", [answer.etag])
