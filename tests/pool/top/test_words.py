"""Numbers as people read them."""

from __future__ import annotations

import pytest

from pool.dashboard.rows import Rate
from pool.top.words import clean, cut, hashrate, percent, rate, span


@pytest.mark.parametrize(
    ("hps", "text"),
    [
        (0.0, "0 H/s"),
        (0.25, "0.25 H/s"),
        (999.4, "999 H/s"),
        (999.9, "1.00 kH/s"),
        (1.0234e12, "1.02 TH/s"),
        (10.26e15, "10.3 PH/s"),
        (999_999e18, "1.00 YH/s"),
        (5e30, "5000000 YH/s"),
    ],
)
def test_a_hashrate_has_three_digits(hps: float, text: str) -> None:
    assert hashrate(hps) == text


def test_an_error_is_at_most_everything() -> None:
    assert rate(Rate(1e12, 3.0)) == "1.00 TH/s +-100 %"
    assert rate(Rate(0.0, None)) == "0 H/s"


@pytest.mark.parametrize(
    ("part", "text"),
    [(None, "-"), (0.0, "0 %"), (1e-6, "<0.01 %"), (0.0012, "0.12 %"), (0.05, "5.0 %"), (1.37, "137 %")],
)
def test_percent(part: float | None, text: str) -> None:
    assert percent(part) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (-3.0, "0 s"), (119.0, "119 s"), (540.0, "9.0 min"), (10_800.0, "3.0 h"), (1e9, "31.7 y")],
)
def test_a_span_has_the_unit_that_fits(seconds: float | None, text: str) -> None:
    assert span(seconds) == text


def test_only_printable_ascii_is_left() -> None:
    assert clean("a\x1b[31mb\x9b\u202e\uff10\n") == "a?[31mb????"


def test_what_was_cut_off_shows() -> None:
    assert [cut("abcdef", width) for width in (6, 4, 1, 0)] == ["abcdef", "ab..", ".", ""]
