"""The program: all roles under one supervisor, or one of them alone.

What a role needs is read when it is its turn: one that works alone has nothing of the others in memory, and is back
sooner.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import native
from pool import events, logs
from pool.config import Config
from pool.machine import ThisMachine
from pool.paths import Paths
from pool.preflight import describe, refusals
from pool.roles.own_redis import redis_program
from pool.service_manager import ServiceManager
from pool.supervisor import EXIT_CONFIGURATION, CannotSupervise, Program, stop_signals, supervise

if TYPE_CHECKING:
    from pool.roles.twisted_role import Role

ROLES = ("work", "stratum", "accounting", "web")


def refusals_of(config: Config) -> list[str]:
    """Why this pool does not start on this machine, in lines for an operator; empty if it may."""
    paths = Paths(Path(config.pool.data_dir))
    if paths.restoring.exists():
        return [
            f"pool.data_dir: {paths.restoring} is left of a restore that did not end, so something is missing: "
            "type `steppe restore` with that backup again, which ends it"
        ]
    return list(describe(refusals(config, ThisMachine())))


def run_all(config: Config, file: Path) -> int:
    """Run all roles, and Redis if none is configured, until SIGINT or SIGTERM; returns the exit code."""
    prepare(config)
    logs.begin(sys.stderr, "supervisor")
    programs = [program for role in ROLES for program in _programs(config, file, role)]
    with stop_signals() as stop:
        try:
            if (redis := redis_program(config)) is not None:
                programs.insert(0, redis)
            supervise(programs, signals=stop, manager=ServiceManager(os.environ))
        except CannotSupervise as error:
            events.cannot_go_on(str(error))
            return EXIT_CONFIGURATION
    return 0


def _programs(config: Config, file: Path, role: str) -> Iterator[Program]:
    """The processes of a role: one, but of stratum as many as are configured."""
    paths = Paths(Path(config.pool.data_dir))
    # A role that starts again must not end the pool for what was no reason at its start.
    command = (sys.executable, "-m", "pool", "run", "--role", role, "--checked", "-c", str(file))
    if role != "stratum":
        yield Program(role, command, paths.log(role))
        return
    for number in range(config.stratum.processes):
        name = process_name(role, number)
        yield Program(
            name,
            (*command, "--process", str(number)),
            paths.log(name),
            reloads=True,
            drain_seconds=config.stratum.drain_seconds,
        )


def process_name(role: str, number: int) -> str:
    """What a process is called in logs: a first one as its role."""
    return f"{role}-{number}" if number else role


def facts(config: Config) -> list[str]:
    """What an operator wants to see when the pool starts."""
    paths = Paths(Path(config.pool.data_dir))
    return [
        f"Steppe {version('steppe')} on {config.pool.chain}, hashing with {native.SHA256_IMPLEMENTATION}",
        f"blocks pay {config.pool.payout_address}",
        *(f"miners: stratum+tcp://{listen}" for door in config.stratum.doors(config.port) for listen in door.listen),
        *(["miners: the same doors take TLS"] if config.stratum.tls_certificate else []),
        f"page: http://{config.web.listen}/",
        f"operators: http://{config.web.admin_listen}/ (the first password: steppe operator password -c FILE)",
        *(f"node: {node.url}" for node in config.node),
        f"logs: {paths.logs}",
    ]


def run_role(config: Config, role: str, number: int = 0) -> int:
    """Run one role in this process until SIGINT or SIGTERM; returns the exit code.

    number: which of several stratum processes it is, from 0.
    """
    prepare(config)
    logs.begin(sys.stderr, process_name(role, number))
    if (reason := _slow_hashing(config)) is not None:
        events.role_cannot_start(role, reason)
        return EXIT_CONFIGURATION
    if role == "accounting":
        from pool.roles import accounting

        with stop_signals() as stop:
            return accounting.run(config, stop)
    from pool.roles import twisted_role

    return twisted_role.run(role, _builder(config, role, number))


def prepare(config: Config) -> None:
    """Make the data folder, for the pool's user alone."""
    paths = Paths(Path(config.pool.data_dir))
    paths.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths.logs.mkdir(mode=0o700, exist_ok=True)


def _slow_hashing(config: Config) -> str | None:
    """Why hashing is too slow to start with; None when it is not."""
    if native.COMPILED or config.pool.allow_slow_hashing:
        return None
    return (
        "the compiled hashing is missing, and without it a share costs about a hundred times as much: "
        "build it (`pip install .`), or set pool.allow_slow_hashing for a test"
    )


def _builder(config: Config, role: str, number: int) -> Callable[[Any, asyncio.AbstractEventLoop], Role]:
    """What builds the parts of a Twisted role, once its reactor is there."""

    def build(reactor: Any, loop: asyncio.AbstractEventLoop) -> Role:
        if role == "work":
            from pool.roles.work import WorkRole

            return WorkRole(config, reactor, loop)
        if role == "stratum":
            from pool.roles.stratum import StratumRole

            return StratumRole(config, reactor, loop, number)
        from pool.roles.web import WebRole

        return WebRole(config, reactor, loop)

    return build
