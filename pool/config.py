"""Every option of the pool: declared once, with type, bounds, default and one sentence.

Validation, `steppe config sample` and the configuration page of the documentation all come from these declarations.
The file is TOML; an unknown key is refused; secrets are only ever paths to files.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from pool.alert_options import AlertOptions
from pool.fleet_options import FleetOptions, RegionOptions
from pool.payout_options import AccountingOptions, PayoutOptions
from pool.stratum_options import LISTEN, PORTS_MAX, PortOptions, StratumOptions

Chain = Literal["main", "testnet4", "signet", "regtest"]
Port = Annotated[int, Meta(ge=1, le=65535)]

# What a pool of the main chain does not start with, see pool.preflight.
Risk = Literal[
    "weak-secret", "readable-secret", "open-redis", "sample-address", "volatile-journal", "few-files", "root"
]

WebPart = Literal[
    "overview", "blocks", "job", "workers", "accounts", "payouts", "fleets", "moves", "readiness", "metrics"
]


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

    listen: Annotated[str, Meta(pattern=LISTEN, description="HOST:PORT of the page.")] = "127.0.0.1:8080"
    admin_listen: Annotated[
        str,
        Meta(
            pattern=LISTEN,
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
