"""One frame: the pool as a whole, below it a table, at the bottom the keys."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from pool.dashboard.query import TableQuery
from pool.dashboard.rows import Activity
from pool.dashboard.workers import Selection, WorkerTable, reject_rate
from pool.top.head import head
from pool.top.lines import Line, Piece, Style, columns, fitted, text_of, wrapped
from pool.top.seen import Seen
from pool.top.view import SORTS, Pane, View
from pool.top.words import count, percent, rate, since

ALARMS_ABOVE = 3
"""In the upper part; the others are in a pane of their own."""

PANE_LINES_MIN = 8
"""With the keys. A low terminal loses the last lines of the upper part instead."""

_NAME_MIN = 14


class _Column(Struct, frozen=True):
    """A number of each row. rank: those with the greatest go first where there is no room."""

    title: str
    width: int
    rank: int
    text: Callable[[Activity, int], str]


_COLUMNS = (
    _Column("5m", 17, 0, lambda activity, _: rate(activity.hashrate.five_minutes)),
    _Column("1h", 17, 3, lambda activity, _: rate(activity.hashrate.hour)),
    _Column("rejects", 7, 1, lambda activity, _: percent(reject_rate(activity))),
    _Column("last", 7, 2, lambda activity, now_ms: since(activity.last_share_ms, now_ms)),
)

_KEYS = "q quit  h hashrate  r rejects  l last  n name  / filter  w s a pane  up down"


def frame(seen: Seen, view: View, now_ms: int, width: int, height: int) -> tuple[list[Line], View]:
    """At most so many lines, none wider than that, in printable ASCII; and the view, on a page that there is."""
    above = head(seen, now_ms, width, ALARMS_ABOVE)[: max(height - PANE_LINES_MIN, height // 2)]
    room = max(height - len(above) - 1, 0)
    view = replace(view, page=min(view.page, _pages(seen, view, room)))
    lines = [*above, *_pane(seen, view, now_ms, width, room)][: max(height - 1, 0)]
    lines += [()] * (height - 1 - len(lines))
    return [fitted(line, width) for line in [*lines, _foot(view)][:height]], view


def once(seen: Seen, view: View, width: int, rows: int) -> list[str]:
    """The same for a script: with all alarms, so many rows of the table, and without keys."""
    above = head(seen, seen.time_ms, width, len(seen.alarms))
    lines = [*above, *_pane(seen, view, seen.time_ms, width, rows + 1)]
    return [text_of(fitted(line, width)).rstrip() for line in lines]


def query_of(view: View, rows: int) -> TableQuery:
    """What the table is asked."""
    return TableQuery(view.search, SORTS[view.sort], view.is_descending, view.page, rows)


def _foot(view: View) -> Line:
    if view.is_typing:
        return (Piece(f"filter: {view.search}_  (Enter keeps it, Esc ends it)", Style.BAR),)
    return (Piece(_KEYS, Style.BAR),)


def _pages(seen: Seen, view: View, room: int) -> int:
    """How many pages the pane has; at least one."""
    if seen.table is None or room < 2 or view.pane is Pane.ALARMS:
        return 1
    if view.pane is Pane.SITES:
        rows = len(seen.table.sites())
    else:
        rows = len(seen.table.selected(Selection(search=view.search)))
    return max(-(-rows // (room - 1)), 1)


def _pane(seen: Seen, view: View, now_ms: int, width: int, room: int) -> list[Line]:
    """A title and rows, in so many lines."""
    if room < 2:
        return []
    if view.pane is Pane.ALARMS:
        return _alarms(seen, width)[:room]
    if seen.table is None:
        return [(Piece("no table while Redis is away", Style.QUIET),)]
    if view.pane is Pane.SITES:
        return _sites(seen.table, view, now_ms, width, room)
    return _workers(seen.table, view, now_ms, width, room)


def _workers(table: WorkerTable, view: View, now_ms: int, width: int, room: int) -> list[Line]:
    page = table.page(Selection(search=view.search), query_of(view, room - 1))
    which = f"like {view.search}" if view.search else "workers"
    place = f", page {view.page}" if view.page > 1 else ""
    title = f"{count(page.total or 0)} {which} by {view.sort}{' reversed' if view.is_reversed else ''}{place}"
    rows = [_row(row.login, row.activity, now_ms, width, is_online=row.online) for row in page.rows or ()]
    return [_titles(title, width), *rows]


def _sites(table: WorkerTable, view: View, now_ms: int, width: int, room: int) -> list[Line]:
    groups = table.sites()
    if not groups:
        return wrapped("no sites: no worker fits an assignment (`steppe assign`)", width, Style.QUIET)
    begin = (view.page - 1) * (room - 1)
    rows = [
        _row(
            f"{group.name} {count(group.workers_online)}/{count(group.workers)}",
            group.activity,
            now_ms,
            width,
            is_online=group.workers_online > 0,
        )
        for group in groups[begin : begin + room - 1]
    ]
    return [_titles(f"{len(groups)} sites, online/all", width), *rows]


def _alarms(seen: Seen, width: int) -> list[Line]:
    lines: list[Line] = [(Piece(f"{len(seen.alarms)} alarms", Style.STRONG),)]
    for alarm in seen.alarms:
        style = Style.BAD if alarm.severity == "page" else Style.WARN
        lines += wrapped(f"{alarm.severity.upper():<5} {alarm.title}", width, style, " " * 6)
        if alarm.text not in alarm.title:
            lines += wrapped(f"      {alarm.text}", width, Style.PLAIN, " " * 6)
        if alarm.mend:
            lines += wrapped(f"   -> {alarm.mend}", width, Style.PLAIN, " " * 6)
    return lines


def _titles(title: str, width: int) -> Line:
    shown, widths = _columns(width)
    return columns((title, *(column.title for column in shown)), widths, Style.STRONG)


def _row(name: str, activity: Activity, now_ms: int, width: int, *, is_online: bool) -> Line:
    """One row; whoever is away has a mark before its name."""
    shown, widths = _columns(width)
    mark = " " if is_online else "-"
    cells = (f"{mark} {name}", *(column.text(activity, now_ms) for column in shown))
    return columns(cells, widths, Style.PLAIN if is_online else Style.QUIET)


def _columns(width: int) -> tuple[list[_Column], list[int]]:
    """Those that there is room for, and the widths of the name and of each."""
    shown = list(_COLUMNS)
    while shown and _room_for_name(shown, width) < _NAME_MIN:
        shown.remove(max(shown, key=lambda column: column.rank))
    return shown, [max(_room_for_name(shown, width), 1), *(column.width for column in shown)]


def _room_for_name(shown: list[_Column], width: int) -> int:
    return width - sum(column.width + 1 for column in shown)
