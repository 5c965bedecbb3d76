"""payout.store.shares: a stored window is what walking back over all shares takes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from payout.accounts import Scheme, Stake
from payout.order import OrderedShare
from payout.rewards import UNIT, sum_weights, take_window
from payout.store.ledger import SqlLedger
from tests.databases import fresh

STAKES = [Stake(name, slice_id, scheme, 100) for name in "ab" for slice_id in (0, 3) for scheme in list(Scheme)[:2]]
SHARES = st.lists(st.tuples(st.sampled_from(STAKES), st.integers(1, UNIT)), max_size=25)


def append(
    ledger: SqlLedger, shares: Sequence[tuple[Stake, int]], cuts: Sequence[int] = (), first_seq: int = 1
) -> None:
    """Store shares as batches that end at the cuts."""
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < len(shares)}), len(shares)]
    with ledger.write() as books:
        books.accounts.resolve({stake.account: 0 for stake, _ in shares}, Scheme.PPLNS, 0)
        for start, stop in pairwise(edges):
            ordered = [OrderedShare(first_seq + at, *shares[at]) for at in range(start, stop)]
            if ordered:
                books.shares.append("f", 0, ordered)


def window(ledger: SqlLedger, low: int, high: int) -> dict[Stake, int]:
    with ledger.read() as books:
        return books.shares.window(low, high)


@settings(max_examples=40, deadline=None)
@given(SHARES, st.lists(st.integers(1, 24), max_size=6), st.integers(0, 25), st.integers(1, 10 * UNIT))
def test_a_stored_window_is_the_window_of_the_flat_list(
    sqlite_file: bytes, shares: list[tuple[Stake, int]], cuts: list[int], finder: int, capacity: int
) -> None:
    with fresh(sqlite_file) as engine:
        ledger = SqlLedger(engine)
        append(ledger, shares, cuts)
        upto = shares[: finder + 1]
        end = sum(units for _, units in upto)
        assert window(ledger, max(0, end - capacity), end) == sum_weights(take_window(reversed(upto), capacity))


A, B = STAKES[0], STAKES[4]


class TestWindow:
    def test_it_is_empty_before_the_first_share(self, ledger: SqlLedger) -> None:
        assert window(ledger, 0, 0) == {}

    def test_it_may_lie_within_one_share(self, ledger: SqlLedger) -> None:
        append(ledger, [(A, 100)])
        assert window(ledger, 20, 30) == {A: 10}

    def test_it_may_lie_within_one_batch(self, ledger: SqlLedger) -> None:
        append(ledger, [(A, 100), (B, 100), (A, 100)])
        assert window(ledger, 50, 250) == {A: 100, B: 100}

    def test_batches_inside_count_whole_and_those_at_the_edges_in_part(self, ledger: SqlLedger) -> None:
        append(ledger, [(A, 100), (B, 100)] * 4, cuts=[2, 4, 6])
        assert window(ledger, 150, 650) == {A: 250, B: 250}

    def test_a_batch_that_ends_where_the_window_begins_is_out(self, ledger: SqlLedger) -> None:
        append(ledger, [(A, 100), (B, 100)], cuts=[1])
        assert window(ledger, 100, 200) == {B: 100}

    def test_the_shares_of_batches_inside_are_not_read(self, ledger: SqlLedger) -> None:
        append(ledger, [(A, 1)] * 50, cuts=range(50))
        read: list[int] = []
        with ledger.read() as books:
            connection = books.shares._connection

            @event.listens_for(connection, "before_cursor_execute")
            def count(_c: object, _u: object, statement: str, parameters: object, *_more: object) -> None:
                if "share_batch.shares" in statement:
                    read.append(len(parameters))  # type: ignore[arg-type]

            books.shares.window(0, 50)
        assert read == [2]


class TestOrder:
    def test_it_goes_on_where_it_ended(self, ledger: SqlLedger) -> None:
        append(ledger, [(A, 100)])
        append(ledger, [(B, 50)], first_seq=2)
        with ledger.read() as books:
            assert books.shares.end() == 150

    def test_the_line_may_be_longer_than_64_bits(self, ledger: SqlLedger) -> None:
        append(ledger, [(A, UNIT), (B, UNIT), (A, UNIT)], cuts=[1, 2])
        assert window(ledger, UNIT // 2, 3 * UNIT) == {A: UNIT // 2 + UNIT, B: UNIT}

    def test_high_waters_are_kept_by_journal(self, ledger: SqlLedger) -> None:
        with ledger.write() as books:
            for frontend, seq in (("f", 5), ("g", 7), ("f", 9)):
                books.shares.advance(frontend, seq)
            assert books.shares.high_waters() == {"f": 9, "g": 7}
        with ledger.read() as books:
            assert [books.shares.high_water(frontend) for frontend in "fgh"] == [9, 7, 0]

    def test_the_same_end_of_a_journal_is_not_stored_twice(self, ledger: SqlLedger) -> None:
        append(ledger, [(A, 100)])
        with pytest.raises(Exception, match="refused a row of the books"):
            append(ledger, [(A, 100)])
