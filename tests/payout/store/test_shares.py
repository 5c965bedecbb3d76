"""payout.store.shares: a stored window is what walking back over all shares takes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from payout.accounts import Scheme, Stake
from payout.order import SUMMED, pieces
from payout.ports import Batch
from payout.rewards import UNIT, sum_weights, take_window
from payout.store.ledger import SqlLedger
from tests.databases import fresh
from tests.payout.scene import ordered

STAKES = [Stake(name, slice_id, scheme, 100) for name in "ab" for slice_id in (0, 3) for scheme in list(Scheme)[:2]]
SHARES = st.lists(st.tuples(st.sampled_from(STAKES), st.integers(1, UNIT)), max_size=25)


def append(
    ledger: SqlLedger, shares: Sequence[tuple[Stake, int]], cuts: Sequence[int] = (), first_seq: int = 1
) -> None:
    """Store shares as batches that end at the cuts."""
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < len(shares)}), len(shares)]
    with ledger.write() as books:
        books.accounts.resolve({stake.account: 0 for stake, _ in shares}, Scheme.PPLNS, 0)
        books.shares.append(
            [
                Batch("f", first_seq + start, first_seq + stop - 1, 0, ordered(shares[start:stop], first_seq + start))
                for start, stop in pairwise(edges)
            ]
        )


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

    def test_a_batch_without_shares_takes_nothing_of_the_line(self, ledger: SqlLedger) -> None:
        append(ledger, [(A, 100), (B, 100)], cuts=[1])
        with ledger.write() as books:
            books.shares.append([Batch("g", number, number, 0, ordered([])) for number in range(1, 4)])
        append(ledger, [(A, 100)], first_seq=3)
        assert window(ledger, 50, 250) == {A: 100, B: 100}
        assert window(ledger, 0, 200) == {A: 100, B: 100}


class TestSums:
    """Sums over many batches, made as these come, whatever comes at once."""

    @settings(max_examples=15, deadline=None)
    @given(st.lists(st.integers(1, 300), max_size=5), st.data())
    def test_a_window_over_many_batches_is_what_is_in_them(
        self, sqlite_file: bytes, at_once: list[int], data: st.DataObject
    ) -> None:
        with fresh(sqlite_file) as engine:
            ledger, count = SqlLedger(engine), 0
            for more in at_once:
                append(ledger, [(STAKES[at % 7], 1) for at in range(count, count + more)], range(300), count + 1)
                count += more
            low = data.draw(st.integers(0, count))
            high = data.draw(st.integers(low, count))
            assert window(ledger, low, high) == sum_weights((STAKES[at % 7], 1) for at in range(low, high))

    def test_few_rows_are_read_however_many_batches_there_are(self, ledger: SqlLedger) -> None:
        count = SUMMED**2 + 3 * SUMMED
        append(ledger, [(A, 1)] * count, cuts=range(count))
        with ledger.read() as books:
            assert books.shares.window(1, count - 1) == {A: count - 2}
            read = [len(list(books.shares._sums(*piece))) for piece in pieces(1, count - 2)]
        assert sum(read) < 5 * SUMMED

    def test_the_edges_are_found_by_an_index(self, ledger: SqlLedger) -> None:
        append(ledger, [(A, 1)] * 50, cuts=range(50))
        plans: list[str] = []
        with ledger.read() as books:
            connection = books.shares._connection
            if connection.dialect.name == "sqlite":

                @event.listens_for(connection, "before_cursor_execute")
                def explain(_c: object, cursor: Any, statement: str, parameters: Any, *_more: object) -> None:
                    if "ORDER BY share_batch.score_after" in statement:
                        rows = cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
                        plans.append(" ".join(row[3] for row in rows))

                books.shares.window(10, 40)
                index = "SEARCH share_batch USING COVERING INDEX ix_share_batch_score_after (score_after>?)"
                assert plans == [index] * 2


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
