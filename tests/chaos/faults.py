"""Everything that is broken on purpose, by name.

A fault is a function that breaks something, waits, and mends what does not mend itself; when it returns, the pool has
what it needs again.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterable
from functools import partial

from msgspec import Struct
from redis.exceptions import RedisError
from sqlalchemy import text

from pool.store.sql import reading, writing
from tests.chaos.cluster import PROGRAMS, Cluster
from tests.chaos.load import Load
from tests.chaos.nodes import NAMES
from tests.regtest.whole_pool import eventually


class Scene(Struct, frozen=True):
    """What a fault may touch."""

    cluster: Cluster
    load: Load
    chance: random.Random


Fault = Callable[[Scene], None]

# A program that died again and again waits up to ten seconds for its next start.
BACK_SECONDS = 45.0
PAUSE_SECONDS = 4.0
REDIS_SECONDS = 2.0
NODE_SECONDS = 2.0
DISK_SECONDS = 3.0
CLOCK_SECONDS = 3.0
DATABASE_SECONDS = 4.0
FAILPOINT_DEATHS = 2
# After so long the last share of held miners is a block, if it is one.
HELD_SECONDS = 0.3


def kill_program(program: str, scene: Scene) -> None:
    """kill -9; the supervisor starts it again."""
    _kill(scene, program)


def kill_two(scene: Scene) -> None:
    """kill -9 of two programs at one moment."""
    _kill(scene, *scene.chance.sample(PROGRAMS, 2))


def _kill(scene: Scene, *programs: str) -> None:
    pids = [eventually(f"{program} runs", partial(scene.cluster.pid_of, program), BACK_SECONDS) for program in programs]
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def pause_program(program: str, scene: Scene) -> None:
    """It hangs for a while: SIGSTOP."""
    pid = eventually(f"{program} runs", lambda: scene.cluster.pid_of(program), BACK_SECONDS)
    try:
        os.kill(pid, signal.SIGSTOP)
        time.sleep(scene.chance.uniform(0.5, PAUSE_SECONDS))
    finally:
        os.kill(pid, signal.SIGCONT)


def restart(scene: Scene) -> None:
    """The pool is stopped in good order and started again, in the midst of everything."""
    code = scene.cluster.stop_pool()
    assert code == 0, f"the pool ended with exit code {code}"
    scene.cluster.start_pool()
    scene.cluster.wait_until_ready()


def kill_supervisor(scene: Scene) -> None:
    """kill -9 of the one that starts the others again; they end with it, and an operator starts all anew."""
    scene.cluster.kill_pool()
    scene.cluster.start_pool()
    scene.cluster.wait_until_ready()


def kill_node(number: int, scene: Scene) -> None:
    """kill -9 of a node; it is started again a moment later.

    It forgets what it had not written, which here are some hundred blocks, so the others must have them.
    """
    node = scene.cluster.nodes.all[number]
    scene.cluster.nodes.catch_up()
    node.write_chain()
    node.kill()
    time.sleep(scene.chance.uniform(0, NODE_SECONDS))
    node.start()


def pause_node(number: int, scene: Scene) -> None:
    """A node hangs."""
    node = scene.cluster.nodes.all[number]
    node.pause()
    time.sleep(scene.chance.uniform(0.5, 2 * NODE_SECONDS))
    node.resume()


def cut_node_off(number: int, scene: Scene) -> None:
    """A node has no peers for a while."""
    with scene.cluster.nodes.split(scene.cluster.nodes.all[number]):
        time.sleep(scene.chance.uniform(0.5, NODE_SECONDS))
    scene.cluster.nodes.catch_up()


def make_nodes_forget(scene: Scene) -> None:
    """The pool's nodes take blocks of ours, and are killed before anyone else has them: only the pool can bring them
    back."""
    nodes = scene.cluster.nodes
    with nodes.split(nodes.stranger):
        fork = nodes.stranger.height()
        eventually("blocks of our own", lambda: all(node.height() > fork for node in nodes.of_the_pool))
        scene.load.hold()  # or new ones would take their place
        time.sleep(HELD_SECONDS)
        height = max(node.height() for node in nodes.of_the_pool)
        for node in nodes.of_the_pool:
            node.kill()
    for node in nodes.of_the_pool:
        node.start(at_first=nodes.stranger.address)  # two that know nothing would ask each other
    eventually("what its nodes forgot is in the chain again", lambda: nodes.stranger.height() >= height, BACK_SECONDS)
    for node in nodes.of_the_pool:
        node.reconnect()
    scene.load.go_on()


def reorganize(scene: Scene) -> None:
    """The pool and everyone else go different ways for one to six blocks, and the others' is longer."""
    ours, stranger = scene.cluster.nodes.of_the_pool[0], scene.cluster.nodes.stranger
    depth = scene.chance.randint(1, 6)
    with scene.cluster.nodes.split(stranger):
        fork = stranger.height()
        eventually(f"{depth} blocks of our own", lambda: ours.height() >= fork + depth)
        eventually("one of them is credited", lambda: scene.cluster.credited_height() > fork)
        scene.load.hold()  # or the pool would go on, and its chain stay the longer one
        time.sleep(HELD_SECONDS)
        stranger.mine(ours.height() + 1 - stranger.height())
    scene.cluster.nodes.converge()
    scene.load.go_on()


