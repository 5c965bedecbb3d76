"""Both ledgers are sound, and the journal gives them again."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from sqlalchemy import select

from payout.accounts import Scheme, plan_at
from payout.scoring import network_work
from payout.watch import Watch
from pool.bitcoin.target import share_work
from pool.fleet.move import State
from pool.journal.reader import groups
from pool.journal.records import decode
from pool.rebuild.journals import Journals
from pool.rebuild.rebuild import Live, rebuild
from pool.scenario.bit_mining.books import PPS, RULES, ScenarioBooks
from pool.scenario.bit_mining.case import BEGINS_MS, OTHERS, OWNER, SUBSIDY_SAT
from pool.store.darkness import SqlDarkness
from pool.store.moves import SqlMoves
from pool.store.sql import connect, pps_carry, reading
from pool.work.share import Share
from tests.pool.scenario.bit_mining.small import Small


@pytest.fixture(params=[0, 1], ids=["pplns", "pps"])
def books(played: Small, request: pytest.FixtureRequest) -> ScenarioBooks:
    number: int = request.param
    return played.played.books[number]


def test_audit_and_watch_find_nothing(books: ScenarioBooks) -> None:
    assert books.audit() == ()
    with books.ledger.read() as read:
        assert Watch().look(read) == ()


def test_every_satoshi_of_the_ledger_adds_up_to_nothing(books: ScenarioBooks) -> None:
    with books.ledger.read() as read:
        assert sum(read.journal.balances_sat().values()) == 0


def test_a_rebuild_from_the_journal_is_identical(played: Small, books: ScenarioBooks, tmp_path: Path) -> None:
    journals = Journals([played.out / "journal"])
    empty = connect(f"sqlite:///{tmp_path / 'again.sqlite'}")
    report = rebuild(Live(books.engine, None, played.played.network), journals, empty, RULES, lambda *_: None)
    empty.dispose()
    assert [line for line in report.lines() if "DIFFERENT" in line] == []
    assert report.identical


def test_everybody_is_under_the_ledgers_way(books: ScenarioBooks) -> None:
    with books.ledger.read() as read:
        miners = [each for each in read.accounts.every() if each.name == OWNER or each.name.startswith("member-")]
    assert len(miners) == OTHERS.accounts + 1
    assert {plan_at(each.plans, BEGINS_MS).scheme for each in miners} == {books.way.scheme}


def test_the_whole_score_of_the_journal_is_on_the_line(played: Small, books: ScenarioBooks) -> None:
    with books.ledger.read() as read:
        assert read.shares.end() == sum(hour.units for hour in played.hours)


def test_pay_per_share_pays_each_share_its_price_and_not_a_picosatoshi_else(played: Small) -> None:
    (books,) = (each for each in played.played.books if each.way.scheme is Scheme.PPS)
    price_psat = 0
    for group in groups(played.played.journal):
        for record in decode(group.count, group.payload):
            if isinstance(record, Share):
                net = RULES.subsidy_sat(record.height)
                gross = net * 10**12 * share_work(record.difficulty, record.nbits) // network_work(record.nbits)
                price_psat += gross * (10_000 - PPS.owner_fee_bps) // 10_000
    with books.ledger.read() as read:
        carried_psat = sum(read.connection.execute(select(pps_carry.c.carry_psat)).scalars())
        settled_sat = sum(each.amount_sat for each in played.pps.incomes)
        accrued_psat = read.reserve.accrued_psat()
    assert RULES.subsidy_sat(690_000) == SUBSIDY_SAT
    assert settled_sat * 10**12 + carried_psat + accrued_psat == price_psat


def test_the_moves_are_in_the_books_with_who_arrived_and_who_was_dark(played: Small, books: ScenarioBooks) -> None:
    with reading(books.engine) as connection:
        moves = SqlMoves(connection)
        kept = {each.move.name: each for each in moves.every()}
        assert set(kept) == {leaving.move.name for leaving in played.played.leaving}
        for leaving in played.played.leaving:
            move = kept[leaving.move.name]
            assert move.move.state is State.CLOSED
            assert sorted(moves.travellers(move.id), key=lambda each: each.login) == sorted(
                leaving.travellers, key=lambda each: each.login
            )
        dark = SqlDarkness(connection).between(BEGINS_MS, None)
    assert len(dark) == sum(len(leaving.travellers) for leaving in played.played.leaving)


def test_the_reserve_pays_what_the_blocks_do_not(played: Small) -> None:
    reserve_sat = Fraction(-played.pps.balances_sat["equity:pps_reserve"])
    blocks_sat = sum(block.reward_sat for block in played.pps.blocks)
    immature_sat = -played.pps.balances_sat.get("equity:pps_reserve:immature", 0)
    paid_sat = sum(each.amount_sat for each in played.pps.incomes)
    assert reserve_sat + immature_sat == PPS.reserve_sat + blocks_sat - paid_sat
