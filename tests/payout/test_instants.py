"""payout.instants: moments as people write them."""

from __future__ import annotations

import pytest

from payout.instants import format_instant, parse_instant


@pytest.mark.parametrize(
    ("text", "time_ms"),
    [
        ("2026-11-28", 1_795_824_000_000),
        ("2026-11-28T09:30", 1_795_858_200_000),
        ("2026-11-28T09:30:00.250Z", 1_795_858_200_250),
        ("2026-11-28T09:30+05:00", 1_795_840_200_000),
        ("1795824000000", 1_795_824_000_000),
        ("1970-01-01", 0),
    ],
)
def test_a_time_is_read_in_utc_unless_it_says_otherwise(text: str, time_ms: int) -> None:
    assert parse_instant(text) == time_ms


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "28.11.2026", "1969-12-31", "-1", "9" * 30, "٢" * 13])
def test_what_is_no_time_is_refused_with_what_may_be_given(text: str) -> None:
    with pytest.raises(ValueError, match="is no time: give a date"):
        parse_instant(text)


@pytest.mark.parametrize(
    ("time_ms", "text"), [(0, "1970-01-01 00:00:00 UTC"), (1_795_858_200_250, "2026-11-28 09:30:00.250 UTC")]
)
def test_a_time_is_shown_with_its_zone(time_ms: int, text: str) -> None:
    assert format_instant(time_ms) == text


@pytest.mark.parametrize("text", ["2026-11-28", "2026-11-28T09:30"])
def test_where_hours_cost_money_a_time_says_its_zone(text: str) -> None:
    with pytest.raises(ValueError, match="does not say its zone"):
        parse_instant(text, needs_zone=True)
    assert parse_instant(f"{text[:10]}T09:30Z", needs_zone=True) == 1_795_858_200_000
