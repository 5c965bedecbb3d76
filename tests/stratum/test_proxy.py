"""stratum.proxy. Source: haproxy, doc/proxy-protocol.txt."""

from __future__ import annotations

import ipaddress
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratum.proxy import V1_BYTES_MAX, V2_BYTES_MAX, BadProxyHeader, ProxyHeader, read_header

SIGNATURE = bytes.fromhex("0d0a0d0a000d0a515549540a")
V1 = b"PROXY TCP4 203.0.113.7 192.0.2.1 40000 3333\r\n"


def v2(source: str = "203.0.113.7", *, command: int = 0x21, family: int | None = None, tlvs: bytes = b"") -> bytes:
    """A header of version 2 from an address to another, with ports."""
    packed = ipaddress.ip_address(source).packed
    kind = family if family is not None else 0x11 if len(packed) == 4 else 0x21
    rest = packed + bytes(len(packed)) + (40000).to_bytes(2, "big") + (3333).to_bytes(2, "big") + tlvs
    return SIGNATURE + bytes([command, kind]) + len(rest).to_bytes(2, "big") + rest


WHOLE = {
    "version 1": (V1, "203.0.113.7"),
    "version 1 over IPv6": (b"PROXY TCP6 2001:DB8::7 2001:db8::1 40000 3333\r\n", "2001:db8::7"),
    "version 1 of an unknown client": (b"PROXY UNKNOWN\r\n", None),
    "version 1 of an unknown client with more": (b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", None),
    "the longest of version 1": (b"PROXY UNKNOWN " + b"f" * (V1_BYTES_MAX - 16) + b"\r\n", None),
    "version 2": (v2(), "203.0.113.7"),
    "version 2 over IPv6": (v2("2001:db8::7"), "2001:db8::7"),
    "version 2 with fields behind": (v2(tlvs=b"\x01\x00\x02h2\x04\x00\x03\0\0\0"), "203.0.113.7"),
    "version 2 of the proxy itself": (SIGNATURE + b"\x20\x00\x00\x00", None),
    "version 2 of the proxy itself, with an address to be ignored": (v2(command=0x20), None),
    "version 2 of an unknown client": (SIGNATURE + b"\x21\x00\x00\x00", None),
    "version 2 over a unix socket": (SIGNATURE + b"\x21\x31\x00\xd8" + bytes(216), None),
    "the longest of version 2": (v2(tlvs=bytes(V2_BYTES_MAX - 28)), "203.0.113.7"),
}
BAD = {
    "a request": b'{"id":1}\n',
    "a TLS hello": b"\x16\x03\x01",
    "lower case": b"proxy TCP4",
    "another protocol": b"PROXY UDP4 203.0.113.7 192.0.2.1 40000 3333\r\n",
    "a name for an address": b"PROXY TCP4 localhost 192.0.2.1 40000 3333\r\n",
    "zeros before an address": b"PROXY TCP4 203.0.113.007 192.0.2.1 40000 3333\r\n",
    "an address of the other family": b"PROXY TCP4 2001:db8::7 192.0.2.1 40000 3333\r\n",
    "a zone": b"PROXY TCP6 fe80::7%eth0 2001:db8::1 40000 3333\r\n",
    "a bad destination": b"PROXY TCP4 203.0.113.7 192.0.2 40000 3333\r\n",
    "a port too high": b"PROXY TCP4 203.0.113.7 192.0.2.1 65536 3333\r\n",
    "a port with a sign": b"PROXY TCP4 203.0.113.7 192.0.2.1 +4000 3333\r\n",
    "a port in other digits": "PROXY TCP4 203.0.113.7 192.0.2.1 4000 ٣\r\n".encode(),
    "no ports": b"PROXY TCP4 203.0.113.7 192.0.2.1\r\n",
    "two blanks": b"PROXY TCP4  203.0.113.7 192.0.2.1 40000 3333\r\n",
    "no more than the word": b"PROXY \r\n",
    "a line without end": b"PROXY UNKNOWN " + b"f" * V1_BYTES_MAX,
    "another version": v2(command=0x11),
    "another command": v2(command=0x22),
    "version 2 of UDP": v2(family=0x12),
    "version 2 that is too long": SIGNATURE + b"\x21\x11\xff\xff",
    "version 2 that is too short for its addresses": SIGNATURE + b"\x21\x11\x00\x0b",
    "a signature that goes wrong": SIGNATURE[:-1] + b"X",
}
each_whole = pytest.mark.parametrize(("header", "source"), WHOLE.values(), ids=WHOLE)


@each_whole
def test_a_header_says_who_the_miner_is_and_where_its_own_bytes_begin(header: bytes, source: str | None) -> None:
    assert read_header(header + b'{"id":1}\n') == ProxyHeader(len(header), source)


@each_whole
def test_until_it_is_whole_there_is_none(header: bytes, source: str | None) -> None:
    assert {read_header(header[:size]) for size in range(len(header))} == {None}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_what_is_no_header_is_refused(data: bytes) -> None:
    with pytest.raises(BadProxyHeader):
        read_header(data)


def verdict(data: bytes) -> ProxyHeader | str | None:
    try:
        return read_header(data)
    except BadProxyHeader:
        return "bad"


@given(
    st.sampled_from([*(header for header, _ in WHOLE.values()), *BAD.values(), SIGNATURE, b"PROXY "]),
    st.integers(0, 300),
    st.binary(max_size=40),
)
def test_once_decided_no_further_byte_changes_it(header: bytes, cut: int, rest: bytes) -> None:
    data = header[:cut] + rest
    verdicts = [verdict(data[:size]) for size in range(len(data) + 1)]
    decided = [each for each in verdicts if each is not None]
    assert len({str(each) for each in decided}) <= 1
    assert verdicts[: len(verdicts) - len(decided)] == [None] * (len(verdicts) - len(decided))


@given(st.binary(max_size=200))
def test_it_never_waits_for_more_than_the_longest_header(data: bytes) -> None:
    for start in (b"PROXY ", SIGNATURE):
        with suppress(BadProxyHeader):
            assert read_header((start + data).ljust(V2_BYTES_MAX, b"x")) is not None


@given(st.ip_addresses())
def test_any_address_is_told(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    assert read_header(v2(str(address))) == ProxyHeader(len(v2(str(address))), str(address))
