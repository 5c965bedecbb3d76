"""payout.watch: the invariants, from what came since the last look."""

from __future__ import annotations

from collections.abc import Iterator

from payout.ledger import FIRST_PREV_HASH, Posting, Row, posting, row_hash
from payout.maturity import Life
from payout.payment import Batch, State
from payout.payment_ports import Switch
from payout.watch import Watch
from payout.watch_ports import Stray
from pool.store.guards import Guards

EARNED = posting("earned", "x", "", 0, {"asset:wallet": 9, "liab:alice:available": -9})
RESERVED = posting("reserved", "x", "", 0, {"liab:alice:available": 5, "liab:alice:reserved": -5})


class FakeBooks:
    """Rows and reserved sums that are set by hand. Its parts are itself."""

    def __init__(self, *postings: Posting) -> None:
        self.rows: list[Row] = []
        self.reserved: dict[str, int] = {}
        self.batches: list[Batch] = []
        self.read_rows = 0
        self.journal = self.payouts = self.guards = self.strays = self.blocks = self
        self.seen = Guards((), "1")
        self.stopped = Switch(False, 0, "")
        self.strange: list[Stray] = []
        self.add(*postings)

    def add(self, *postings: Posting) -> None:
        for posted in postings:
            prev_hash = self.rows[-1].hash if self.rows else FIRST_PREV_HASH
            self.rows.append(Row(len(self.rows) + 1, posted, prev_hash, row_hash(prev_hash, posted)))

    def rows_after(self, row_id: int) -> Iterator[Row]:
        for row in self.rows[row_id:]:
            self.read_rows += 1
            yield row

    def live_states(self) -> dict[int, State]:
        return {batch.id: batch.state for batch in self.batches}

    def states(self) -> dict[int, State]:
        return self.live_states()

    def counts(self) -> dict[State, int]:
        return {}

    def reserved_sat(self) -> dict[str, int]:
        return self.reserved

    def look(self) -> Guards:
        return self.seen

    def switch(self) -> Switch:
        return self.stopped

    def open(self) -> list[Stray]:
        return self.strange

    def totals(self) -> tuple[tuple[str, int, int], ...]:
        return ()

    def rewards_sat(self) -> dict[Life, int | None]:
        return {}


def found(watch: Watch, books: FakeBooks) -> list[tuple[int, str]]:
    return [(finding.invariant, finding.what) for finding in watch.look(books)]  # type: ignore[arg-type]


def test_nothing_is_wrong_with_good_books() -> None:
    books = FakeBooks(EARNED, RESERVED)
    books.reserved = {"alice": 5}
    assert found(Watch(), books) == []


def test_each_row_is_read_once() -> None:
    books, watch = FakeBooks(EARNED), Watch()
    found(watch, books)
    found(watch, books)
    books.add(posting("more", "x", "", 0, {"asset:wallet": 1, "income:pool_fee": -1}))
    found(watch, books)
    assert books.read_rows == 2


def test_money_reserved_without_a_batch_is_invariant_4() -> None:
    assert found(Watch(), FakeBooks(EARNED, RESERVED)) == [
        (4, "alice has 5 satoshi reserved in the ledger and 0 in the batches on their way")
    ]


def test_a_batch_without_its_money_is_invariant_4() -> None:
    books, watch = FakeBooks(EARNED), Watch()
    assert found(watch, books) == []
    books.reserved, books.batches = {"bob": 3}, [Batch(1, State.RESERVED, 0, 0, 3)]
    assert {number for number, _ in found(watch, books)} == {4}


def test_what_is_wrong_is_told_until_it_is_mended() -> None:
    books, watch = FakeBooks(EARNED, RESERVED), Watch()
    assert len(found(watch, books)) == len(found(watch, books)) == 1
    books.reserved = {"alice": 5}
    assert found(watch, books) == []


def test_a_row_that_follows_another_one_is_invariant_1() -> None:
    books, watch = FakeBooks(EARNED), Watch()
    found(watch, books)
    other = FakeBooks(posting("else", "x", "", 0, {"asset:wallet": 8, "liab:alice:available": -8}), RESERVED)
    other.reserved = {"alice": 5}
    assert found(watch, other) == [(1, "row 2 of the journal does not follow row 1")]


def test_a_balance_on_the_wrong_side_is_invariant_2() -> None:
    books = FakeBooks(posting("x", "x", "", 0, {"asset:wallet": -1, "income:pool_fee": 1}))
    assert found(Watch(), books) == [
        (2, "asset:wallet stands at -1 satoshi, on the wrong side of zero"),
        (6, "1 satoshi more are owed than wallet and immature coins hold"),
    ]


def test_everything_is_read_again_when_something_was_done_to_the_guards() -> None:
    books, watch = FakeBooks(EARNED), Watch()
    found(watch, books)
    first = books.rows[0]
    books.rows[0] = Row(
        1, posting("earned", "x", "", 1, {"asset:wallet": 9, "liab:alice:available": -9}), first.prev_hash, first.hash
    )
    assert found(watch, books) == []
    books.seen = Guards((), "2")
    assert found(watch, books) == [(1, "row 1 of the journal was changed: its hash does not fit its content")]
    books.rows[0] = first
    assert len(found(watch, books)) == 1
    books.seen = Guards((), "3")
    assert found(watch, books) == []


def test_everything_is_read_again_when_payouts_are_let_go_on() -> None:
    books, watch = FakeBooks(EARNED), Watch()
    found(watch, books)
    books.stopped = Switch(True, 1, "looked")
    found(watch, books)
    assert books.read_rows == 1
    books.stopped = Switch(False, 2, "well")
    found(watch, books)
    found(watch, books)
    assert books.read_rows == 2


def test_a_guard_that_is_gone_is_invariant_9() -> None:
    books = FakeBooks(EARNED)
    books.seen = Guards(("entry_no_update",), "1")
    assert found(Watch(), books) == [(9, "trigger entry_no_update is gone or says something else")]


def test_a_block_that_pays_us_and_is_not_in_the_books_is_invariant_8() -> None:
    books = FakeBooks(EARNED)
    books.strange = [Stray(bytes(32), 7, 1, 50)]
    assert found(Watch(), books) == [
        (8, f"block {'00' * 32} at height 7 pays the pool 50 satoshi and is not in the books")
    ]
