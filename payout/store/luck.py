"""What groups of machines found, in SQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, bindparam, func, insert, select, update

from payout.luck import NOTHING, OTHER, Group, Kind, Tally, pack, unpack
from payout.store.statements import chunks
from payout.withholding import TOLD, Test, Verdict
from pool.store.watch_tables import luck_group, luck_test

FIRMWARES_MAX = 200
"""Whoever invents more names than that is counted under "other"."""


class BandReport(Struct, frozen=True):
    """A band: hashes up to 2^band times the network's target, and above half of that. expected: rounded for people;
    probability: of so few by luck alone."""

    band: int
    expected: str
    found: int
    probability: str


class TestReport(Struct, frozen=True):
    """A group at a checkpoint. told: the verdict in words."""

    kind: str
    name: str
    checkpoint: int
    time_ms: int
    groups: int
    verdict: str
    told: str
    bands: tuple[BandReport, ...]


class GroupReport(Struct, frozen=True):
    """A group as it stands. test: the newest, if there was one."""

    kind: str
    name: str
    expected_blocks: str
    blocks: int
    test: TestReport | None


class SqlLuck:
    """Satisfies payout.ports.LuckBooks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, sums: Mapping[Group, Tally]) -> None:
        """Count further shares."""
        if not sums:
            return
        before = self._read(sums)
        fresh = [group for group in sums if group not in before]
        if any(group.kind is Kind.FIRMWARE for group in fresh):
            sums = self._capped(sums, before)
            before = self._read(sums)
        inserts: list[dict[str, Any]] = []
        updates: list[dict[str, Any]] = []
        for group, more in sums.items():
            tally = before.get(group, NOTHING).plus(more)
            row = {"of_kind": group.kind.value, "of_name": group.name, "new_tally": pack(tally)}
            (updates if group in before else inserts).append(row)
        if inserts:
            self._connection.execute(_INSERT, inserts)
        if updates:
            self._connection.execute(_UPDATE, updates)

    def tallies(self) -> dict[Group, Tally]:
        """All groups."""
        return {Group(Kind(row.kind), row.name): unpack(row.tally) for row in self._connection.execute(_ALL)}

    def tested(self) -> dict[Group, int]:
        """The newest checkpoint of each group that was tested."""
        newest = select(luck_test.c.kind, luck_test.c.name, func.max(luck_test.c.checkpoint).label("checkpoint"))
        rows = self._connection.execute(newest.group_by(luck_test.c.kind, luck_test.c.name))
        return {Group(Kind(row.kind), row.name): row.checkpoint for row in rows}

    def keep(self, test: Test, time_ms: int) -> None:
        """A group was tested."""
        self._connection.execute(
            insert(luck_test).values(
                kind=test.group.kind.value,
                name=test.group.name,
                checkpoint=test.checkpoint,
                time_ms=time_ms,
                groups=test.groups,
                verdict=test.verdict.value,
                bands=msgspec.json.encode(_bands(test)).decode(),
            )
        )

    def tests(self) -> list[TestReport]:
        """The newest test of each group, by kind and name."""
        rows = self._connection.execute(select(luck_test).order_by(luck_test.c.checkpoint))
        newest = {(row.kind, row.name): _test(row) for row in rows}
        return [newest[key] for key in sorted(newest)]

    def report(self) -> list[GroupReport]:
        """Every group, by kind and name."""
        tests = {(test.kind, test.name): test for test in self.tests()}
        return [
            GroupReport(group.kind, group.name, _told(tally), tally.blocks, tests.get((group.kind, group.name)))
            for group, tally in sorted(self.tallies().items())
        ]

    def _read(self, groups: Collection[Group]) -> dict[Group, Tally]:
        found: dict[Group, Tally] = {}
        for kind in Kind:
            for chunk in chunks([group.name for group in groups if group.kind is kind]):
                wanted = _ALL.where(luck_group.c.kind == kind.value, luck_group.c.name.in_(chunk))
                rows = self._connection.execute(wanted)
                found.update((Group(kind, row.name), unpack(row.tally)) for row in rows)
        return found

    def _capped(self, sums: Mapping[Group, Tally], before: Collection[Group]) -> dict[Group, Tally]:
        """The sums, firmwares beyond the most that are counted under another name."""
        counted = select(func.count()).where(luck_group.c.kind == Kind.FIRMWARE.value)
        room = FIRMWARES_MAX - int(self._connection.execute(counted).scalar_one())
        capped: dict[Group, Tally] = {}
        for group, tally in sums.items():
            known = group.kind is not Kind.FIRMWARE or group in before
            if not known and room <= 0:
                group = Group(Kind.FIRMWARE, OTHER)
            elif not known:
                room -= 1
            capped[group] = capped.get(group, NOTHING).plus(tally)
        return capped


_ALL = select(luck_group)
_INSERT = insert(luck_group).values(kind=bindparam("of_kind"), name=bindparam("of_name"), tally=bindparam("new_tally"))
_UPDATE = (
    update(luck_group)
    .where(luck_group.c.kind == bindparam("of_kind"), luck_group.c.name == bindparam("of_name"))
    .values(tally=bindparam("new_tally"))
)


def _told(tally: Tally) -> str:
    thousandths = round(tally.expected_blocks * 1000)
    return f"{thousandths // 1000}.{thousandths % 1000:03}"


def _bands(test: Test) -> list[BandReport]:
    found = []
    for band in test.bands:
        thousandths = round(band.expected * 1000)
        expected = f"{thousandths // 1000}.{thousandths % 1000:03}"
        found.append(BandReport(band.band, expected, band.found, f"{band.probability:.6E}"))
    return found


def _test(row: Any) -> TestReport:
    bands = msgspec.json.decode(row.bands, type=tuple[BandReport, ...])
    told = TOLD[Verdict(row.verdict)]
    return TestReport(row.kind, row.name, row.checkpoint, row.time_ms, row.groups, row.verdict, told, bands)
