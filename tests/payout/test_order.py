"""payout.order: the line of score and how a stretch of it is stored."""

from __future__ import annotations

import zlib
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payout.ledger import LedgerError
from payout.order import SUMMED, OrderedShares, Worths, add_up, clip, pack, pack_sums, pieces, unpack, unpack_sums
from payout.rewards import UNIT, sum_weights, take_window
from tests.payout.scene import ordered

WORTHS = st.tuples(st.integers(1, 9), st.integers(0, UNIT))
SHARES = st.lists(WORTHS, max_size=40)


@given(SHARES, st.lists(st.integers(0, 99), max_size=40), st.integers(1, 2**40))
def test_stored_shares_come_back(shares: list[tuple[int, int]], gaps: list[int], first_seq: int) -> None:
    stored = ordered(shares, first_seq, gaps)
    again = unpack(pack(stored)[0])
    assert (list(again.in_order()), list(again.seqs())) == (shares, list(stored.seqs()))
    assert (add_up([again]), again.count) == (add_up([stored]), len(shares))


@given(st.dictionaries(st.integers(1, 10**6), st.integers(0, 2**120)))
def test_stored_sums_come_back(sums: dict[int, int]) -> None:
    assert unpack_sums(pack_sums(sums)) == sums


@given(SHARES)
def test_the_sums_are_those_of_the_shares(shares: list[tuple[int, int]]) -> None:
    assert add_up([ordered(shares)]) == sum_weights(shares)
    assert ordered(shares).units() == sum(units for _, units in shares)


@given(SHARES, st.integers(0, 2**100), st.integers(1, 50 * UNIT))
def test_a_stretch_is_what_walking_back_takes(shares: list[tuple[int, int]], start: int, capacity: int) -> None:
    end = start + sum(units for _, units in shares)
    walked = sum_weights(take_window(reversed(shares), capacity))
    assert clip(shares, start, end - capacity, end) == {stake: weight for stake, weight in walked.items() if weight}


@given(SHARES, st.integers(0, 2**100), st.data())
def test_two_halves_of_a_stretch_make_the_whole(shares: list[tuple[int, int]], start: int, data: st.DataObject) -> None:
    end = start + sum(units for _, units in shares)
    middle = data.draw(st.integers(start, end))
    halves = [clip(shares, start, start, middle), clip(shares, start, middle, end)]
    assert add_up(halves) == {stake: units for stake, units in sum_weights(shares).items() if units}


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_pieces_make_up_the_whole_and_are_few(start: int, length: int) -> None:
    covered: list[tuple[int, int]] = []
    of_height: dict[int, int] = {}
    for height, first, stop in pieces(start, start + length):
        covered.append((first * SUMMED**height, stop * SUMMED**height))
        of_height[height] = of_height.get(height, 0) + stop - first
    covered.sort()
    assert sum(stop - first for first, stop in covered) == length
    assert all(one[1] == two[0] for one, two in pairwise(covered))
    assert not covered or covered[0][0] == start
    assert all(count < 2 * SUMMED for count in of_height.values())


def test_a_thousand_shares_take_few_bytes() -> None:
    assert len(pack(ordered([(number % 50, 12345678901234567890) for number in range(1000)]))[0]) < 1000


def test_a_share_may_be_one_of_many_runs() -> None:
    worths = Worths.of(range(70_000), [7] * 70_000)
    picks = b"".join(place.to_bytes(4, "big") for place in reversed(range(70_000)))
    again = unpack(pack(OrderedShares(worths, range(70_000), [1] * 70_000, picks, [(1, 70_000)]))[0])
    assert [stake for stake, _ in again.in_order()][:2] == [69_999, 69_998]


def columns(**changes: Any) -> bytes:
    """Two shares of one run, stored, with columns that say otherwise."""
    right: dict[str, Any] = {"format": 2, "stakes": [1], "score_of": [0], "scores": [b"\x01"], "counts": [2]}
    right |= {"stretches": [1, 2], "picks": b"\0\0"}
    return zlib.compress(msgspec.msgpack.encode(list((right | changes).values())))


def test_the_columns_are_right_but_for_the_changes() -> None:
    assert list(unpack(columns()).in_order()) == [(1, 1), (1, 1)]


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"x",
        zlib.compress(b"\x90"),
        columns(format=1),
        columns(stakes=[1, 2]),
        columns(score_of=[1]),
        columns(counts=[3]),
        columns(counts=[1]),
        columns(stretches=[1]),
        columns(stretches=[1, 3]),
        columns(picks=b"\0\1"),
        columns(picks=b"\0\0\0\0\0\0"),
        columns(picks=b""),
    ],
)
def test_what_was_not_stored_by_us_is_refused(blob: bytes) -> None:
    with pytest.raises(LedgerError, match="stored shares"):
        unpack(blob)


def test_sums_that_were_not_stored_by_us_are_refused() -> None:
    with pytest.raises(LedgerError, match="stored sums"):
        unpack_sums(b"\x01")
