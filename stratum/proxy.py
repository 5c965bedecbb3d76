"""The PROXY protocol: who is behind a load balancer, as its header says, versions 1 and 2.

Source: haproxy, doc/proxy-protocol.txt. Whether a header may come at all is not decided here: it must come from an
address that the operator listed, since it can claim anything.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from msgspec import Struct

V1_BYTES_MAX: Final = 107
"""A line of version 1 with its CRLF; the number is the specification's."""

V2_BYTES_MAX: Final = 16 + 4096
"""A header of version 2. Its length field would allow 64 KiB; addresses and all TLVs that haproxy and AWS send stay
below 536 bytes, or a few hundred more with a client certificate's name."""

_V1: Final = b"PROXY "
_V2: Final = b"\r\n\r\n\0\r\nQUIT\n"
_FIXED: Final = 16  # of version 2, up to and with the length

_LOCAL: Final = 0
_PROXY: Final = 1
_ADDRESSES: Final = {0x11: 4, 0x21: 16}  # TCP over IPv4 and IPv6: bytes of an address
_NO_ADDRESS: Final = frozenset({0x00, 0x31})  # unspecified; a unix stream socket, whose path tells us nothing
_PORT: Final = re.compile(r"0|[1-9][0-9]{0,4}", re.ASCII)


class BadProxyHeader(Exception):
    """These bytes are no PROXY header, or none of a TCP connection; the text says why."""


class ProxyHeader(Struct, frozen=True):
    """A whole header. length: its bytes, behind which the client's begin. source: the client's address, or None if the
    connection is the proxy's own (a health check) or the proxy does not know."""

    length: int
    source: str | None


def read_header(data: bytes) -> ProxyHeader | None:
    """The header that a connection begins with, from all bytes so far; None while it is not whole.

    Raises BadProxyHeader as soon as no further byte can mend it.
    """
    if data[: len(_V2)] == _V2[: len(data)]:
        return _read_v2(data)
    if data[: len(_V1)] == _V1[: len(data)]:
        return _read_v1(data)
    raise BadProxyHeader("a PROXY header must come first")


def _read_v2(data: bytes) -> ProxyHeader | None:
    if len(data) < _FIXED:
        return None
    version, command = data[12] >> 4, data[12] & 15
    if version != 2 or command not in (_LOCAL, _PROXY):
        raise BadProxyHeader(f"version and command {data[12]:#04x} are not known")
    length = _FIXED + int.from_bytes(data[14:_FIXED], "big")
    if length > V2_BYTES_MAX:
        raise BadProxyHeader(f"{length} bytes are too many")
    family = data[13]
    size = _ADDRESSES.get(family)
    if command == _PROXY:
        if size is None and family not in _NO_ADDRESS:
            raise BadProxyHeader(f"family and protocol {family:#04x} are no TCP")
        if size is not None and length < _FIXED + 2 * size + 4:
            raise BadProxyHeader("too short for its addresses")
    if len(data) < length:
        return None
    if command == _LOCAL or size is None:
        return ProxyHeader(length, None)
    return ProxyHeader(length, str(ipaddress.ip_address(data[_FIXED : _FIXED + size])))


def _read_v1(data: bytes) -> ProxyHeader | None:
    line, end, _ = data[:V1_BYTES_MAX].partition(b"\r\n")
    if not end:
        if len(data) >= V1_BYTES_MAX:
            raise BadProxyHeader(f"no end of line within {V1_BYTES_MAX} bytes")
        return None
    length = len(line) + len(end)
    try:
        words = line.decode("ascii").split(" ")
    except UnicodeDecodeError as error:
        raise BadProxyHeader("not ASCII") from error
    if words[1] == "UNKNOWN":
        return ProxyHeader(length, None)  # whatever follows is to be ignored
    if len(words) != 6 or words[1] not in ("TCP4", "TCP6"):
        raise BadProxyHeader("not of the form PROXY TCP4 SOURCE DESTINATION PORT PORT")
    kind = ipaddress.IPv4Address if words[1] == "TCP4" else ipaddress.IPv6Address
    try:
        source, _ = kind(words[2]), kind(words[3])
    except ValueError as error:
        raise BadProxyHeader(str(error)) from error
    if not all(_PORT.fullmatch(port) and int(port) <= 65535 for port in words[4:]):
        raise BadProxyHeader("a port is from 0 to 65535")
    if "%" in words[2]:
        raise BadProxyHeader("an address of the net has no zone")
    return ProxyHeader(length, str(source))
