"""Rows about fleets, as `pool.dashboard.rows`."""

from __future__ import annotations

from msgspec import Struct


class AlarmSign(Struct, frozen=True):
    """Machines that should hash and are dark. kind: region, site, racks, firmware or machines. machines: of the group;
    dark: of these. since_ms: the last share of the first. parts: sites, racks or machines, at most twenty."""

    kind: str
    name: str
    dark: int
    machines: int
    since_ms: int
    parts: tuple[str, ...]
