"""What a run leaves in its folder: summary, picture, both ledgers as tables, and the fleet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from payout.store.ledger import SqlLedger
from pool.bitcoin.network import MAIN
from pool.bitcoin.script import address_of
from pool.fleet.slices import SliceTable
from pool.fleet.table_files import export
from pool.fleet.times import utc
from pool.reports.document import html, text
from pool.reports.papers import paper_of
from pool.reports.relocation import BEFORE_MS, Marks, Relocation
from pool.roles.reports import Reports
from pool.scenario.bit_mining.case import DARK_MS, ENDS_MS, FLEET, LOTS, Case
from pool.scenario.bit_mining.figures import Figures, figures, shown, words
from pool.scenario.bit_mining.measured import hours
from pool.scenario.bit_mining.network import POOL_SCRIPT
from pool.scenario.bit_mining.paid import Paid, PaidBlock, paid
from pool.scenario.bit_mining.picture import picture
from pool.scenario.bit_mining.play import Played, play
from pool.scenario.bit_mining.register import slices_of
from pool.store.fleets import SqlFleets
from pool.store.sql import reading

_CONFIG = """\
# No pool runs on this folder: it is for the commands that read books, such as
#   steppe audit -c steppe.toml
#   steppe statement bitmining -c steppe.toml
#   steppe move show ganzi-b1 -c steppe.toml
[pool]
chain = "main"
payout_address = "{address}"
data_dir = "."

[[node]]
url = "http://127.0.0.1:8332"
cookie_file = "none"
"""


class OutRefused(ValueError):
    """Nothing is written there. The text says why, and where else."""


def run(case: Case, out: Path, tell: Callable[[float], None]) -> Figures:
    """Play the case and leave all of it in a folder that is new or empty: whole, or nothing.

    tell: hears which part of the time is over; what it raises ends the run. Raises OutRefused, OSError.
    """
    _check(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as unfinished:
        folder = Path(unfinished) / out.name
        folder.mkdir()
        played = play(case, folder, tell)
        try:
            told = write(played, folder)
            if broken := [finding for each in played.books for finding in each.audit()]:
                raise OutRefused(f"the ledgers are not sound: {broken[0]}")
        finally:
            for each in played.books:
                each.close()
        tell(1.0)  # whoever wants it stopped may say so now for the last time
        folder.replace(out)  # over an empty folder too
    return told


def _check(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise OutRefused(f"{out} is a file: name a new folder with --out")
    if out.is_dir() and any(out.iterdir()):
        raise OutRefused(f"{out} is not empty, and nothing in it is overwritten: name a new folder with --out")


def write(played: Played, out: Path) -> Figures:
    """All files but journal and ledgers, which are there; each has the same bytes whenever the case is the same."""
    found = hours(played.journal)
    with reading(played.books[0].engine) as connection:
        table = slices_of(connection)
        fleet = export(SqlFleets(connection).register())
    pplns, pps = (paid(each.ledger) for each in played.books)
    told = figures(played, found, table, pplns, pps)
    _put(out / "summary.txt", "\n".join(words(told)) + "\n")
    _put(out / "summary.json", _json(told))
    _put(out / "hashrate.svg", picture(shown(played, found, table, pplns, pps)))
    reports = Reports(played.books[0].engine, played.case.ends_ms)
    for leaving in played.leaving:
        _report(out / "moves" / leaving.move.name, reports.relocation(leaving.move.name))
    for name, page in fleet.items():
        _put(out / "fleet" / name, page)
    for each, what in zip(played.books, (pplns, pps), strict=True):
        folder = out / each.way.name
        _put(folder / "steppe.toml", _CONFIG.format(address=address_of(POOL_SCRIPT, MAIN)))
        _put(folder / "ledger.csv", _ledger(each.ledger))
        _put(folder / "balances.json", _json(what.balances_sat))
        _put(folder / "blocks.csv", _blocks(what, table))
        _put(folder / "blocks.json", _json(what.blocks))
        fleets = Reports(each.engine, played.case.ends_ms)
        _report(folder / "relocation", fleets.fleet_relocation(FLEET, _MARKS))
    return told


_MARKS = Marks(DARK_MS - BEFORE_MS, DARK_MS, LOTS[-1].on_ms + LOTS[-1].ramp_ms, ENDS_MS)
"""Of the whole fleet, from a week before the old site was dark until the last batch was in place."""


def _report(path: Path, made: Relocation) -> None:
    """As text, as JSON, and as a page that prints."""
    paper = paper_of(made)
    _put(path.with_suffix(".txt"), "\n".join(text(paper)) + "\n")
    _put(path.with_suffix(".json"), _json(made))
    _put(path.with_suffix(".html"), html(paper))


def _put(path: Path, content: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(content, encoding="utf-8", newline="")


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value)).decode() + "\n"


def _table(header: tuple[str, ...], rows: Iterator[tuple[object, ...]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def _ledger(ledger: SqlLedger) -> str:
    """A line for each entry; those of a row add up to 0."""

    def lines() -> Iterator[tuple[object, ...]]:
        with ledger.read() as books:
            for row in books.journal.rows():
                posted = row.posting
                for entry in posted.entries:
                    yield (
                        row.id, utc(posted.time_ms), posted.kind, posted.key, entry.account, entry.amount_sat,
                        row.hash.hex(),
                    )  # fmt: skip

    return _table(("row", "time", "kind", "key", "account", "amount_sat", "hash"), lines())


def _blocks(what: Paid, table: SliceTable) -> str:
    """A line for each party of each slice of each block, and for what the pool keeps of it."""
    assigned = {each.slice_id: each for each in table.assignments}

    def of_block(block: PaidBlock) -> Iterator[tuple[str, str, str, int]]:
        for each in block.slices:
            slice_ = assigned.get(each.slice_id)
            where = ("", "") if slice_ is None else (slice_.batch, slice_.site)
            for party, sat in sorted(each.parties_sat.items()):
                if sat:
                    yield (*where, party, sat)
            for what, sat in (("pool fee", each.fee_sat), ("reserve", each.bought_sat)):
                if sat:
                    yield (*where, what, sat)

    def lines() -> Iterator[tuple[object, ...]]:
        for block in what.blocks:
            for row in of_block(block):
                yield (block.height, utc(block.found_ms), block.hash, block.state, *row)

    return _table(("height", "found", "hash", "state", "batch", "site", "party", "amount_sat"), lines())
