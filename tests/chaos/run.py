"""One run: a cluster, miners, faults one after the other, then peace, and the oracle."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import msgspec
from msgspec import Struct

from payout.store.ledger import SqlLedger
from pool.bitcoin.network import NETWORKS
from pool.bitcoin.script import output_script
from pool.node.private import PrivateChain
from tests.chaos.cluster import ACCOUNTS, Cluster, Rebuilt, Setup
from tests.chaos.evidence import Evidence, behind, candidates_of, gather, read_spool
from tests.chaos.faults import Scene, named
from tests.chaos.load import Load
from tests.chaos.memory import Memory
from tests.chaos.oracle import judge
from tests.chaos.outages import Injected, outages
from tests.chaos.report import Report, as_json
from tests.regtest.whole_pool import eventually

# Miners, shares a second of all together, and hashes a second in search of blocks. On regtest every share is a block,
# and three blocks a second is what a node with two peers, and their disk, can be asked for without pause.
LOADS: dict[PrivateChain, tuple[int, float, float]] = {"regtest": (24, 8.0, 0.0), "signet": (40, 80.0, 1.5e6)}
# Blocks on top of everything that was found, so that each has won or lost: six are enough, and one more for a block
# that was found on the last tip and came too late for it.
LAST_BLOCKS = 7
SETTLE_SECONDS = 120.0


class Options(Struct, frozen=True):
    """A run. seconds, rounds: how long it goes on, whichever is over first; a round has each fault once.
    pace_seconds: from one fault to the next, if it is over by then; the mean. faults: groups of them, or names."""

    bitcoind: Path
    chain: PrivateChain
    database: str
    database_url: str
    folder: Path
    seed: int
    seconds: float
    pace_seconds: float
    faults: tuple[str, ...]
    rounds: int | None = None
    journal_mode: str = "relaxed"


def run(options: Options, say: Callable[[str], None], stop: Callable[[], bool] = lambda: False) -> Report:
    """Do it, or less of it once `stop()`. The report is kept in the folder too."""
    began = time.monotonic()
    chance = random.Random(options.seed)
    memory, injected = Memory(), list[Injected]()
    cluster = Cluster(
        Setup(options.bitcoind, options.chain, options.folder, options.database_url, options.journal_mode)
    )
    miners, shares_per_second, hunted_hps = LOADS[options.chain]
    logins = [f"{ACCOUNTS[number % len(ACCOUNTS)][0]}.rig{number}" for number in range(miners)]
    load = Load(cluster.stratum_port, logins, shares_per_second, hunted_hps, memory, options.seed)
    verdict, rebuilt, problem, peace_at = None, None, None, None
    try:
        try:
            cluster.start()
            load.start()
            eventually("a first share is acknowledged", memory.acknowledged_at)
            _break_things(options, Scene(cluster, load, chance), injected, say, stop)
            peace_at, rebuilt = _settle(cluster, load, say)
        finally:
            if load.is_alive():
                load.stop()
        verdict = judge(memory.shares(), _evidence(cluster, rebuilt))
    except Exception as error:  # noqa: BLE001
        problem = f"{type(error).__name__}: {error}"
    finally:
        cluster.stop()
    if load.problem is not None:
        problem = f"the miners: {load.problem!r}"
    report = Report(
        seed=options.seed,
        chain=options.chain,
        database=options.database,
        seconds=time.monotonic() - began,
        folder=str(options.folder),
        faults=outages(injected, memory.acknowledged_at(), memory.absences(), peace_at or time.monotonic()),
        verdict=verdict,
        rebuilt=0 if rebuilt is None else rebuilt.records,
        problem=problem,
    )
    (options.folder / "report.json").write_text(as_json(report) + "\n")
    (options.folder / "shares.json").write_bytes(msgspec.json.encode(memory.shares()))
    return report


def _break_things(
    options: Options,
    scene: Scene,
    injected: list[Injected],
    say: Callable[[str], None],
    stop: Callable[[], bool],
) -> None:
    """One fault after the other, all of them in turn, in an order that the seed gives."""
    faults = named(options.faults)
    until = time.monotonic() + options.seconds
    for _ in count() if options.rounds is None else range(options.rounds):
        for name in scene.chance.sample(sorted(faults), len(faults)):
            pause = scene.chance.uniform(0.5, 1.5) * options.pace_seconds
            if time.monotonic() >= until or stop():
                return
            began = time.monotonic()
            say(name)
            faults[name](scene)
            injected.append(Injected(name, began, time.monotonic()))
            if scene.load.problem is not None:
                raise scene.load.problem
            time.sleep(max(0.0, began + pause - time.monotonic()))


def _settle(cluster: Cluster, load: Load, say: Callable[[str], None]) -> tuple[float, Rebuilt]:
    """Peace: what is on its way arrives, and the pool stops in good order. Returns when all miners were back, and what
    its journals gave beside all that it had then.

    Raises AssertionError for what does not happen.
    """

    def wait(what: str, condition: Callable[[], object]) -> None:
        say(f"waiting: {what}")
        eventually(what, condition, SETTLE_SECONDS)

    cluster.nodes.heal()
    cluster.nodes.catch_up()
    cluster.wait_until_ready()
    wait("all miners are back", lambda: load.ready == load.size)
    peace_at = time.monotonic()
    load.hold()
    wait("every share has its answer", lambda: load.unanswered == 0)
    load.stop()
    if read_spool(cluster.paths.candidates):  # on signet they take their time
        cluster.nodes.stranger.mine(LAST_BLOCKS)
    cluster.nodes.converge()
    wait("every block has its verdict", lambda: _all_settled(cluster))
    with cluster.database() as engine:
        ledger = SqlLedger(engine)
        wait("the books have every record", lambda: not behind(cluster.paths.journal, ledger))
        wait("the books know what became of each block", lambda: not candidates_of(ledger))
    say("waiting: everything is computed again from the journals")
    rebuilt = cluster.rebuild()
    say("waiting: the pool stops")
    code = cluster.stop_pool()
    assert code == 0, f"the pool ended with exit code {code}"
    return peace_at, rebuilt


def _all_settled(cluster: Cluster) -> bool:
    return None not in read_spool(cluster.paths.candidates).values()


def _evidence(cluster: Cluster, rebuilt: Rebuilt) -> Evidence:
    options = cluster.config.pool
    with cluster.database() as engine:
        return gather(
            cluster.paths.journal,
            engine,
            cluster.paths.candidates,
            cluster.nodes,
            output_script(options.payout_address, NETWORKS[options.chain]),
            rebuilt.different,
        )
