"""payout.luck: what groups of machines should have found and what they have, in whole numbers."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payout.ledger import LedgerError
from payout.luck import BANDS, NOTHING, UNKNOWN, Group, Kind, Tally, add_to, firmware_of, pack, tally_of, unpack
from payout.rewards import UNIT


def near(**bands: int) -> list[int]:
    return [bands.get(f"b{band}", 0) for band in range(BANDS)]


def test_shares_are_expected_to_find_what_their_units_say() -> None:
    tally = tally_of(UNIT // 4096, 8192, near(b0=1, b3=9))
    assert tally.expected_blocks == 2
    assert tally.blocks == 1
    assert [tally.expected(band) for band in range(4)] == [2, 2, 4, 8]
    assert tally.found[3] == 9


def test_a_band_above_the_target_of_the_shares_says_nothing_of_them() -> None:
    tally = tally_of(UNIT // 4, 4, near(b0=1, b1=1, b2=2, b3=7))
    assert tally.found == (1, 1, 2) + (0,) * (BANDS - 3)
    assert [tally.expected(band) for band in range(4)] == [1, 1, 2, 0]


def test_the_bands_up_to_the_target_of_the_shares_make_up_all_of_them() -> None:
    tally = tally_of(UNIT // 1024, 1024, near())
    assert sum(tally.expected(band) for band in range(BANDS)) == 1024


@given(st.lists(st.tuples(st.integers(0, UNIT), st.integers(0, 10**6)), max_size=5))
def test_order_and_grouping_change_nothing(parts: list[tuple[int, int]]) -> None:
    group = Group(Kind.ACCOUNT, "alice")
    forwards: dict[Group, Tally] = {}
    backwards: dict[Group, Tally] = {}
    for units, shares in parts:
        add_to(forwards, [group], tally_of(units, shares, near(b0=shares)))
    for units, shares in reversed(parts):
        half = shares // 2
        add_to(backwards, [group], tally_of(units, half, near(b0=half)))
        add_to(backwards, [group], tally_of(units, shares - half, near(b0=shares - half)))
    assert forwards == backwards
    assert forwards.get(group, NOTHING) == unpack(pack(forwards.get(group, NOTHING)))
    assert forwards.get(group, NOTHING).expected_blocks == Fraction(sum(u * n for u, n in parts), UNIT)


def test_what_pack_did_not_make_is_refused() -> None:
    for blob in (b"", b"\x92\x90\x90", b"\x01"):
        with pytest.raises(LedgerError, match="luck"):
            unpack(blob)


def test_a_firmware_is_what_the_miner_says_of_it() -> None:
    assert firmware_of("bosminer/2.1") == "bosminer/2.1"
    assert firmware_of("") == firmware_of("   ") == UNKNOWN
    assert len(firmware_of("x" * 200)) == 40
