"""Every option of the pool: declared once, with type, bounds, default and one sentence.

Validation, `steppe config sample` and the configuration page of the documentation all come from these declarations.
The file is TOML; an unknown key is refused; secrets are only ever paths to files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

from pool.alert_options import AlertOptions
from pool.fleet_options import FleetOptions, RegionOptions
from pool.payout_options import AccountingOptions, PayoutOptions

Chain = Literal["main", "testnet4", "signet", "regtest"]
Port = Annotated[int, Meta(ge=1, le=65535)]

# What a pool of the main chain does not start with, see pool.preflight.
Risk = Literal[
    "weak-secret", "readable-secret", "open-redis", "sample-address", "volatile-journal", "few-files", "root"
]

WebPart = Literal[
    "overview", "blocks", "job", "workers", "accounts", "payouts", "fleets", "moves", "readiness", "metrics"
]

_DRAIN_TO = r"^(([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]):[0-9]{1,5})?$"
_LISTEN = r"^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$"


class PoolOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The pool as a whole."""

    chain: Annotated[Chain, Meta(description="Which Bitcoin network.")]
    payout_address: Annotated[
        str,
        Meta(min_length=14, max_length=90, description="Address that every block pays, on that network."),
    ]
    data_dir: Annotated[
        str,
        Meta(
            min_length=1,
            description="Folder of journal, candidates, ledger and sockets; relative paths start at this file.",
        ),
    ] = "data"
    disk_low_percent: Annotated[
        int,
        Meta(ge=0, le=90, description="Alarm when less of a disk of the pool is free, in percent; 0: never for that."),
    ] = 10
    disk_low_mib: Annotated[
        int, Meta(ge=0, le=1_048_576, description="Alarm when fewer MiB of it are free; 0: never for that.")
    ] = 2048
    coinbase_tag: Annotated[
        str,
        Meta(pattern=r"^[ -~]{0,40}$", description="Printable ASCII in each coinbase, at most 40 characters."),
    ] = "/steppe/"
    accept_risks: Annotated[
        list[Risk],
        Meta(
            max_length=7,
            description="What would keep a pool of the main chain from starting, and is known and wanted: "
            "weak-secret, readable-secret, open-redis, sample-address, volatile-journal, few-files, root.",
        ),
    ] = field(default_factory=list)
    allow_slow_hashing: Annotated[
        bool,
        Meta(description="Start without the compiled hashing (for tests only: it is about a hundred times slower)."),
    ] = False


NODES_MAX = 8


class NodeOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """A bitcoind; up to eight of them, the preferred one first. Cookie, or user and password file."""

    url: Annotated[
        str,
        Meta(
            pattern=r"^http://[^/@\s]+:[0-9]{1,5}/?$",
            description="RPC address: http://HOST:PORT, without user or password.",
        ),
    ]
    cookie_file: Annotated[str, Meta(description="bitcoind's .cookie file; read anew whenever the node restarts.")] = ""
    user: Annotated[str, Meta(description="RPC user, when there is no cookie.")] = ""
    password_file: Annotated[
        str, Meta(description="File whose first line is the RPC password, readable by its owner only.")
    ] = ""
    zmq: Annotated[
        str,
        Meta(
            pattern=r"^(tcp://[^/@\s]+:[0-9]{1,5})?$",
            description="Where it announces new blocks (zmqpubhashblock): tcp://HOST:PORT; empty: it is only asked.",
        ),
    ] = ""


class ChainOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The chain gate: whether the nodes are on the chain that everybody mines. No jobs are made of one that is not."""

    on_unknown: Annotated[
        Literal["mine", "stop"],
        Meta(
            description="When nobody can say, as with one node alone: make jobs, with a warning; or none. With `stop` "
            "there should be three nodes, so that one may be away."
        ),
    ] = "mine"
    tip_age_minutes: Annotated[
        int,
        Meta(
            ge=0,
            le=10_080,
            description="A node of main or testnet4 whose newest block is older is on no chain that is mined; 0: it "
            "may be of any age. On other chains blocks come when somebody wants one.",
        ),
    ] = 180


CHECKPOINTS_MAX = 64


class CheckpointOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """A block that the right chain has, beside those that the pool knows; at the same height it takes their place."""

    height: Annotated[int, Meta(ge=0, le=2**31 - 1, description="Of the block.")]
    hash: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$", description="As explorers show it, zeros in front.")]


class WorkOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The work role: templates to jobs, candidates to blocks."""

    refresh_seconds: Annotated[
        float, Meta(ge=1, le=45, description="A new job of the same tip after so many seconds.")
    ] = 30.0
    poll_seconds: Annotated[
        float, Meta(ge=0.1, le=10, description="Each node is asked for its tip this often, beside the long poll.")
    ] = 0.5
    empty_first_seconds: Annotated[
        float,
        Meta(
            ge=0,
            le=60,
            description="From a node that has lately taken so long for the template of a new block on, miners get an "
            "empty job first; 0: never.",
        ),
    ] = 1.0
    reserve_mib: Annotated[
        int,
        Meta(
            ge=0,
            le=1024,
            description="Room set aside beside the candidates, 8 MiB a block, to keep blocks in when the disk is full.",
        ),
    ] = 64
    feed: Annotated[
        str,
        Meta(description="Where stratum roles fetch jobs: unix:PATH, tcp:HOST:PORT, or empty for the data folder."),
    ] = ""


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
        list[Annotated[str, Meta(pattern=_LISTEN)]],
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

    listen: Annotated[str, Meta(pattern=_LISTEN, description="HOST:PORT or [IPV6]:PORT.")]
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


class RedisOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """Live statistics and the way of shares to the ledger; everything in it can be rebuilt."""

    url: Annotated[
        str,
        Meta(
            pattern=r"^((redis|rediss)://\S+|unix:///\S+)?$",
            description="redis://HOST:PORT/DB, rediss://... or unix:///PATH; empty: redis-server as a child.",
        ),
    ] = ""


class DatabaseOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The ledger."""

    url: Annotated[
        str,
        Meta(
            pattern=r"^((sqlite:///|postgresql(\+psycopg)?://)\S+)?$",
            description="postgresql://USER@HOST/NAME or sqlite:///PATH; empty: SQLite in the data folder.",
        ),
    ] = ""


class WebOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """Page, API and metrics."""

    listen: Annotated[str, Meta(pattern=_LISTEN, description="HOST:PORT of the page.")] = "127.0.0.1:8080"
    admin_listen: Annotated[
        str,
        Meta(
            pattern=_LISTEN,
            description="HOST:PORT of the same for operators, with metrics and orders; keep it off the open network.",
        ),
    ] = "127.0.0.1:8081"
    admin_hosts: Annotated[
        list[str],
        Meta(
            max_length=64,
            description="Names, or addresses behind a translation, by which operators, proxies and Prometheus call "
            "admin_listen, without port; localhost and its own address need no mention, any other is refused.",
        ),
    ] = field(default_factory=list)
    public: Annotated[
        list[WebPart],
        Meta(
            max_length=10,
            description="What the page at listen shows to everybody, of: overview, blocks, job, workers, "
            "accounts, payouts, fleets, moves, readiness, metrics. The first three alone name no account.",
        ),
    ] = field(default_factory=lambda: ["overview", "blocks", "job"])
    proxy_from: Annotated[
        list[str],
        Meta(
            max_length=64,
            description="Addresses and networks of reverse proxies, whose X-Forwarded-For and X-Forwarded-Proto are "
            "believed.",
        ),
    ] = field(default_factory=list)
    worker_series: Annotated[
        int,
        Meta(ge=0, le=500, description="So many workers, by their names, have three series each in /metrics; 0: none."),
    ] = 0


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """A whole configuration file."""

    pool: PoolOptions
    node: Annotated[list[NodeOptions], Meta(min_length=1, max_length=NODES_MAX)]
    chain: ChainOptions = ChainOptions()
    checkpoint: Annotated[list[CheckpointOptions], Meta(max_length=CHECKPOINTS_MAX)] = field(default_factory=list)
    work: WorkOptions = WorkOptions()
    stratum: StratumOptions = field(default_factory=StratumOptions)
    port: Annotated[list[PortOptions], Meta(max_length=PORTS_MAX)] = field(default_factory=list)
    redis: RedisOptions = RedisOptions()
    database: DatabaseOptions = DatabaseOptions()
    accounting: AccountingOptions = AccountingOptions()
    payouts: PayoutOptions = PayoutOptions()
    region: RegionOptions = RegionOptions()
    fleet: FleetOptions = FleetOptions()
    web: WebOptions = field(default_factory=WebOptions)
    alerts: AlertOptions = field(default_factory=AlertOptions)
