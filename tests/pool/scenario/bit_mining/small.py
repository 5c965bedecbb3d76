"""The case with a machine for every two hundred, and what its journal and ledgers say."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from pool.fleet.slices import SliceTable
from pool.scenario.bit_mining.case import DAY_MS, Case, case_of
from pool.scenario.bit_mining.measured import Hour, hours
from pool.scenario.bit_mining.paid import Paid, paid
from pool.scenario.bit_mining.play import Played, play
from pool.scenario.bit_mining.register import slices_of
from pool.store.sql import reading

SCALE = 200


class Small(Struct):
    """What was played, read again."""

    out: Path
    played: Played
    hours: list[Hour]
    table: SliceTable
    pplns: Paid
    pps: Paid


def case(seed: int = 2021) -> Case:
    """A step is four days: what a step costs is mostly its transactions."""
    return replace(case_of(seed, SCALE), step_ms=4 * DAY_MS)


def small(out: Path) -> Small:
    out.mkdir()
    played = play(case(), out, lambda _: None)
    with reading(played.books[0].engine) as connection:
        table = slices_of(connection)
    pplns, pps = (paid(each.ledger) for each in played.books)
    return Small(out, played, hours(played.journal), table, pplns, pps)
