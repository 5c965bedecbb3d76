"""Numbers as people read them, in ASCII: no terminal, font or connection is too poor for it."""

from __future__ import annotations

import math

from pool.dashboard.rows import Rate

_PREFIXES = ("", "k", "M", "G", "T", "P", "E", "Z", "Y")
_UNKNOWN = "-"


def hashrate(hps: float) -> str:
    """Three digits: `102 TH/s`."""
    if hps <= 0:
        return "0 H/s"
    power = min(max(math.floor(math.log10(hps)) // 3, 0), len(_PREFIXES) - 1)
    rest = float(f"{hps / 1000**power:.3g}")
    if rest >= 1000 and power + 1 < len(_PREFIXES):
        power, rest = power + 1, rest / 1000
    digits = 0 if rest >= 100 else 1 if rest >= 10 else 2
    return f"{rest:.{digits}f} {_PREFIXES[power]}H/s"


def rate(found: Rate) -> str:
    """With one standard deviation: `102 TH/s +-4 %`."""
    if found.error is None or found.hps <= 0:
        return hashrate(found.hps)
    return f"{hashrate(found.hps)} +-{percent(min(found.error, 1.0))}"


def percent(part: float | None) -> str:
    """Of 0 to 1, or more."""
    if part is None:
        return _UNKNOWN
    value = part * 100
    if value == 0:
        return "0 %"
    if value < 0.01:
        return "<0.01 %"
    return f"{value:.2f} %" if value < 1 else f"{value:.1f} %" if value < 10 else f"{value:.0f} %"


def span(seconds: float | None) -> str:
    """A length of time in the unit that fits it: `42 s`, `3.2 h`."""
    if seconds is None:
        return _UNKNOWN
    seconds = max(seconds, 0.0)
    for limit, unit, name in ((120, 1, "s"), (7_200, 60, "min"), (172_800, 3_600, "h"), (63_072_000, 86_400, "d")):
        if seconds < limit:
            value = seconds / unit
            return f"{value:.1f} {name}" if value < 10 and unit > 1 else f"{value:.0f} {name}"
    return f"{seconds / 31_536_000:,.1f} y"


def since(time_ms: int | None, now_ms: int) -> str:
    """How long ago that was."""
    return _UNKNOWN if time_ms is None else span((now_ms - time_ms) / 1000)


def count(number: int) -> str:
    """`10,352`."""
    return f"{number:,}"


def spoken(name: str) -> str:
    """The name of a reason or state, in words."""
    return name.replace("_", " ")


def clean(text: str) -> str:
    """Printable ASCII only: what a stranger wrote can neither steer the terminal nor take another width."""
    return "".join(char if " " <= char <= "~" else "?" for char in text)


def cut(text: str, width: int) -> str:
    """At most so wide; what was left out shows."""
    if len(text) <= width:
        return text
    return text[: max(width - 2, 0)] + ".."[: max(width, 0)]
