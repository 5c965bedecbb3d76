"""The picture of a run, as SVG: hashrate by site, what each block paid for each site, and what came in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise

from pool.scenario.bit_mining.case import (
    BEGINS_MS,
    BOUGHT_MS,
    BOUGHT_WORDS,
    DARK_MS,
    DAY_MS,
    EPOCHS,
    GANZI,
    LOTS,
    OWNER,
    PLACES,
)
from pool.scenario.bit_mining.figures import STEP_MS, Shown, day
from pool.scenario.bit_mining.paid import PaidBlock

WIDTH, LEFT, RIGHT = 1120, 76, 96
HASHRATE_TOP, HASHRATE = 168, 300
BLOCKS_TOP, BLOCKS = 532, 150
INCOME_TOP, INCOME = 746, 170
HEIGHT = 962
INK, QUIET, RULE, BAND = "#1b1f24", "#5c6670", "#d7dde3", "#f5f7f9"
COLOURS = {"ganzi": "#b4552d", "kz-hosting": "#1f6f8b", "kz-jv": "#7fb8b0", "texas": "#d9a441"}
_WAYS = {"pplns": "#3b2f8f", "pps": "#b0336f"}
_FONT = "font-family=\"system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif\""
_HALO = 'stroke="#ffffff" stroke-width="3" stroke-opacity="0.85" stroke-linejoin="round" paint-order="stroke"'
"""Behind text, so that no line goes through it."""
_SAT = 100_000_000
_LABEL_ROW = 26
_HEADROOM = 1.1  # above the areas, for the names of the epochs


class _Plot:
    """Where things lie in one of the three parts. most: what its height stands for."""

    def __init__(self, top: int, height: int, most: float, ends_ms: int) -> None:
        self.top, self.height, self.most, self.ends_ms = top, height, most, ends_ms

    def x(self, time_ms: float) -> float:
        return round(LEFT + (time_ms - BEGINS_MS) / (self.ends_ms - BEGINS_MS) * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        return round(self.top + self.height - value / self.most * self.height, 1)

    @property
    def base(self) -> int:
        return self.top + self.height


def picture(shown: Shown) -> str:
    """As SVG."""
    ends_ms = shown.case.ends_ms
    totals = [sum(rates) / 1e15 for rates in zip(*shown.rates_hps.values(), strict=True)]
    hashrate = _Plot(HASHRATE_TOP, HASHRATE, _nice(max(totals) * _HEADROOM), ends_ms)
    paid = [_by_site(block, shown) for block in shown.blocks]
    blocks = _Plot(BLOCKS_TOP, BLOCKS, _nice(max((sum(each.values()) for each in paid), default=0) / _SAT), ends_ms)
    most_sat = max(shown.pplns[-1][1], shown.pps[-1][1])
    income = _Plot(INCOME_TOP, INCOME, _nice(most_sat / _SAT), ends_ms)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {_FONT}>',
        f"<title>{escape(_TITLE)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(LEFT, 30, _TITLE, 19, INK, weight=600),
        *(_text(LEFT, 50 + 18 * line, words, 13, QUIET) for line, words in enumerate(_UNDER)),
        *_epochs(hashrate),
        *_legend(94),
        *_scale(hashrate),
        _text(LEFT - 8, HASHRATE_TOP - 10, "PH/s", 12, QUIET, "end"),
        *_hashrate(shown, hashrate),
        *_events(hashrate, income.base),
        *_scale(blocks),
        _text(LEFT, BLOCKS_TOP - 12, _BLOCKS_TITLE, 13, INK),
        *_paid(shown, paid, blocks),
        *_scale(income),
        _text(LEFT, INCOME_TOP - 12, _INCOME_TITLE, 13, INK),
        *_income(shown, income),
        *_days(income),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


_TITLE = "BIT Mining, summer 2021: from Sichuan to Kazakhstan and Texas"
_BLOCKS_TITLE = (
    "BTC for the fleet's shares in each block that the pool found, by the site where they were hashed (PPLNS)"
)
_INCOME_TITLE = f"BTC that came in for {OWNER}, after pool fee, hosts, partner and tax"
_UNDER = (
    "10,352 machines, played by the pool through journal, accounting and ledger. Hashrate: means of 6 hours.",
    "Bands are epochs of difficulty, in trillions, as they were; dotted lines are dates of the move. Times are UTC.",
)


def _epochs(plot: _Plot) -> Iterator[str]:
    """A band for each second epoch, and its difficulty above all of them."""
    bottom = INCOME_TOP + INCOME
    for number, (epoch, after) in enumerate(pairwise(EPOCHS)):
        from_ms, to_ms = max(epoch.from_ms, BEGINS_MS), min(after.from_ms, plot.ends_ms)
        if from_ms >= to_ms:
            continue
        left, right = plot.x(from_ms), plot.x(to_ms)
        if number % 2:
            yield (
                f'<rect x="{left}" y="{plot.top}" width="{round(right - left, 1)}" height="{bottom - plot.top}" '
                f'fill="{BAND}"/>'
            )
        if from_ms > BEGINS_MS:
            yield _line(left, plot.top, left, bottom, RULE)
            label = f"{epoch.difficulty / 1e12:.2f} T"
            yield _text(left + 5, plot.top + 15, label, 12, QUIET)


def _legend(y: int) -> Iterator[str]:
    x = LEFT
    for place in PLACES:
        yield f'<rect x="{x}" y="{y - 11}" width="13" height="13" fill="{COLOURS[place.name]}"/>'
        yield _text(x + 19, y, place.title, 13, INK)
        x += 44 + round(len(place.title) * 7.2)
    yield f'<path d="M{x} {y - 5} h22" stroke="{INK}" stroke-width="1.5" stroke-dasharray="4 3" fill="none"/>'
    yield _text(x + 28, y, "nominal, of machines that hash", 13, INK)


def _events(plot: _Plot, bottom: int) -> list[str]:
    """Dates of the move, in two rows of labels. Of two that are near each other the later one is in the lower row, so
    that its line does not go through the label of the other."""
    told = [(DARK_MS, "Ganzi goes dark", "19 June, 1:00")]
    told += [(lot.on_ms, f"{lot.machines:,} {_SHORT[lot.goes.name]}", lot.on_words) for lot in LOTS]
    told.append((BOUGHT_MS, "2,500 bought", BOUGHT_WORDS))
    lines: list[str] = []
    labels: list[str] = []
    for number, (time_ms, what, when) in enumerate(sorted(told)):
        x, y = plot.x(time_ms), plot.top - 8 - number % 2 * (_LABEL_ROW + 4)
        if time_ms >= plot.ends_ms:
            continue
        lines.append(_line(x, y - _LABEL_ROW + 6, x, bottom, QUIET, 'stroke-dasharray="1 3"'))
        labels += [_text(x + 4, y - 12, what, 12, INK), _text(x + 4, y + 1, when, 11, QUIET)]
    return [*lines, *labels]


_SHORT = {"kz-hosting": "in Kazakhstan", "kz-jv": "in the venture", "texas": "in Texas"}


def _scale(plot: _Plot) -> Iterator[str]:
    """Five lines across, with their values."""
    for part in range(5):
        value = plot.most * part / 4
        y = plot.y(value)
        yield _line(LEFT, y, WIDTH - RIGHT, y, QUIET if not part else RULE)
        yield _text(LEFT - 8, y + 4, f"{value:g}", 12, QUIET, "end")


def _hashrate(shown: Shown, plot: _Plot) -> Iterator[str]:
    """An area for each site, one on the other, in steps."""
    below = [0.0] * len(shown.nominal_hps)
    for site, rates in shown.rates_hps.items():
        above = [low + rate / 1e15 for low, rate in zip(below, rates, strict=True)]
        if any(rates):
            outline = [*_steps(plot, above), *reversed(_steps(plot, below))]
            points = " ".join(f"{x},{y}" for x, y in outline)
            yield f'<polygon points="{points}" fill="{COLOURS[site]}"><title>{escape(site)}</title></polygon>'
        below = above
    points = " ".join(f"{x},{y}" for x, y in _steps(plot, [rate / 1e15 for rate in shown.nominal_hps]))
    yield f'<polyline points="{points}" fill="none" stroke="{INK}" stroke-width="1.2" stroke-dasharray="4 3"/>'
    back_ms = min(lot.on_ms for lot in LOTS)
    if back_ms < plot.ends_ms:
        middle = (plot.x(DARK_MS) + plot.x(back_ms)) / 2
        told = f"dark, {(back_ms - DARK_MS) / DAY_MS:.1f} days"
        yield _text(round(middle, 1), plot.base - 8, told, 12, QUIET, "middle")
    last = shown.nominal_hps[-1] / 1e15
    yield _text(WIDTH - RIGHT + 6, plot.y(last) + 4, f"{last:.0f} PH/s", 12, INK, weight=600)


def _steps(plot: _Plot, values: Sequence[float]) -> list[tuple[float, float]]:
    corners = []
    for at, value in enumerate(values):
        left, right = plot.x(BEGINS_MS + at * STEP_MS), plot.x(BEGINS_MS + (at + 1) * STEP_MS)
        corners += [(left, plot.y(value)), (right, plot.y(value))]
    return corners


def _by_site(block: PaidBlock, shown: Shown) -> dict[str, int]:
    """What a block pays before any division for the shares of each site."""
    sums = dict.fromkeys(COLOURS, 0)
    for each in block.slices:
        if each.slice_id:
            sums[shown.sites[each.slice_id]] += each.gross_sat
    return sums


def _paid(shown: Shown, paid: Sequence[dict[str, int]], plot: _Plot) -> Iterator[str]:
    """A bar for each block."""
    for block, by_site in zip(shown.blocks, paid, strict=True):
        x, below = plot.x(block.found_ms), 0
        for site, sat in by_site.items():
            if sat:
                top, low = plot.y((below + sat) / _SAT), plot.y(below / _SAT)
                told = f"block {block.height}: {sat:,} sat for {site}"
                yield (
                    f'<rect x="{x - 2.5:.1f}" y="{top}" width="5" height="{round(low - top, 1)}" '
                    f'fill="{COLOURS[site]}" stroke="#ffffff" stroke-width="0.4"><title>{escape(told)}</title></rect>'
                )
            below += sat
    old = [block for block, by_site in zip(shown.blocks, paid, strict=True) if by_site[GANZI.name]]
    if old and old[-1] is not shown.blocks[-1]:
        x = plot.x(old[-1].found_ms)
        yield _text(
            x + 10,
            plot.y(plot.most * 0.72),
            f"what was hashed at Ganzi is paid until {day(old[-1].found_ms)}",
            12,
            COLOURS[GANZI.name],
        )
        yield _line(x + 6, plot.y(plot.most * 0.72) - 4, x, plot.y(plot.most * 0.5), COLOURS[GANZI.name])


def _income(shown: Shown, plot: _Plot) -> Iterator[str]:
    ends = {"pplns": shown.pplns[-1][1], "pps": shown.pps[-1][1]}
    names = {"pplns": "PPLNS", "pps": "PPS"}
    higher = max(ends, key=lambda way: ends[way])
    for way, points in (("pplns", shown.pplns), ("pps", shown.pps)):
        x, y = plot.x(points[0][0]), plot.y(points[0][1] / _SAT)
        path = [f"M{x} {y}"]
        for time_ms, sat in points[1:]:
            path.append(f"H{plot.x(time_ms)} V{plot.y(sat / _SAT)}")
        path.append(f"H{plot.x(plot.ends_ms)}")
        yield f'<path d="{" ".join(path)}" fill="none" stroke="{_WAYS[way]}" stroke-width="2"/>'
        apart = abs(ends["pplns"] - ends["pps"]) / _SAT / plot.most * plot.height
        shift = max(0.0, (32 - apart) / 2) * (-1 if way == higher else 1)
        y = round(plot.y(ends[way] / _SAT) + shift, 1)
        yield _text(WIDTH - RIGHT + 6, y, names[way], 13, _WAYS[way], weight=600)
        yield _text(WIDTH - RIGHT + 6, y + 14, f"{ends[way] / _SAT:.2f} BTC", 12, _WAYS[way])


def _days(plot: _Plot) -> Iterator[str]:
    """A date each week, Mondays."""
    first_ms = BEGINS_MS + 4 * DAY_MS
    for time_ms in range(first_ms, plot.ends_ms, 7 * DAY_MS):
        x = plot.x(time_ms)
        for base in (HASHRATE_TOP + HASHRATE, BLOCKS_TOP + BLOCKS, plot.base):
            yield _line(x, base, x, base + 5, QUIET)
            yield _text(x, base + 18, day(time_ms), 12, QUIET, "middle")


def _nice(value: float) -> float:
    """The next round number above."""
    scale = 10 ** (len(str(int(value))) - 1) if value >= 1 else 0.1
    return next(step * scale for step in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 4.8, 6, 8, 10) if step * scale >= value)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, more: str = "") -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}" {more}/>'


def _text(x: float, y: float, text: str, size: int, colour: str, anchor: str = "start", weight: int = 400) -> str:
    of_weight = f' font-weight="{weight}"' if weight != 400 else ""
    look = f'font-size="{size}" fill="{colour}" text-anchor="{anchor}"{of_weight} {_HALO}'
    return f'<text x="{x}" y="{y}" {look}>{escape(text)}</text>'
