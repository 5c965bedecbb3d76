"""The desk where operators say what their fleets are: `pool.fleet` on the configured database. A site's end of power
that they enter opens the moves that follow from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Engine

from payout.charges import Charged
from payout.store.ledger import errors_of_ours
from pool import fleet_events
from pool.config import Config
from pool.fleet.cells import columns, from_cells
from pool.fleet.checks import LEAD_MS
from pool.fleet.facts import Fact, FleetRefused
from pool.fleet.kinds import KINDS, Assignment, SiteEvent
from pool.fleet.notices import Said, heed
from pool.fleet.register import Entry, Register
from pool.fleet.slices import SliceTable, unmatched
from pool.fleet.table_files import export, read
from pool.fleet.times import utc
from pool.fleet.views import UnmatchedView
from pool.roles.clock import SystemClock
from pool.roles.database import open_database
from pool.roles.energy import charge
from pool.roles.redis_link import open_redis
from pool.store.drafts import SqlDrafts
from pool.store.fleets import EntriesRefused, SqlFleets
from pool.store.moves import SqlMoves
from pool.store.sql import reading, writing

FILE_BYTES_MAX = 64 * 1024 * 1024
_SOON_MS = LEAD_MS + 5_000


def read_register(engine: Engine) -> Register:
    """All that is known now. Raises LedgerUnavailable."""
    with errors_of_ours(engine), reading(engine) as connection:
        return SqlFleets(connection).register()


@contextmanager
def open_fleets(config: Config) -> Iterator[FleetDesk]:
    """The desk for a moment."""
    Path(config.pool.data_dir).mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = open_database(config)
    try:
        yield FleetDesk(config, engine)
    finally:
        engine.dispose()


class Entered(Struct, frozen=True):
    """What an entry came to. facts: the rows that are new, or that ended because of it; moves: what it means for moves,
    in words."""

    facts: list[Fact]
    moves: list[str]


class FleetDesk:
    """One operator's command, or several. Methods raise FleetRefused, EntriesRefused, LedgerUnavailable."""

    def __init__(self, config: Config, engine: Engine) -> None:
        self._config = config
        self._engine = engine
        self.now_ms = SystemClock().time_ms()

    def register(self) -> Register:
        """All that is known now."""
        return read_register(self._engine)

    def enter(self, entries: Sequence[Entry]) -> Entered:
        """Record all of them, or none. A notice that is among them opens a move of the machines that it concerns."""
        with errors_of_ours(self._engine), writing(self._engine) as connection:
            facts = SqlFleets(connection).record(entries, self.now_ms)
            said = _heeded(connection, facts, self.now_ms)
        for each in said:
            _log(each)
        return Entered(facts, [each.text for each in said])

    def enter_cells(self, kind_name: str, cells: Mapping[str, str]) -> Entered:
        """Record one fact, whose fields are said as in a cell of a file. Without `valid_from` it holds from now on, an
        assignment as soon as it can: every stratum process must know it before it begins."""
        kind = KINDS[kind_name]
        soon_ms = self.now_ms + (_SOON_MS if kind is Assignment else 0)
        said = {**dict.fromkeys(columns(kind), ""), **cells}
        said["valid_from"] = said["valid_from"] or utc(soon_ms)
        return self.enter([Entry(kind_name, from_cells(kind, said))])

    def end(self, kind: type[Fact], number: int, at_ms: int, source: str) -> Entered:
        """Let a row end; at its beginning, so that it never held."""
        row = self.register().row(kind, number)
        if row is None:
            raise FleetRefused(f"there is no row {number}; the list shows the numbers")
        ended = replace(row, valid_to_ms=at_ms, replaces=number, source=source or row.source)
        return self.enter([Entry(f"row {number}", ended)])

    def export_files(self) -> dict[str, str]:
        """The text of a CSV file for each kind, by its name."""
        return export(self.register())

    def export_to(self, folder: Path) -> list[str]:
        """Write a CSV for each kind; the names of the files. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        files = self.export_files()
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8", newline="")
        return sorted(files)

    def import_from(self, folder: Path) -> Entered:
        """Record what the CSV files of a folder say, all of it or nothing. Raises OSError."""
        files = {path.name: _text(path) for path in sorted(folder.glob("*.csv"))}
        if not files:
            raise FleetRefused(f"{folder}: there is no CSV file in it; `steppe fleet export` shows how they look")
        return self.import_files(files)

    def import_files(self, files: Mapping[str, str]) -> Entered:
        """Record what CSV files say, by their names; all of it or nothing."""
        entries, mistakes = read(files)
        if mistakes:
            raise EntriesRefused(mistakes)
        return self.enter(entries)

    def unmatched(self) -> list[UnmatchedView]:
        """Workers at work that no assignment fits. Raises StoreUnavailable."""
        logins = [row.name for row in open_redis(self._config).read_workers(self.now_ms)]
        with errors_of_ours(self._engine), reading(self._engine) as connection:
            table = SliceTable(SqlFleets(connection).assignments())
        parts = [(login.partition(".")[0], login.partition(".")[2]) for login in logins]
        return [UnmatchedView(*each) for each in unmatched(table, parts, self.now_ms)]

    def charge(self) -> Charged:
        """Charge readings of meters, and take what balances cover."""
        return charge(self._engine, self.now_ms)


def _heeded(connection: Connection, facts: Sequence[Fact], now_ms: int) -> list[Said]:
    """What the moves and their drafts make of what was just recorded."""
    if not any(isinstance(each, SiteEvent | Assignment) for each in facts):
        return []
    drafts = SqlDrafts(connection)
    moves = [kept.move for kept in SqlMoves(connection).every()]
    said = heed(SqlFleets(connection).register(), facts, drafts.every(), moves, now_ms)
    for each in said:
        if each.draft is not None:
            drafts.keep(each.draft)
    return said


def _log(said: Said) -> None:
    if said.is_warning:
        fleet_events.move_overtaken(said.text)
    elif said.draft is not None:
        draft = said.draft
        step = draft.events[-1].step.value
        fleet_events.move_draft(
            draft.name, step, draft.site, draft.account, draft.pattern, draft.deadline_ms, said.text
        )


def _text(path: Path) -> str:
    if path.stat().st_size > FILE_BYTES_MAX:
        raise FleetRefused(f"{path.name}: it is larger than {FILE_BYTES_MAX} bytes; enter it in parts")
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise FleetRefused(f"{path.name}: byte {error.start} is not UTF-8; save the file as CSV in UTF-8") from error
