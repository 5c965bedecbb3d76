"""A pool with its journals on disk, its books and its statistics; shares are those of `tests.payout.scene`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import msgspec
from sqlalchemy import Engine

from payout.intake import Rules
from pool.journal.format import Group, Header, encode_frame
from pool.journal.segments import create
from pool.ports import Record, ShareBatch
from pool.rebuild.comparison import Report
from pool.rebuild.journals import Journals
from pool.rebuild.rebuild import Live, rebuild
from pool.stats.tally import Snapshot, Tallies
from tests.databases import fresh
from tests.payout.scene import RULES, Scene

ONE, TWO = "1" * 16, "2" * 16
"""Names of journals."""


def group_of(records: Iterable[Record], first_seq: int) -> Group:
    payloads = [msgspec.msgpack.encode(record) for record in records]
    return Group(first_seq, len(payloads), b"".join(payloads))


def write_journal(folder: Path, frontend: str, groups: Iterable[Group]) -> None:
    """A journal as a stratum process leaves it."""
    folder.mkdir(parents=True)
    (folder / "frontend").write_text(f"{frontend}\n")
    frames = list(groups)
    first_seq = frames[0].first_seq if frames else 1
    create(folder, Header(1, first_seq, frontend), b"".join(map(encode_frame, frames))).close()


class FakeTallies:
    """What Redis holds of each journal."""

    def __init__(self) -> None:
        self.shown: dict[str, tuple[int, Snapshot] | None] = {}

    def frontends(self) -> list[str]:
        return sorted(self.shown)

    def tallies_of(self, frontend: str) -> tuple[int, Snapshot] | None:
        return self.shown[frontend]


class Pool:
    """Records go into a journal and from there into the books; `rebuild` computes these again."""

    def __init__(self, folder: Path, engine: Engine, empty: bytes, rules: Rules = RULES) -> None:
        """empty: a database file without a row."""
        self.folder = folder
        self.scene = Scene(engine, rules)
        self.rules = rules
        self.tallies = FakeTallies()
        self._empty = empty
        self._groups: dict[str, list[Group]] = {}
        self._folds: dict[str, Tallies] = {}

    def write(self, *records: Record, frontend: str = ONE) -> ShareBatch:
        """Journal a group; returns it as it would be shipped alone."""
        groups = self._groups.setdefault(frontend, [])
        group = group_of(records, groups[-1].last_seq + 1 if groups else 1)
        groups.append(group)
        tallies = self._folds.setdefault(frontend, Tallies())
        tallies.fold(group.payload, group.count)
        self.tallies.shown[frontend] = group.last_seq, tallies.snapshot()
        return ShareBatch(frontend, group.first_seq, group.count, group.payload)

    def take(self, *records: Record, frontend: str = ONE) -> None:
        """Journal a group and take it into the books."""
        assert not self.scene.accounting.take(self.write(*records, frontend=frontend)).gap

    def journals(self) -> Journals:
        """What is on disk."""
        for frontend, groups in self._groups.items():
            folder = self.folder / "journal" / frontend[:1]
            if not folder.exists():
                write_journal(folder, frontend, groups)
        return Journals([self.folder / "journal"])

    def rebuild(self) -> Report:
        with fresh(self._empty) as engine:
            return self.rebuild_into(engine)

    def rebuild_into(self, empty: Engine) -> Report:
        live = Live(self.scene.engine, self.tallies, self.scene.chain)
        return rebuild(live, self.journals(), empty, self.rules, lambda *_: None)

    def tamper(self, change: str) -> None:
        """Change the live books behind everybody's back, without the triggers that would refuse it."""
        self.scene.engine.dispose()
        with closing(sqlite3.connect(str(self.scene.engine.url.database))) as books, books:
            for (trigger,) in books.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                books.execute(f"DROP TRIGGER {trigger}")
            assert books.execute(change).rowcount


def differences(report: Report) -> dict[str, list[str]]:
    """What differs, by the kind of thing."""
    return {check.what: check.differences for check in report.checks if check.different}