def race(scene: Scene) -> None:
    """Two blocks at one height, seen first here and there; the next block decides."""
    ours, stranger = scene.cluster.nodes.of_the_pool[0], scene.cluster.nodes.stranger
    with scene.cluster.nodes.split(stranger):
        fork = stranger.height()
        eventually("a block of our own", lambda: ours.height() > fork)
        stranger.mine(1)
    if scene.chance.randrange(2):
        stranger.mine(1)
    scene.cluster.nodes.catch_up()


def flush_redis(scene: Scene) -> None:
    """Redis forgets everything."""
    _tell_redis(scene.cluster, lambda client: client.flushall())


def lose_redis(scene: Scene) -> None:
    """kill -9 of Redis, and the files are gone from which it would have had everything again."""
    pid = eventually("redis runs", lambda: scene.cluster.pid_of("redis"), BACK_SECONDS)
    shutil.rmtree(scene.cluster.paths.redis / "appendonlydir")
    os.kill(pid, signal.SIGKILL)


def read_only_redis(scene: Scene) -> None:
    """Redis takes no writes: it became the replica of a server that is not there."""
    _tell_redis(scene.cluster, lambda client: client.execute_command("REPLICAOF", "127.0.0.1", "1"))
    time.sleep(scene.chance.uniform(0.5, REDIS_SECONDS))
    _tell_redis(scene.cluster, lambda client: client.execute_command("REPLICAOF", "NO", "ONE"))


def redis_without_replicas(scene: Scene) -> None:
    """Redis takes no writes: it wants replicas that are not there."""
    _tell_redis(scene.cluster, lambda client: client.config_set("min-replicas-to-write", 1))
    time.sleep(scene.chance.uniform(0.5, REDIS_SECONDS))
    _tell_redis(scene.cluster, lambda client: client.config_set("min-replicas-to-write", 0))


def full_redis(scene: Scene) -> None:
    """Redis has no memory left."""
    _tell_redis(scene.cluster, lambda client: client.config_set("maxmemory", 1))
    time.sleep(scene.chance.uniform(0.5, REDIS_SECONDS))
    _tell_redis(scene.cluster, lambda client: client.config_set("maxmemory", 0))


def fill_disk(scene: Scene) -> None:
    """The journals' disk is full, down to the last page of the files that are written to."""
    scene.cluster.disk.fill()
    eventually("a miner is sent away", lambda: scene.load.ready < scene.load.size, BACK_SECONDS)
    scene.cluster.disk.mend()


def unwritable_disk(scene: Scene) -> None:
    """The journals' disk fails at each write."""
    _with_bad_disk(scene, scene.cluster.disk.refuse_writes)


def unsyncable_disk(scene: Scene) -> None:
    """The journals' disk fails at each sync."""
    _with_bad_disk(scene, scene.cluster.disk.refuse_syncs)


def kill_on_bad_disk(scene: Scene) -> None:
    """The journals' disk fails at each write, and kill -9 of a stratum role ends what only that remembers; the disk is
    well again when the next one comes."""
    scene.cluster.disk.refuse_writes()
    time.sleep(scene.chance.uniform(0.5, DISK_SECONDS))
    _kill(scene, "stratum")
    scene.cluster.disk.mend()


def start_on_bad_disk(scene: Scene) -> None:
    """kill -9 of a stratum role, and the next one meets a disk that is full, or fails at each write or sync."""
    disk = scene.cluster.disk
    scene.chance.choice([disk.fill, disk.refuse_writes, disk.refuse_syncs])()
    _kill(scene, "stratum")
    time.sleep(scene.chance.uniform(1.0, 2 * DISK_SECONDS))
    disk.mend()


def _with_bad_disk(scene: Scene, spoil: Callable[[], None]) -> None:
    spoil()
    time.sleep(scene.chance.uniform(0.5, DISK_SECONDS))
    scene.cluster.disk.mend()


def hold_database(scene: Scene) -> None:
    """Another program writes to the ledger's database, and takes its time."""
    with scene.cluster.database() as engine, writing(engine):
        time.sleep(scene.chance.uniform(0.5, DATABASE_SECONDS))


def kill_postgresql(scene: Scene) -> None:
    """kill -9 of a process of PostgreSQL: it ends all connections and recovers, as after a crash of the whole."""
    with scene.cluster.database() as engine, reading(engine) as connection:
        others = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        pids = list(connection.execute(text(others)).scalars())
    if pids:
        os.kill(scene.chance.choice(pids), signal.SIGKILL)


