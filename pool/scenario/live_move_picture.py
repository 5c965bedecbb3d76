"""The picture of a live move: the shares of both regions over time, and each machine's arrival by its wave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from pool.scenario.live_move_report import Arrival, PaidBlock, Report

WIDTH, LEFT, RIGHT, TOP, MARGIN = 960, 120, 64, 88, 8
UPPER, GAP, ROW = 190, 70, 24
INK, QUIET, RULE = "#1b1f24", "#5c6670", "#d7dde3"
COLOURS = {"sichuan": "#b4552d", "kazakhstan": "#1f6f8b"}
_HALO = 'stroke="#ffffff" stroke-width="3" stroke-linejoin="round" paint-order="stroke"'
"""Behind text, so that no line goes through it."""
NAMES = {"sichuan": "Sichuan", "kazakhstan": "Kazakhstan"}


class _Scale:
    """Seconds to pixels."""

    def __init__(self, first_s: float, last_s: float) -> None:
        self.first_s, self.last_s = first_s, last_s

    def x(self, seconds: float) -> float:
        part = (seconds - self.first_s) / (self.last_s - self.first_s)
        return round(LEFT + part * (WIDTH - LEFT - RIGHT), 1)

    def ticks(self) -> list[int]:
        step = next(step for step in (10, 20, 30, 60, 120, 300, 600) if (self.last_s - self.first_s) / step <= 14)
        first = int(-(-self.first_s // step)) * step
        return list(range(first, int(self.last_s) + 1, step))


def picture(report: Report) -> str:
    """As SVG."""
    traffic = report.traffic
    count = max(map(len, traffic.shares.values()))
    ends_s = [traffic.from_s + count * traffic.step_s, *(each.found_s for each in report.blocks)]
    scale = _Scale(traffic.from_s, max(ends_s))
    lower = TOP + UPPER + GAP
    height = lower + ROW * len(report.waves) + 62
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(
            MARGIN,
            24,
            f"{report.arrived} of {report.machines} machines move from Sichuan to Kazakhstan, on {report.chain}",
            16,
            INK,
        ),
        _text(MARGIN, 44, _under(report), 12, QUIET),
        *_grid(scale, TOP, height - 40),
        *_shares(report, scale),
        *_blocks(report.blocks, scale),
        *_waves(report, scale, lower),
        _text(LEFT, height - 8, "seconds since the start of the move", 12, QUIET),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _under(report: Report) -> str:
    verdict = report.verdict
    return (
        f"{verdict.acknowledged:,} shares acknowledged, {len(verdict.lost)} lost, {len(verdict.doubled)} counted "
        f"twice; {report.machines - report.arrived} machines ignore the redirect and stay, beside "
        f"{report.neighbours} of another account"
    )


def _grid(scale: _Scale, top: int, bottom: int) -> Iterator[str]:
    for tick in scale.ticks():
        x = scale.x(tick)
        yield f'<line x1="{x}" y1="{top}" x2="{x}" y2="{bottom}" stroke="{RULE if tick else QUIET}"/>'
        yield _text(x, bottom + 15, str(tick), 12, QUIET, "middle")


def _shares(report: Report, scale: _Scale) -> Iterator[str]:
    """An area for each region, one on the other."""
    traffic, base = report.traffic, TOP + UPPER
    rates = {region: [each / traffic.step_s for each in shares] for region, shares in traffic.shares.items()}
    most = max(sum(each) for each in zip(*rates.values(), strict=True))
    top = next(nice for nice in (10, 20, 50, 100, 150, 200, 300, 500, 1000, 10_000) if nice >= most)

    def y(rate: float) -> float:
        return round(base - rate / top * UPPER, 1)

    for level in (0, top // 2, top):
        yield f'<line x1="{LEFT}" y1="{y(level)}" x2="{WIDTH - RIGHT}" y2="{y(level)}" stroke="{RULE}"/>'
        yield _text(LEFT - 8, y(level) + 4, str(level), 12, QUIET, "end")
    below = [0.0] * len(next(iter(rates.values())))
    for region, rate in rates.items():
        above = [low + each for low, each in zip(below, rate, strict=True)]
        middle = [scale.x(traffic.from_s + (at + 0.5) * traffic.step_s) for at in range(len(above))]
        outline = [*zip(middle, map(y, above), strict=True), *reversed(list(zip(middle, map(y, below), strict=True)))]
        points = " ".join(f"{x},{height}" for x, height in outline)
        yield f'<polygon points="{points}" fill="{COLOURS[region]}" fill-opacity="0.75"/>'
        below = above
    yield f'<line x1="{LEFT}" y1="{base}" x2="{WIDTH - RIGHT}" y2="{base}" stroke="{QUIET}"/>'
    yield _text(MARGIN, TOP - 14, "accepted shares a second", 12, INK)
    for number, region in enumerate(rates):
        x = 190 + number * 100
        yield f'<rect x="{x}" y="{TOP - 24}" width="12" height="12" fill="{COLOURS[region]}"/>'
        yield _text(x + 18, TOP - 14, NAMES[region], 12, INK)


def _blocks(blocks: Sequence[PaidBlock], scale: _Scale) -> Iterator[str]:
    """Where the blocks were found whose parts the summary tells."""
    for block in blocks:
        x, y = scale.x(block.found_s), TOP + UPPER + 6
        yield f'<path d="M{x} {y} l5 9 h-10 z" fill="{INK}"/>'
        yield _text(x, y + 24, f"block {block.height}", 12, INK, "middle")


def _waves(report: Report, scale: _Scale, top: int) -> Iterator[str]:
    key = "arrivals by wave: a bar is when it was told, a dot the first share of a machine at the other end"
    yield _text(MARGIN, top - 12, key, 12, INK)
    yield _text(WIDTH - MARGIN, top - 12, "stayed", 12, INK, "end")
    for number, wave in enumerate(report.waves):
        y = top + number * ROW + ROW // 2
        x = scale.x(wave.told_s)
        yield f'<line x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}" stroke="{RULE}"/>'
        yield _text(LEFT - 8, y + 4, f"wave {number + 1}: {wave.arrived} of {wave.machines}", 12, QUIET, "end")
        yield f'<line x1="{x}" y1="{y - 9}" x2="{x}" y2="{y + 9}" stroke="{INK}" stroke-width="2"/>'
        told = [each for each in report.arrivals if each.told_s == wave.told_s]
        yield from (_arrived(each, scale.x(each.arrived_s), y) for each in told if each.arrived_s is not None)
        stayed = [each for each in told if each.arrived_s is None]
        apart = min(11.0, (RIGHT - 20) / max(1, len(stayed) - 1))
        yield from (_stayed(each, round(WIDTH - 12 - at * apart, 1), y) for at, each in enumerate(stayed))


def _arrived(each: Arrival, x: float, y: int) -> str:
    look = f'fill="{COLOURS["kazakhstan"]}" fill-opacity="0.55"'
    return f'<circle cx="{x}" cy="{y}" r="3.5" {look}>{_title(each)}</circle>'


def _stayed(each: Arrival, x: float, y: int) -> str:
    look = f'fill="none" stroke="{COLOURS["sichuan"]}" stroke-width="2"'
    return f'<circle cx="{x}" cy="{y}" r="4" {look}>{_title(each)}</circle>'


def _title(each: Arrival) -> str:
    return f"<title>{escape(each.login)}: {each.status}</title>"


def _text(x: float, y: float, text: str, size: int, colour: str, anchor: str = "start") -> str:
    look = f'font-size="{size}" fill="{colour}" text-anchor="{anchor}" {_HALO}'
    return f'<text x="{x}" y="{y}" {look}>{escape(text)}</text>'
