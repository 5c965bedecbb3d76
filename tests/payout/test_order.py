"""payout.order: the line of score and how a stretch of it is stored."""

from __future__ import annotations

import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payout.ledger import LedgerError
from payout.order import OrderedShare, clip, pack, pack_sums, sum_units, unpack, unpack_sums
from payout.rewards import UNIT, sum_weights, take_window

SHARES = st.lists(st.tuples(st.integers(1, 100), st.integers(1, 9), st.integers(0, UNIT)), min_size=1, max_size=40).map(
    lambda rows: [OrderedShare(seq, stake, units) for seq, (_, stake, units) in zip(_seqs(rows), rows, strict=True)]
)


def _seqs(rows: list[tuple[int, int, int]]) -> list[int]:
    seq, seqs = 0, []
    for gap, _, _ in rows:
        seq += gap
        seqs.append(seq)
    return seqs


@given(SHARES)
def test_stored_shares_come_back(shares: list[OrderedShare[int]]) -> None:
    assert unpack(pack(shares)) == shares


@given(st.dictionaries(st.integers(1, 10**6), st.integers(0, 2**120)))
def test_stored_sums_come_back(sums: dict[int, int]) -> None:
    assert unpack_sums(pack_sums(sums)) == sums


@given(SHARES)
def test_the_sums_are_those_of_the_shares(shares: list[OrderedShare[int]]) -> None:
    assert sum(sum_units(shares).values()) == sum(share.units for share in shares)


@given(SHARES, st.integers(0, 2**100), st.integers(1, 50 * UNIT))
def test_a_stretch_is_what_walking_back_takes(shares: list[OrderedShare[int]], start: int, capacity: int) -> None:
    end = start + sum(share.units for share in shares)
    walked = sum_weights(take_window(((share.stake, share.units) for share in reversed(shares)), capacity))
    assert clip(shares, start, end - capacity, end) == {stake: weight for stake, weight in walked.items() if weight}


@given(SHARES, st.integers(0, 2**100), st.data())
def test_two_halves_of_a_stretch_make_the_whole(
    shares: list[OrderedShare[int]], start: int, data: st.DataObject
) -> None:
    end = start + sum(share.units for share in shares)
    middle = data.draw(st.integers(start, end))
    halves = [clip(shares, start, start, middle), clip(shares, start, middle, end)]
    total = sum_weights(pair for half in halves for pair in half.items())
    assert total == {stake: units for stake, units in sum_units(shares).items() if units}


def test_a_thousand_shares_take_few_bytes() -> None:
    shares = [OrderedShare(seq, seq % 50, 12345678901234567890) for seq in range(1, 1001)]
    assert len(pack(shares)) < 1000


def other_format() -> bytes:
    return zlib.compress(msgspec.msgpack.encode([2, 1, [], [1], [b"\x01"], [0]]))


def columns_of_other_lengths() -> bytes:
    return zlib.compress(msgspec.msgpack.encode([1, 1, [], [1, 2], [b"\x01"], [0]]))


def score_that_is_not_there() -> bytes:
    return zlib.compress(msgspec.msgpack.encode([1, 1, [], [1], [b"\x01"], [1]]))


@pytest.mark.parametrize(
    "blob",
    [b"", b"x", zlib.compress(b"\x90"), other_format(), columns_of_other_lengths(), score_that_is_not_there()],
    ids=["nothing", "noise", "an empty list", "another format", "columns of other lengths", "a score out of range"],
)
def test_what_was_not_stored_by_us_is_refused(blob: bytes) -> None:
    with pytest.raises(LedgerError, match="stored shares"):
        unpack(blob)


def test_sums_that_were_not_stored_by_us_are_refused() -> None:
    with pytest.raises(LedgerError, match="stored sums"):
        unpack_sums(b"\x01")
