"""payout.store.blocks."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from sqlalchemy import insert

from payout.accounts import Scheme, Stake
from payout.ledger import LedgerError
from payout.maturity import Life, State
from payout.ports import BookedBlock, FoundBlock
from payout.rewards import UNIT, Credit
from payout.store.ledger import SqlLedger
from payout.store.stakes import ids_of
from pool.store.sql import credit

FOUND = FoundBlock(b"\x01" * 32, 100, 5, "alice", "rig", "f", 9, "stale", 3 * UNIT, "1/2", "reserve")
ALICE, BOB = Stake("alice", 0, Scheme.PPLNS, 100), Stake("bob", 7, Scheme.PPS, 200)
CREDITS = (Credit(ALICE, UNIT, 60, 1), Credit(BOB, UNIT // 2, 40, 0))


def add(ledger: SqlLedger, *blocks: FoundBlock) -> list[bool]:
    with ledger.write() as books:
        return [books.blocks.add(block) for block in blocks]


def get(ledger: SqlLedger) -> BookedBlock | None:
    with ledger.read() as books:
        return books.blocks.get(FOUND.block_hash)


def test_a_found_block_is_a_candidate(ledger: SqlLedger) -> None:
    assert add(ledger, FOUND) == [True]
    assert get(ledger) == BookedBlock(FOUND, Life(FOUND.block_hash, 100))


def test_a_known_block_stays_as_it_is(ledger: SqlLedger) -> None:
    assert add(ledger, FOUND, replace(FOUND, finder="bob")) == [True, False]
    booked = get(ledger)
    assert booked is not None
    assert booked.found.finder == "alice"


def test_what_it_pays_comes_back(ledger: SqlLedger) -> None:
    add(ledger, FOUND)
    with ledger.write() as books:
        books.accounts.resolve({"alice": 0, "bob": 0}, Scheme.PPLNS, 0)
        books.blocks.book(BookedBlock(FOUND, Life(FOUND.block_hash, 100), 107, 7, CREDITS))
    assert get(ledger) == BookedBlock(FOUND, Life(FOUND.block_hash, 100), 107, 7, CREDITS)


def test_whose_it_is_whole_comes_back_whatever_else_that_account_had(ledger: SqlLedger) -> None:
    takers = [Stake("alice", 0, Scheme.SOLO, fee_bps) for fee_bps in (100, 200)]
    with ledger.write() as books:
        books.accounts.resolve({"alice": 0}, Scheme.PPLNS, 0)
    for number, taker in enumerate(takers):
        found = replace(FOUND, block_hash=bytes([number]) * 32, subsidy_sat=5, taker=taker)
        add(ledger, found)
        with ledger.read() as books:
            booked = books.blocks.get(found.block_hash)
        assert booked is not None
        assert booked.found == found


def test_in_older_books_all_of_a_credit_under_pps_was_bought(ledger: SqlLedger) -> None:
    add(ledger, FOUND)
    with ledger.write() as books:
        books.accounts.resolve({"alice": 0, "bob": 0}, Scheme.PPLNS, 0)
        ids_of(books.connection, [ALICE, BOB])
        for number, (gross_sat, fee_sat) in enumerate(((60, 1), (40, 0)), 1):
            row = {"block_hash": FOUND.block_hash, "stake_id": number, "weight": 1, "gross_sat": gross_sat}
            books.connection.execute(insert(credit).values(**row, fee_sat=fee_sat))
    booked = get(ledger)
    assert booked is not None
    assert [each.bought_sat for each in booked.credits] == [0, 40]


def test_what_it_pays_is_kept_once(ledger: SqlLedger) -> None:
    add(ledger, FOUND)
    booked = BookedBlock(FOUND, Life(FOUND.block_hash, 100), 107, 7, CREDITS)
    with ledger.write() as books:
        books.accounts.resolve({"alice": 0, "bob": 0}, Scheme.PPLNS, 0)
        books.blocks.book(booked)
    with pytest.raises(LedgerError), ledger.write() as books:
        books.blocks.book(replace(booked, reward_sat=108))
    assert get(ledger) == booked


def test_it_goes_from_state_to_state(ledger: SqlLedger) -> None:
    add(ledger, FOUND)
    before = Life(FOUND.block_hash, 100)
    with ledger.write() as books:
        books.blocks.move(before, replace(before, state=State.IMMATURE, flips=2))
    booked = get(ledger)
    assert booked is not None
    assert (booked.life.state, booked.life.flips) == (State.IMMATURE, 2)


def test_it_cannot_leave_a_state_that_it_is_not_in(ledger: SqlLedger) -> None:
    add(ledger, FOUND)
    stalled = Life(FOUND.block_hash, 100, State.IMMATURE)
    with pytest.raises(LedgerError, match="is not immature any more"), ledger.write() as books:
        books.blocks.move(stalled, replace(stalled, state=State.MATURE))


def test_open_blocks_come_by_height_and_hash_without_those_that_are_final(ledger: SqlLedger) -> None:
    lives = [Life(bytes([number]) * 32, height) for number, height in ((1, 9), (3, 7), (2, 7), (4, 5), (5, 6))]
    add(ledger, *(replace(FOUND, block_hash=life.block_hash, height=life.height) for life in lives))
    with ledger.write() as books:
        books.blocks.move(lives[3], replace(lives[3], state=State.MATURE))
        books.blocks.move(lives[4], replace(lives[4], state=State.DEAD))
        assert [life.block_hash[0] for life in books.blocks.open(200)] == [2, 3, 1]
        assert [life.block_hash[0] for life in books.blocks.open(100)] == [5, 2, 3, 1]


def test_the_highest_tip_is_kept(ledger: SqlLedger) -> None:
    with ledger.write() as books:
        books.blocks.see_height(100)
        books.blocks.see_height(101)
    with ledger.read() as books:
        assert books.blocks.chain_height() == 101
