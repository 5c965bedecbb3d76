"""Money on random pools: a few of the million cases of `scripts/fuzz money`, and those that once failed."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from payout.ledger import posting
from payout.maturity import State
from payout.ports import BookedBlock
from tests.payout.memory_books import MemoryBooks
from tests.payout.money_cases import (
    Player,
    Story,
    books_of,
    check,
    check_money,
    pieces_of,
    story_of,
)

CASES = int(os.environ.get("STEPPE_MONEY_CASES", "2000"))


def test_sums_are_exact_and_order_grouping_and_replay_change_nothing() -> None:
    for seed in range(CASES):
        try:
            check(seed)
        except AssertionError as error:
            raise AssertionError(f"the case of seed {seed}") from error


def test_the_cases_tell_all_that_can_happen() -> None:
    kinds: set[str] = set()
    states: set[State] = set()
    flips = reserves = 0
    for seed in range(300):
        books = check(seed)
        kinds |= {row.posting.kind for row in books.journal.rows()}
        for block in books.blocks.every():
            states.add(block.life.state)
            flips += block.life.flips
            reserves += block.reserve_sat > 0
    paid = {"payout.reserved", "payout.confirmed", "payout.unconfirmed", "payout.released"}
    assert kinds == paid | {"block.immature", "block.mature", "block.orphaned", "pps"}
    assert states == {*State}
    assert min(flips, reserves) > 0


def _played() -> tuple[Story, MemoryBooks]:
    """A story with a block that several stakes are paid by."""
    for seed in range(1_000):
        story = story_of(seed)
        books = books_of(story)
        Player(story, books).as_told()
        if any(
            len(block.credits) > 1 and block.reward_sat and block.reward_sat > 100 for block in books.blocks.every()
        ):
            return story, books
    raise AssertionError("no such story")


def _credited(books: MemoryBooks) -> BookedBlock:
    return next(
        block
        for block in books.blocks.every()
        if len(block.credits) > 1 and block.reward_sat and block.reward_sat > 100
    )


def _one_satoshi_moves(books: MemoryBooks) -> None:
    block = _credited(books)
    one, two, *rest = block.credits
    moved = replace(one, gross_sat=one.gross_sat + 1), replace(two, gross_sat=two.gross_sat - 1), *rest
    books.blocks.book(replace(block, credits=moved))


def _a_fee_rounds_up(books: MemoryBooks) -> None:
    block = _credited(books)
    one, *rest = block.credits
    books.blocks.book(replace(block, credits=(replace(one, fee_sat=one.fee_sat + 1), *rest)))


def _a_share_is_lost(books: MemoryBooks) -> None:
    books.shares.line.pop()


def _two_shares_change_places(books: MemoryBooks) -> None:
    line = books.shares.line
    other = next(place for place, share in enumerate(line) if share != line[0])
    line[0], line[other] = line[other], line[0]


def _a_picosatoshi_is_carried_too_much(books: MemoryBooks) -> None:
    name = next(iter(books.accruals.earned_psat))[1]
    books.accruals.carries_psat[name] = books.accruals.carries_psat.get(name, 0) + 1


def _a_miner_is_paid_twice(books: MemoryBooks) -> None:
    account = next(iter(books.accruals.earned_psat))[1]
    amounts = {"equity:pps_reserve": 5, f"liab:{account}:available": -5}
    books.journal.post([posting("pps:again", "pps", account, 1, amounts)])


@pytest.mark.parametrize(
    "change",
    [
        _one_satoshi_moves,
        _a_fee_rounds_up,
        _a_share_is_lost,
        _two_shares_change_places,
        _a_picosatoshi_is_carried_too_much,
        _a_miner_is_paid_twice,
    ],
    ids=lambda change: change.__name__[1:],
)
def test_these_checks_would_see_it(change: Callable[[MemoryBooks], None]) -> None:
    story, books = _played()
    records = [record for piece in pieces_of(story) for record in piece.records]
    check_money(story, books, records)
    change(books)
    with pytest.raises(AssertionError):
        check_money(story, books, records)
