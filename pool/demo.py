"""`steppe demo`: a private chain, the whole pool on it, a miner, and what happens, told line by line."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

from msgspec import Struct

from pool import operations, service
from pool.bitcoin.amount import format_btc
from pool.config import Config, WebPart
from pool.config_file import load
from pool.node.loopback import free_port, is_free
from pool.node.private import PrivateChain, PrivateNode, find_bitcoind
from pool.ports import NodeUnavailable
from pool.supervisor import CannotSupervise, Child, Program, stop_signals

STRATUM_PORT, HTTP_PORT, ADMIN_PORT = 3333, 8080, 8081
EVERY_PART = json.dumps(get_args(WebPart))
"""For `web.public`, where who may ask is not what it is about."""
# Ten shares per block on signet, whose blocks have difficulty 0.0011; on regtest every share is a block anyway.
DIFFICULTY = {"signet": 0.0001, "regtest": 1e-9}
# One core would find five blocks a second on signet, and thousands on regtest, where a hash in two is a block.
RATE_HPS = {"signet": 4e6, "regtest": 10.0}
MINERS = (("alice", "pplns", 100), ("bob", "pps", 200))
PPS_PERIOD_SECONDS = 10
# Blocks of 50 BTC and a fee of 2 % with the usual losses ask for 11,513 BTC (docs/payouts.md 1.8).
RESERVE_SAT = 12_000 * 100_000_000
START_SECONDS_MAX = 60.0
# With --blocks: as long as something happens the demo goes on; this long without a new block, it has failed.
QUIET_SECONDS_MAX = 180.0
WATCH_SECONDS = 1.0
STOP_SECONDS = 30.0


class DemoFailed(Exception):
    """The demo cannot go on; the text says why and how to mend it."""


class NoAnswer(Exception):
    """The web role does not answer, or not with JSON."""


class Options(Struct, frozen=True):
    """What the command line says. data_dir: None for a temporary folder that is removed at the end."""

    chain: PrivateChain
    data_dir: Path | None
    stratum_port: int | None
    http_port: int | None
    miner: bool
    difficulty: float | None
    blocks: int | None


def run(options: Options, say: Callable[[str], None]) -> None:
    """Run until Ctrl-C, or until `options.blocks` blocks are mature. Raises DemoFailed."""
    with contextlib.ExitStack() as stack:
        stop = stack.enter_context(stop_signals())
        data_dir = options.data_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="steppe-demo-")))
        data_dir.mkdir(parents=True, exist_ok=True)
        stratum_port = _port(options.stratum_port, STRATUM_PORT)
        http_port = _port(options.http_port, HTTP_PORT)
        node = stack.enter_context(_node(options.chain, data_dir, say))
        admin_port = _port(None, ADMIN_PORT)
        config_path = _configure(options, data_dir, node, stratum_port, http_port, admin_port)
        config = load(config_path)
        service.prepare(config)
        operations.ensure_reserve(config, "demo", RESERVE_SAT)
        say(f"reserve of pay per share: {format_btc(RESERVE_SAT)} BTC of play money")
        for name, scheme, fee_bps in MINERS:
            operations.ensure_account(config, name, scheme, fee_bps)
            say(f"account {name}: {scheme.upper()}, fee {fee_bps / 100:g} %")
        pool = stack.enter_context(_child(Program("pool", steppe("run", "-c", config_path), data_dir / "pool.log")))
        api = Api(http_port)
        _wait_until_ready(api, pool, stop)
        say(f"stratum  stratum+tcp://127.0.0.1:{stratum_port}")
        say(f"page     http://127.0.0.1:{http_port}/")
        invitation = operations.invite_operator(config)
        say(f"operator http://127.0.0.1:{admin_port}/#/enter/{invitation} (once, within 15 minutes)")
        say(f"files    {data_dir}{'' if options.data_dir else ' (removed at the end; --data-dir DIR keeps them)'}")
        miners = []
        for name, _, _ in MINERS if options.miner else ():
            program = Program(
                f"miner-{name}", _miner(options.chain, stratum_port, name), data_dir / f"miner-{name}.log"
            )
            miners.append(stack.enter_context(_child(program)))
        say("miners   " + (", ".join(f"{name}.cpu" for name, _, _ in MINERS) if miners else "none: point yours here"))
        say("Ctrl-C stops everything.")
        Watch(api, config, options.blocks, say).until_done([pool, *miners], stop)
        say("stopping")


class Api:
    """The pool's own HTTP API."""

    def __init__(self, port: int) -> None:
        self._port = port

    def get(self, path: str) -> Any:
        """The JSON at a path. Raises NoAnswer."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NoAnswer(f"{path}: {error}") from error
        finally:
            connection.close()


class Watch:
    """Tells what changes: blocks, their states, credits, hashrate."""

    def __init__(self, api: Api, config: Config, blocks: int | None, say: Callable[[str], None]) -> None:
        self._api = api
        self._chain = config.pool.chain
        self._wanted = blocks
        self._say = say
        self._states: dict[str, str] = {}
        self._progress_at = time.monotonic()
        self._status_at = 0.0

    def until_done(self, children: list[Child], stop: Callable[[], bool]) -> None:
        """Returns on Ctrl-C or when the wanted blocks are mature. Raises DemoFailed."""
        while not stop():
            now = time.monotonic()
            for child in children:
                _tend(child, now)
            with contextlib.suppress(NoAnswer):
                self._look(now)
                if self._wanted is not None and self._mature() >= self._wanted:
                    self._report()
                    return
            if self._wanted is not None and now - self._progress_at > QUIET_SECONDS_MAX:
                raise DemoFailed(
                    f"no new block for {QUIET_SECONDS_MAX:g} s: {self._mature()} of {self._wanted} blocks are mature. "
                    f"{self._readiness()}"
                )
            time.sleep(WATCH_SECONDS)

    def _readiness(self) -> str:
        try:
            return json.dumps(self._api.get("/readyz"))
        except NoAnswer as error:
            return str(error)

    def _mature(self) -> int:
        return sum(1 for state in self._states.values() if state == "mature")

    def _look(self, now: float) -> None:
        # Blocks mature a hundred heights below the newest ones.
        rows = self._rows("blocks?per_page=100") + self._rows("blocks?state=mature&per_page=100")
        for block in sorted(rows, key=lambda row: int(row["height"])):
            if self._states.get(block["hash_hex"]) != block["state"]:
                self._states[block["hash_hex"]] = block["state"]
                self._progress_at = now
                self._say(f"block {block['height']}  {block['hash_hex']}  {_fate(block)}")
        if now >= self._status_at:
            self._status_at = now + 10.0
            self._status()

    def _status(self) -> None:
        for worker in self._rows("workers"):
            rate = worker["activity"]["hashrate"]["1m"]["hps"]
            self._say(f"  {worker['login']}: {rate / 1e6:.3f} MH/s, {worker['activity']['accepted']} shares accepted")
        for account in self._rows("accounts"):
            book = account["books"]
            if book is None:
                continue
            self._say(
                f"  {account['name']} ({book['scheme']}): {format_btc(book['available_sat'])} BTC available, "
                f"{format_btc(book['immature_sat'])} BTC immature"
            )

    def _rows(self, table: str) -> list[dict[str, Any]]:
        """The rows of a table of the API; none while its source is down."""
        return self._api.get(f"/api/v1/{table}").get("rows") or []

    def _report(self) -> None:
        self._status()
        self._say(f"{self._mature()} blocks accepted, matured and credited")


def _fate(block: dict[str, Any]) -> str:
    """What became of a block, in words."""
    if block["state"] == "candidate":
        return f"found by {block['finder']}"
    if block["state"] == "immature":
        reward = format_btc(block["reward_sat"])
        return f"accepted, found by {block['finder']}, {reward} BTC credited to {block['credits']} accounts"
    if block["state"] == "mature":
        return "mature: its credits can be paid out"
    return f"{block['state']}: another block took its height"


@contextlib.contextmanager
def _node(chain: PrivateChain, data_dir: Path, say: Callable[[str], None]) -> Iterator[PrivateNode]:
    program = find_bitcoind()
    if program is None:
        raise DemoFailed(
            "no bitcoind: put one on PATH, name one in STEPPE_BITCOIND, or start by scripts/demo, which fetches one"
        )
    node = PrivateNode(program, chain, data_dir / "bitcoind", rpc_port=free_port())
    try:
        node.start()
    except NodeUnavailable as error:
        raise DemoFailed(str(error)) from error
    say(f"bitcoind {chain}, {program}")
    try:
        yield node
    finally:
        node.stop()


@contextlib.contextmanager
def _child(program: Program) -> Iterator[Child]:
    child = Child(program)
    _tend(child, time.monotonic())
    try:
        yield child
    finally:
        child.stop(time.monotonic() + STOP_SECONDS)


def _tend(child: Child, now: float) -> None:
    try:
        child.tend(now)
    except CannotSupervise as error:
        raise DemoFailed(str(error)) from error


def _last_lines(log: Path, count: int = 5) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])


def _wait_until_ready(api: Api, pool: Child, stop: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    answer: Any = "no answer"
    while not stop():
        _tend(pool, time.monotonic())
        with contextlib.suppress(NoAnswer):
            answer = api.get("/readyz")
            if answer.get("ready"):
                return
        if time.monotonic() > deadline:
            raise DemoFailed(f"the pool is not ready: {json.dumps(answer)}\n{_last_lines(pool.program.log)}")
        time.sleep(0.2)


def _configure(
    options: Options, data_dir: Path, node: PrivateNode, stratum_port: int, http_port: int, admin_port: int
) -> Path:
    difficulty = options.difficulty or DIFFICULTY[options.chain]
    path = data_dir / "steppe.toml"
    path.write_text(
        f"""\