def cut_power(scene: Scene) -> None:
    """The machine of the pool stops at once; its disk has what was synced, and any part of the rest."""
    scene.cluster.cut_power(scene.chance.getrandbits(32))
    scene.cluster.start_pool()
    scene.cluster.wait_until_ready()


def step_clock(hours: int, scene: Scene) -> None:
    """The wall clock steps by hours, and back."""
    scene.cluster.clock.step(hours * 3600)
    time.sleep(scene.chance.uniform(0.5, CLOCK_SECONDS))
    scene.cluster.clock.step(0)


def freeze_clock(scene: Scene) -> None:
    """The wall clock stands still."""
    scene.cluster.clock.freeze()
    time.sleep(scene.chance.uniform(0.5, CLOCK_SECONDS))
    scene.cluster.clock.step(0)


def die_at(failpoint: str, scene: Scene) -> None:
    """A role is started so that it kills itself in one place, and again in its next life, then as usual."""
    cluster, role = scene.cluster, FAILPOINTS[failpoint]
    died = cluster.deaths(role)
    cluster.kill_pool()
    cluster.failpoints = f"{failpoint}={scene.chance.randint(1, 12)}"
    cluster.start_pool()
    eventually(f"{role} dies at {failpoint}", lambda: cluster.deaths(role) >= died + FAILPOINT_DEATHS, BACK_SECONDS)
    cluster.kill_pool()
    cluster.failpoints = ""
    cluster.start_pool()
    cluster.wait_until_ready()


def _tell_redis(cluster: Cluster, order: Callable[..., object]) -> None:
    """Again and again, for it may just be starting after a fault before this one."""

    def told() -> bool:
        with contextlib.suppress(RedisError, OSError), contextlib.closing(cluster.redis()) as client:
            order(client)
            return True
        return False

    eventually("Redis takes an order", told, BACK_SECONDS)


# Where a role can be made to die, and which; as far as a pool comes by there all the time. The places of a journal's
# segments, of a mended disk and of payments are those of tests/regtest/test_journal_kill.py and test_payment_kills.py.
FAILPOINTS = {
    "journal-written": "stratum",
    "journal-synced": "stratum",
    "shares-read": "stratum",
    "shares-shipped": "stratum",
    "candidate-sent": "stratum",
    "block-noted": "stratum",
    "job-kept": "work",
    "job-published": "work",
    "candidate-built": "work",
    "candidate-noted": "work",
    "candidate-submitted": "work",
    "candidate-kept": "work",
    "candidate-taken": "work",
    "block-submitted": "work",
    "block-settled": "work",
    "books-written": "accounting",
    "books-committed": "accounting",
    "shares-booked": "accounting",
    "shares-published": "accounting",
}

# By group, as `--faults` names them.
FAULTS: dict[str, dict[str, Fault]] = {
    "kill": {
        **{f"kill {program}": partial(kill_program, program) for program in PROGRAMS},
        **{f"kill node {name}": partial(kill_node, number) for number, name in enumerate(NAMES)},
        "kill two": kill_two,
        "kill everything": kill_supervisor,
    },
    "pause": {f"pause {program}": partial(pause_program, program) for program in PROGRAMS},
    "restart": {"restart": restart},
    "redis": {
        "redis flushed": flush_redis,
        "redis lost": lose_redis,
        "redis read-only": read_only_redis,
        "redis without replicas": redis_without_replicas,
        "redis full": full_redis,
    },
    "node": {
        **{f"node {name} paused": partial(pause_node, number) for number, name in enumerate(NAMES)},
        **{f"node {name} cut off": partial(cut_node_off, number) for number, name in enumerate(NAMES)},
        "nodes forget": make_nodes_forget,
    },
    "fork": {"reorganization": reorganize, "orphan race": race},
    "disk": {
        "disk full": fill_disk,
        "disk unwritable": unwritable_disk,
        "disk unsyncable": unsyncable_disk,
        "kill on bad disk": kill_on_bad_disk,
        "start on bad disk": start_on_bad_disk,
    },
    "clock": {
        "clock an hour ahead": partial(step_clock, 1),
        "clock an hour behind": partial(step_clock, -1),
        "clock frozen": freeze_clock,
    },
    "database": {"database held": hold_database},
    "postgresql": {"kill postgresql": kill_postgresql},
    "power": {"power cut": cut_power},
    "failpoint": {f"failpoint {name}": partial(die_at, name) for name in FAILPOINTS},
}


def groups_for(database: str, journal_mode: str) -> list[str]:
    """The groups that make sense with a database and a mode of the journal."""
    without = {"postgresql"} - {database} | ({"power"} if journal_mode != "fsync" else set())
    return [group for group in FAULTS if group not in without]


def named(wanted: Iterable[str]) -> dict[str, Fault]:
    """The faults of these groups, or of these names. Raises KeyError for what is neither."""
    every = {name: fault for group in FAULTS.values() for name, fault in group.items()}
    return {name: every[name] for each in wanted for name in FAULTS.get(each, [each])}
