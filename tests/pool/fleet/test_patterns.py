"""pool.fleet.patterns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool.fleet.facts import FleetRefused
from pool.fleet.patterns import check_pattern, common, fits, literal

PATTERNS = st.text("ab*", max_size=6)


@pytest.mark.parametrize(
    ("pattern", "worker", "fit"),
    [
        ("kz-*", "kz-rack-17", True),
        ("kz-*", "kz-", True),
        ("kz-*", "tx-rack-17", False),
        ("*", "", True),
        ("", "", True),
        ("", "a", False),
        ("a.*", "ab", False),
        ("*-17", "kz-17", True),
    ],
)
def test_a_star_is_any_run_of_characters(pattern: str, worker: str, fit: bool) -> None:
    assert fits(pattern, worker) is fit


@pytest.mark.parametrize("pattern", ["kz 1", "kz/*", "k\n", "kz?", "ä", "a" * 65])
def test_a_pattern_that_fits_no_worker_is_refused(pattern: str) -> None:
    with pytest.raises(FleetRefused, match="fits no worker"):
        check_pattern(pattern)


def test_stars_in_a_row_are_one() -> None:
    assert check_pattern("a***b") == "a*b"


@given(PATTERNS, PATTERNS, st.text("ab", max_size=6))
def test_what_fits_both_is_found(one: str, other: str, worker: str) -> None:
    example = common(one, other)
    if example is not None:
        assert fits(one, example)
        assert fits(other, example)
    elif fits(one, worker):
        assert not fits(other, worker)


def test_a_star_is_not_literal() -> None:
    assert [literal(pattern) for pattern in ("kz-*", "*", "kz-1")] == [3, 0, 4]