[pool]
chain = "{options.chain}"
payout_address = "{node.payout_address()}"
data_dir = "pool"

[[node]]
url = "{node.url}"
cookie_file = "{node.cookie_file}"

[stratum]
listen = ["127.0.0.1:{stratum_port}"]
difficulty = {difficulty!r}
difficulty_min = {difficulty!r}
difficulty_max = {difficulty!r}

[accounting]
pps_period_seconds = {PPS_PERIOD_SECONDS}

[web]
listen = "127.0.0.1:{http_port}"
admin_listen = "127.0.0.1:{admin_port}"
# Everybody on this machine sees everything: it is all play money.
public = {EVERY_PART}
"""
    )
    return path


def steppe(*args: str | Path) -> tuple[str, ...]:
    """The command that runs this program."""
    return (sys.executable, "-m", "pool", *map(str, args))


def _miner(chain: str, port: int, account: str) -> tuple[str, ...]:
    bound = ("--rate", f"{RATE_HPS[chain]:g}")
    # The miner takes what the pool and the node leave over.
    nice = (shutil.which("nice") or "nice", "-n", "10")
    return (*nice, *steppe("miner", f"127.0.0.1:{port}", "-u", f"{account}.cpu", *bound))


def _port(wanted: int | None, usual: int) -> int:
    """The port asked for, which must be free; else the usual one, or a free one."""
    if wanted is not None:
        if not is_free(wanted):
            raise DemoFailed(f"port {wanted} is taken; choose another or leave the option out")
        return wanted
    return usual if is_free(usual) else free_port()
