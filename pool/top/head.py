"""The upper part of the frame: the pool as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from pool.dashboard.overview import Luck
from pool.dashboard.role_rows import Roles, WorkRole
from pool.dashboard.rows import Activity, Block
from pool.dashboard.workers import reject_rate
from pool.fleet.report import MoveReport
from pool.top.lines import Line, Piece, Style, flow, wrapped
from pool.top.seen import Seen
from pool.top.words import count, percent, rate, since, span, spoken

STALE_SECONDS = 10.0
"""From here on what is shown is marked as old."""

MOVES_SHOWN = 3
ALARM_LINES = 2
_CHAIN = {"majority": Style.GOOD, "minority": Style.BAD}
_BLOCK = {"mature": Style.GOOD, "orphaned": Style.BAD, "dead": Style.BAD}


def head(seen: Seen, now_ms: int, width: int, alarms_max: int) -> list[Line]:
    """What stands above the tables, the most important first. now_ms: when it is shown; a picture grows old.
    alarms_max: how many are told."""
    overview = seen.overview
    lines = [*_title(seen, now_ms, width), *_alarms(seen, width, alarms_max)]
    if overview.activity is not None and overview.presence is not None:
        rates = overview.activity.hashrate
        lines += flow(
            "hashrate",
            [
                Piece(f"1m {rate(rates.minute)}"),
                Piece(f"5m {rate(rates.five_minutes)}", Style.STRONG),
                Piece(f"1h {rate(rates.hour)}"),
                Piece(f"24h {rate(rates.day)}"),
            ],
            width,
        )
        there = overview.presence
        online = f"{count(there.workers_online)} of {count(there.workers)} online"
        told = [online, f"{count(there.sessions)} sessions", f"{count(there.accounts)} accounts"]
        lines += flow("workers", told, width)
        lines += flow("shares", _shares(overview.activity), width)
    if overview.roles is not None:
        for piece in _tips(overview.roles, now_ms):
            lines += flow("mines on", piece, width)
        lines += flow("roles", _roles(overview.roles, now_ms), width)
    for move in (seen.moves or ())[:MOVES_SHOWN]:
        lines += flow("move", _move(move), width)
    lines += flow("luck", _luck(overview.luck), width)
    if seen.blocks is not None:
        lines += flow("blocks", [_block(each, now_ms) for each in seen.blocks] or ["none yet"], width)[:1]
    return lines


def _title(seen: Seen, now_ms: int, width: int) -> list[Line]:
    pool = seen.overview.pool
    age_seconds = (now_ms - seen.time_ms) / 1000
    items = [Piece(pool.version, Style.STRONG), Piece(f"chain {pool.chain}")]
    if age_seconds > STALE_SECONDS:
        items.append(Piece(f"as it was {span(age_seconds)} ago: no answer since", Style.BAD))
    else:
        fit = seen.overview.health.ready
        items.append(Piece("ready" if fit else "NOT READY", Style.GOOD if fit else Style.BAD))
    if seen.maintenance is not None:
        left = span((seen.maintenance.until_ms - now_ms) / 1000)
        items.append(Piece(f"maintenance for {left} {seen.maintenance.reason}".rstrip(), Style.WARN))
    return flow(pool.name, items, width)


def _shares(activity: Activity) -> Iterator[Piece | str]:
    yield f"{count(activity.accepted)} accepted"
    yield f"{percent(reject_rate(activity))} rejected" + (":" if activity.rejected_total else "")
    total = activity.accepted + activity.rejected_total
    for reason, number in sorted(activity.rejected.items(), key=lambda pair: -pair[1]):
        if number:
            yield f"{spoken(reason)} {percent(number / total)}"


def _tips(roles: Roles, now_ms: int) -> Iterator[list[Piece | str]]:
    """A line for each region."""
    if not roles.work:
        yield list(_tip(None, now_ms))
    for region, work in roles.work.items():
        where = [Piece(region, Style.STRONG)] if len(roles.work) > 1 else []
        yield [*where, *_tip(work, now_ms)]


def _tip(work: WorkRole | None, now_ms: int) -> Iterator[Piece | str]:
    if work is None:
        yield Piece("not known: no work role gives a sign of life", Style.BAD)
        return
    if work.job is None:
        yield Piece("nothing: there is no job", Style.BAD)
    else:
        yield f"block {count(work.job.height)} on ..{work.job.tip_hash_hex[-8:]}"
        yield f"template {since(work.job.template_ms, now_ms)} old"
    chosen = next((node.name for node in work.nodes if node.is_chosen), None)
    yield Piece("no node gives work", Style.BAD) if chosen is None else f"node {chosen}"
    if work.chain is not None:
        yield Piece(f"chain {work.chain.verdict}", _CHAIN.get(work.chain.verdict, Style.WARN))
    if work.candidates_pending:
        yield Piece(f"{work.candidates_pending} blocks wait for a verdict", Style.WARN)


def _roles(roles: Roles, now_ms: int) -> Iterator[Piece | str]:
    def alive(name: str, heartbeat_ms: int | None, more: str = "") -> Piece:
        if heartbeat_ms is None:
            return Piece(f"{name} AWAY", Style.BAD)
        return Piece(f"{name} {since(heartbeat_ms, now_ms)}{more}", Style.PLAIN)

    if not roles.work:
        yield alive("work", None)
    for region, work in roles.work.items():
        yield alive("work" if len(roles.work) == 1 else f"work {region}", work.heartbeat_ms)
    if not roles.stratum:
        yield alive("stratum", None)
    for role in roles.stratum:
        yield alive(f"stratum {role.name}", role.heartbeat_ms)
    accounting = roles.accounting
    lag = accounting.lag_shares if accounting else None
    behind = f" {count(lag)} records behind" if lag else ""
    yield alive("accounting", accounting.heartbeat_ms if accounting else None, behind)
    yield alive("web", roles.web_heartbeat_ms)


def _luck(luck: Luck) -> Iterator[str]:
    if luck.effort is not None:
        yield f"round at {percent(luck.effort)} of expected"
    if luck.expected_seconds is None:
        yield "no block expected without hashrate"
    else:
        yield f"a block each {span(luck.expected_seconds)}"
        yield f"{percent(luck.block_within_day)} within a day"


def _block(block: Block, now_ms: int) -> Piece:
    deep = f" {block.confirmations} deep" if block.state == "immature" else ""
    text = f"{count(block.height)} {block.state}{deep} {since(block.found_ms, now_ms)} ago"
    return Piece(text, _BLOCK.get(block.state, Style.PLAIN))


def _move(move: MoveReport) -> Iterator[Piece | str]:
    yield Piece(move.name, Style.STRONG)
    yield spoken(move.state)
    yield move.way
    yield f"{count(move.counts.get('arrived', 0))} of {count(move.machines)} arrived"
    for status in ("gone", "straggler"):
        if number := move.counts.get(status, 0):
            yield f"{count(number)} {status}"
    if move.late:
        yield Piece(f"{count(move.late)} late", Style.BAD)


def _alarms(seen: Seen, width: int, alarms_max: int) -> list[Line]:
    if not seen.alarms and not seen.unavailable:
        return flow("alarms", [Piece("none", Style.GOOD)], width)
    lines: list[Line] = []
    for alarm in seen.alarms[:alarms_max]:
        style = Style.BAD if alarm.severity == "page" else Style.WARN
        lines += wrapped(f"{alarm.severity.upper():<{5}} {alarm.title}", width, style, " " * 6)[:ALARM_LINES]
    known = {alarm.text for alarm in seen.alarms}
    for source, reason in seen.unavailable.items():
        if reason not in known:
            lines += wrapped(f"AWAY  {source}: {reason}", width, Style.BAD, " " * 6)[:ALARM_LINES]
    if len(seen.alarms) > alarms_max:
        more = len(seen.alarms) - alarms_max
        lines.append((Piece(f"      and {more} more; key a shows all, with what to do"[:width], Style.QUIET),))
    return lines
