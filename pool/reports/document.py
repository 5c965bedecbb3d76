"""A report as people read it: lines of text, or one page of HTML that prints, with nothing from elsewhere in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from msgspec import Struct

from pool.fleet.times import utc
from pool.reports.figures import hashrate, kilowatts


class Table(Struct, frozen=True):
    """Rows under a heading. note: what a reader must know of them."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


class Line(Struct, frozen=True):
    """A line of a chart: of steps that begin at a time, their values, as (time, value)."""

    name: str
    points: tuple[tuple[int, int], ...]


class Chart(Struct, frozen=True):
    """Values over time, none negative. marks: moments that a reader looks for, as (time, what)."""

    title: str
    unit: str
    lines: tuple[Line, ...]
    marks: tuple[tuple[int, str], ...] = ()


class Document(Struct, frozen=True):
    """A whole report. facts: its head, as (what, value)."""

    title: str
    facts: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]
    charts: tuple[Chart, ...] = ()


def is_number(cell: str) -> bool:
    """Whether it belongs to the right of its column: a number, an amount, a duration, a range."""
    return _NUMBER.fullmatch(cell) is not None


def with_columns_that_say_something(table: Table) -> Table:
    """Without columns that are empty in every row; the first, which names the rows, stays."""
    kept = [place for place in range(len(table.columns)) if not place or any(row[place] for row in table.rows)]
    if not table.rows or len(kept) == len(table.columns):
        return table
    rows = tuple(tuple(row[place] for place in kept) for row in table.rows)
    return Table(table.title, tuple(table.columns[place] for place in kept), rows, table.note)


def text(document: Document) -> Iterator[str]:
    """For a terminal: tables with their columns under each other."""
    yield document.title
    yield from (f"  {what}: {value}" for what, value in document.facts)
    for table in document.tables:
        yield ""
        yield table.title + ("" if table.rows else ": none")
        if table.note:
            yield f"  {table.note}"
        if not table.rows:
            continue
        lines = [table.columns, *table.rows]
        places = range(len(table.columns))
        widths = [max(len(line[place]) for line in lines) for place in places]
        right = [all(is_number(row[place]) for row in table.rows if row[place]) for place in places]
        for line in lines:
            cells = [
                line[place].rjust(widths[place]) if right[place] else line[place].ljust(widths[place])
                for place in places
            ]
            yield f"  {'  '.join(cells)}".rstrip()


def html(document: Document) -> str:
    """One file for a browser or a printer. Every name in it may be hostile: all is escaped, and scripts are off."""
    return "\n".join(_page(document)) + "\n"


def _page(document: Document) -> Iterator[str]:
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    title = escape(document.title)
    yield f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1><dl>"
    yield from (f"<dt>{escape(what)}</dt><dd>{_shown(value)}</dd>" for what, value in document.facts)
    yield "</dl>"
    for chart in document.charts:
        yield from _chart(chart)
    for table in (each for each in document.tables if each.rows):
        yield f"<h2>{escape(table.title)}</h2>"
        if table.note:
            yield f"<p>{escape(table.note)}</p>"
        sides = [{_side(row[place]) for row in table.rows if row[place]} for place in range(len(table.columns))]
        heads = [each.pop() if len(each) == 1 else "" for each in sides]  # a head stands where its numbers do
        titles = [each if each in _UNITS else each[:1].upper() + each[1:] for each in table.columns]
        yield f"<div><table><thead>{_row(titles, 'th', heads)}</thead><tbody>"
        yield from (_row(row, "td", map(_side, row)) for row in table.rows)
        yield "</tbody></table></div>"
    without = [table.title for table in document.tables if not table.rows]
    if without:
        yield f"<h2>Nothing to list</h2><p>{escape('; '.join(without))}.</p>"
    yield "</body></html>"


def _row(cells: Sequence[str], tag: str, sides: Iterable[str]) -> str:
    shown = (f"<{tag}{side}>{_shown(cell)}</{tag}>" for cell, side in zip(cells, sides, strict=True))
    return f"<tr>{''.join(shown)}</tr>"


def _side(cell: str) -> str:
    return ' class="n"' if is_number(cell) else ""


def _shown(words: str) -> str:
    """Escaped, with times as people write them, each on one line."""
    return _TIME.sub(r"<time>\1 \2\3 UTC</time>", escape(words))


def _moment(time_ms: int) -> str:
    """A time within a picture."""
    return _TIME.sub(r"\1 \2\3 UTC", utc(time_ms))


