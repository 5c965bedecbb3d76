"""A whole fleet as CSV: a file for each kind of fact, a column for each field.

What is read can be written again, character for character. A cell that a spreadsheet would take for a formula begins
with an apostrophe, which is taken off again.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping

from pool.fleet.cells import columns, from_cells, write_cell
from pool.fleet.facts import Fact, FleetRefused
from pool.fleet.kinds import KINDS
from pool.fleet.register import Entry, Mistake, Register

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")

CELL_CHARACTERS_MAX = 2_000


def export(register: Register) -> dict[str, str]:
    """The text of each file by its name; kinds without a row have none."""
    files = {}
    for name, kind in KINDS.items():
        rows = [fact for fact in register.known(kind) if not fact.is_withdrawn]
        if rows:
            files[f"{name}.csv"] = _text(kind, sorted(rows, key=lambda fact: (fact.key, fact.valid_from_ms)))
    return files


def read(files: Mapping[str, str]) -> tuple[list[Entry], list[Mistake]]:
    """The rows of files by their names, and every mistake in them."""
    entries: list[Entry] = []
    mistakes: list[Mistake] = []
    for file in sorted(files):
        kind = KINDS.get(file.removesuffix(".csv")) if file.endswith(".csv") else None
        if kind is None:
            known = ", ".join(f"{name}.csv" for name in KINDS)
            mistakes.append(Mistake(file, f"there is no such kind; the files are {known}"))
            continue
        for found in _rows(file, kind, files[file]):
            if isinstance(found, Entry):
                entries.append(found)
            else:
                mistakes.append(found)
    return entries, mistakes


def _text(kind: type[Fact], rows: Iterable[Fact]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = columns(kind)
    writer.writerow(names)
    for fact in rows:
        writer.writerow([_safe(write_cell(fact, name)) for name in names])
    return out.getvalue()


def _rows(file: str, kind: type[Fact], text: str) -> Iterator[Entry | Mistake]:
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    wanted = columns(kind)
    try:
        header = [name.strip() for name in next(reader, [])]
        if sorted(header) != sorted(wanted):
            yield Mistake(f"{file} line 1", _wrong(header, wanted))
            return
        for cells in reader:
            place = f"{file} line {reader.line_num}"
            if not any(cells):
                continue
            yield _row(place, kind, header, cells)
    except csv.Error as error:
        yield Mistake(f"{file} line {reader.line_num}", f"this is no CSV ({error}); write it as a spreadsheet does")


def _row(place: str, kind: type[Fact], header: list[str], cells: list[str]) -> Entry | Mistake:
    if len(cells) != len(header):
        return Mistake(place, f"it has {len(cells)} cells, the first line names {len(header)}; add or remove some")
    for name, cell in zip(header, cells, strict=True):
        if len(cell) > CELL_CHARACTERS_MAX:
            return Mistake(place, f"{name} has {len(cell)} characters; at most {CELL_CHARACTERS_MAX} are allowed")
    said = {name: _meant(cell) for name, cell in zip(header, cells, strict=True)}
    try:
        return Entry(place, from_cells(kind, said))
    except FleetRefused as refused:
        return Mistake(place, str(refused))


def _wrong(header: list[str], wanted: list[str]) -> str:
    lacks = [name for name in wanted if name not in header]
    extra = [name for name in header if name not in wanted]
    twice = sorted({name for name in header if header.count(name) > 1})
    found = [
        f"{what} {', '.join(map(repr, names))}"
        for what, names in (("lacks", lacks), ("does not know", extra), ("has twice", twice))
        if names
    ]
    return f"the columns are wrong: it {'; it '.join(found)}. Write {','.join(wanted)}"


def _safe(cell: str) -> str:
    return "'" + cell if cell.startswith(_FORMULA) else cell


def _meant(cell: str) -> str:
    return cell[1:] if cell.startswith("'") else cell
