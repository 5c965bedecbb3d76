"""The options of `[stratum]` and `[[port]]`; see pool.config."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

_DRAIN_TO = r"^(([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]):[0-9]{1,5})?$"
LISTEN = r"^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$"


class Door(Struct, frozen=True):
    """Addresses to listen at, with the difficulties that hold there."""

    listen: list[str]
    difficulty: float
    difficulty_min: float
    difficulty_max: float
    shares_per_minute: float


class StratumOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The stratum role: the door for miners."""

    listen: Annotated[
        list[Annotated[str, Meta(pattern=LISTEN)]],
        Meta(min_length=1, max_length=8, description="Doors for miners, each HOST:PORT or [IPV6]:PORT."),
    ] = field(default_factory=lambda: ["0.0.0.0:3333"])
    proxy_from: Annotated[
        list[str],
        Meta(
            max_length=64,
            description="Addresses and networks of load balancers, which must begin each connection with a PROXY "
            "header (version 1 or 2) that says who the miner is; nobody else may.",
        ),
    ] = field(default_factory=list)
    never_banned: Annotated[
        list[str],
        Meta(max_length=64, description="Addresses and networks that are never banned, whatever they send."),
    ] = field(default_factory=list)
    unauthorized_per_address: Annotated[
        int,
        Meta(
            ge=1,
            le=100_000,
            description="Connections without an authorized worker that one address (IPv6: one /64) may have; a whole "
            "farm behind one address comes back at once after a power cut.",
        ),
    ] = 16384
    tls_certificate: Annotated[
        str, Meta(description="PEM file of a certificate and its chain: every door then takes TLS too.")
    ] = ""
    tls_key: Annotated[str, Meta(description="PEM file of its key, without a password.")] = ""
    endpoint: Annotated[
        Literal["fast", "twisted"],
        Meta(description="Transport of the sessions: uvloop's, or Twisted's own (slower; to compare)."),
    ] = "fast"
    difficulty: Annotated[
        float,
        Meta(ge=1e-9, le=1e15, description="Share difficulty that a session begins with; fractions work."),
    ] = 65536.0
    difficulty_min: Annotated[
        float, Meta(ge=1e-9, le=1e15, description="Lowest difficulty that a miner may ask for or comes down to.")
    ] = 0.0001
    difficulty_max: Annotated[
        float,
        Meta(
            ge=1e-9,
            le=1e15,
            description="Highest one; with both bounds the same, the difficulty of a session never changes.",
        ),
    ] = 1e12
    shares_per_minute: Annotated[
        float, Meta(ge=0.1, le=600, description="Shares that each session's difficulty is adapted to bring.")
    ] = 6.0
    extranonce_range: Annotated[
        int,
        Meta(
            ge=0,
            le=255,
            description="First byte of extranonce1; another for each stratum process of a pool, in all its regions: a "
            "second one with it does not start.",
        ),
    ] = 0
    processes: Annotated[
        int,
        Meta(
            ge=1,
            le=64,
            description="Stratum processes that `steppe run` starts, all on the same doors; each takes one "
            "extranonce_range, from that number on.",
        ),
    ] = 1
    drain_seconds: Annotated[
        float,
        Meta(
            ge=0,
            le=86_400,
            description="At a stop, send the miners away in even waves over this time; 0: all at once.",
        ),
    ] = 0.0
    drain_to: Annotated[
        str,
        Meta(
            pattern=_DRAIN_TO,
            description="HOST:PORT that they are asked to go to (client.reconnect) before they are reset; empty: "
            "none, they come back to the door they know.",
        ),
    ] = ""
    release_seconds: Annotated[
        float,
        Meta(
            ge=2,
            le=86_400,
            description="When no node has given work for so long, miners are reset and nobody is taken in, so that "
            "they mine at their backup pools until there is work again; at least twice work.refresh_seconds.",
        ),
    ] = 120.0
    journal_mode: Annotated[
        Literal["relaxed", "fsync"],
        Meta(description="A share is acknowledged when the kernel has it (survives kill -9), or the disk."),
    ] = "relaxed"
    journal_keep_days: Annotated[
        int,
        Meta(
            ge=0,
            le=36_500,
            description="Remove segments of the journal so many days after their last share, once the ledger has them; "
            "0: never, so that the books can be rebuilt from it.",
        ),
    ] = 0

    def doors(self, ports: Sequence[PortOptions]) -> list[Door]:
        """The doors of this section, then those of `[[port]]`."""
        own = Door(self.listen, self.difficulty, self.difficulty_min, self.difficulty_max, self.shares_per_minute)
        return [own, *(port.door(own) for port in ports)]


PORTS_MAX = 8
_Difficulty = Annotated[float, Meta(ge=1e-9, le=1e15)]
_SharesPerMinute = Annotated[float, Meta(ge=0.1, le=600)]
_AS_STRATUM = "; if not given, as in [stratum]."


class PortOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """One more door for miners, with difficulties of its own."""

    listen: Annotated[str, Meta(pattern=LISTEN, description="HOST:PORT or [IPV6]:PORT.")]
    difficulty: Annotated[_Difficulty | None, Meta(description=f"Difficulty to begin with{_AS_STRATUM}")] = None
    difficulty_min: Annotated[_Difficulty | None, Meta(description=f"Lowest difficulty{_AS_STRATUM}")] = None
    difficulty_max: Annotated[_Difficulty | None, Meta(description=f"Highest difficulty{_AS_STRATUM}")] = None
    shares_per_minute: Annotated[
        _SharesPerMinute | None, Meta(description=f"Shares that a session should bring{_AS_STRATUM}")
    ] = None

    def door(self, default: Door) -> Door:
        """With what is not given as in `[stratum]`."""
        given = {name: getattr(self, name) for name in self.__struct_fields__ if name != "listen"}
        chosen = {name: value for name, value in given.items() if value is not None}
        return msgspec.structs.replace(default, listen=[self.listen], **chosen)