def _chart(chart: Chart) -> Iterator[str]:
    points = [point for line in chart.lines for point in line.points]
    if not points:
        return
    first, last = min(ms for ms, _ in points), max(ms for ms, _ in points)
    top = max(1, *(value for _, value in points))
    yield f"<h2>{escape(chart.title)}</h2>"
    yield f'<svg viewBox="0 -20 {_WIDE + 20} {_HIGH + 90}" role="img" aria-label="{escape(chart.title)}">'
    yield f'<path d="M10 10V{_HIGH + 10}H{_WIDE + 10}" fill="none" stroke="#888"/>'
    for part in range(3):
        y = _HIGH + 10 - part * _HIGH // 2
        yield f'<path d="M10 {y}H{_WIDE + 10}" stroke="#ddd"/>' if part else ""
        yield f'<text x="14" y="{y - 4}">{escape(_amount(top * part // 2, chart.unit))}</text>'
    for ms, what in chart.marks:
        if first <= ms <= last:
            x = _x(ms, first, last)
            yield f'<path d="M{x} 0V{_HIGH + 10}" stroke="#888" stroke-dasharray="4"/>'
            yield f'<text x="{x + 3}" y="6">{escape(what)}</text>'
    for place, line in enumerate(chart.lines):
        colour, dash = _COLOURS[place % len(_COLOURS)], f' stroke-dasharray="{3 * (place // len(_COLOURS))}"'
        yield f'<path d="{_steps(line, first, last, top)}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'
        yield f'<text x="{10 + 180 * place}" y="{_HIGH + 58}" fill="{colour}">{escape(line.name)}</text>'
    yield f'<text x="10" y="{_HIGH + 28}">{_moment(first)}</text>'
    yield f'<text x="{_WIDE + 10}" y="{_HIGH + 28}" text-anchor="end">{_moment(last)}</text></svg>'


def _amount(value: int, unit: str) -> str:
    if unit == "GH/s":
        return hashrate(value)
    return f"{kilowatts(value)} kW" if unit == "W" else f"{value:,} {unit}"


def _steps(line: Line, first: int, last: int, top: int) -> str:
    """A value holds until the next begins: no slope between them was ever measured."""
    drawn = [(_x(ms, first, last), _HIGH + 10 - value * _HIGH // top) for ms, value in line.points]
    return "".join(f"{'H' if place else 'M'}{x}{'V' if place else ' '}{y}" for place, (x, y) in enumerate(drawn))


def _x(ms: int, first: int, last: int) -> int:
    return 10 + (ms - first) * _WIDE // max(1, last - first)


_WIDE, _HIGH = 900, 260
_UNITS = ("sat",)  # a heading that stands as it is
_AMOUNT = r"[±-]?\d[\d,.]*(?: ?(?:%|sat|kWh|[kMGTPEZ]?H/s|[kM]?W|[dhs]|min))?"
_NUMBER = re.compile(rf"{_AMOUNT}(?: (?:to )?{_AMOUNT})*|10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::00|(:\d\d))(?:\.\d+)?Z")
_COLOURS = ("#1f5fa8", "#b3541e", "#2d7a3e", "#7a3b8f", "#8a6d00", "#a31f4b")
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = (
    "body{font:14px/1.5 system-ui,sans-serif;color:#111;background:#fff;max-width:960px;margin:2rem auto;"
    "padding:0 1rem}"
    "h1{font-size:1.7em}h2{font-size:1.25em;margin-top:1.8em;break-after:avoid}dl{display:grid;"
    "grid-template-columns:max-content 1fr;gap:.2em 1em}dt{color:#555}dd{margin:0}p{break-after:avoid}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;"
    "padding:.25em .8em .25em 0;border-bottom:1px solid #ddd;vertical-align:top;overflow-wrap:break-word}"
    "th{vertical-align:bottom;border-bottom-color:#888}.n+:not(.n){padding-left:1.2em}:is(th,td):last-child{padding-right:0}"
    "td.n{white-space:nowrap}.n{text-align:right;font-variant-numeric:tabular-nums}svg{width:100%;font-size:12px}"
    "time{white-space:nowrap}div{overflow-x:auto}@media(max-width:42rem){svg{font-size:22px}}"
    "@media print{body{margin:0;padding:0;max-width:none;font-size:9px}div{overflow:visible}"
    "td time{white-space:normal}th,td{padding-right:.5em}"
    "tr,svg{break-inside:avoid}thead{display:table-header-group}}"
)
