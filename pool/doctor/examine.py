"""All probes at once: none waits for another, and the slowest sets the time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import native
from pool.config import Config
from pool.doctor.doors import look_at_certificate, look_at_doors, look_at_page
from pool.doctor.finding import Finding, Health, bad, good
from pool.doctor.nodes import look_at_address, look_at_node
from pool.doctor.stores import look_at_database, look_at_folder, look_at_redis
from pool.machine import ThisMachine
from pool.ports import Clock
from pool.preflight import refusals
from pool.roles.work import rpc_settings


def examine(config: Config, clock: Clock) -> list[Finding]:
    """Everything that a pool with this configuration stands on, as it is now on this machine."""
    settings = rpc_settings(config)
    probes: list[Callable[[], Iterable[Finding]]] = [
        lambda: look_at_machine(config),
        lambda: look_at_folder(config),
        lambda: look_at_database(config),
        lambda: look_at_redis(config),
        *(
            lambda index=index, node=node: look_at_node(config, index, node, clock)
            for index, node in enumerate(settings)
        ),
        lambda: look_at_address(config, settings[0]),
        lambda: look_at_certificate(config, clock),
        lambda: look_at_doors(config),
        lambda: look_at_page(config),
    ]
    with ThreadPoolExecutor(len(probes)) as threads:
        return [finding for found in threads.map(lambda probe: list(probe()), probes) for finding in found]


def look_at_machine(config: Config) -> list[Finding]:
    """What a pool of the main chain would not start with, and how it hashes."""
    found = [bad(f"start: {each.risk}", each.text, "") for each in refusals(config, ThisMachine())]
    if not native.COMPILED:
        text = "the compiled hashing is missing: a share would cost about a hundred times as much"
        found.append(bad("hashing", text, "pip install . builds it"))
    else:
        found.append(good("hashing", native.SHA256_IMPLEMENTATION))
    return found or [good("start", "nothing stands against it")]


def worst(found: Sequence[Finding]) -> Health:
    order = list(Health)
    return max((each.health for each in found), key=order.index, default=Health.GOOD)
