"""pool.scenario.live_move_evidence: what machines, journals and books must not say of each other."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from payout.maturity import Life, State
from payout.ports import BookedBlock, FoundBlock
from pool.fleet.move import Place
from pool.fleet.report import Machine, MoveReport, Rack
from pool.scenario.acknowledged import Kept
from pool.scenario.chains import REGTEST
from pool.scenario.live_move_evidence import (
    Story,
    stayed_shares,
    wrong_arrivals,
    wrong_blocks,
    wrong_coins,
    wrong_fates,
    wrong_slices,
)
from pool.scenario.live_move_report import Holding
from pool.scenario.machines import Answered
from pool.scenario.two_regions import Endpoint

HERE, THERE = Endpoint("127.0.0.1", 3333), Endpoint("127.0.0.1", 3334)
WENT, STAYED, NEIGHBOUR = "bit.sc-r01-01", "bit.sc-r01-02", "neighbour.n-01"
SITES = {1: "ganzi", 2: "ekibastuz"}


def machine(login: str, arrived_ms: int | None) -> Machine:
    status = "straggler" if arrived_ms is None else "arrived"
    return Machine(login, "sc-r01", status, 1000, 1, 1000, None, arrived_ms, is_late=False, twice_ms=None)


def story(**changes: Any) -> Story:
    """One went, one is deaf, and a neighbour knows of nothing."""
    rack = Rack("sc-r01", {"arrived": 1, "straggler": 1}, (STAYED,), ())
    place = Place("ganzi", "sichuan", "127.0.0.1", 3333)
    move = MoveReport(
        name="out",
        state="closed",
        account="bit",
        pattern="sc-*",
        origin=place,
        target=place,
        words="power off",
        planned_ms=0,
        started_ms=1000,
        start_ms=None,
        deadline_ms=9000,
        planned_on_ms=9000,
        late_ms=9000,
        machines=2,
        counts={"arrived": 1},
        late=0,
        twice=(),
        racks=(rack,),
        events=(),
    )
    fields: dict[str, Any] = {
        "chain": REGTEST,
        "pace": "50%/6s",
        "seed": 1,
        "started_ms": 1000,
        "deaf": frozenset({STAYED}),
        "told": {WENT: 1, STAYED: 1, NEIGHBOUR: 0},
        "answers": [Answered(b"1" * 32, WENT, HERE, 500, ""), Answered(b"2" * 32, WENT, THERE, 2000, "")],
        "move": move,
        "machines": [machine(WENT, 2000), machine(STAYED, None)],
    }
    return Story(**{**fields, **changes})


def share(region: str, login: str, slice_id: int | None, block_hash: bytes | None = None) -> Kept:
    return Kept(("a" * 16, 1), region, b"1" * 32, 1000, login, slice_id, block_hash)


class TestArrivals:
    def test_a_move_as_it_should_be(self) -> None:
        assert list(wrong_arrivals(story(), THERE)) == []

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"answers": []}, f"{WENT} has arrived, as the pool says, and had no share acknowledged there"),
            (
                {"machines": [machine(WENT, None)]},
                f"{WENT} had shares acknowledged there, and has not arrived, as the pool says",
            ),
            ({"told": {WENT: 1, STAYED: 1, NEIGHBOUR: 1}}, f"{NEIGHBOUR}, which is not on the move, was told to go"),
            ({"told": {WENT: 1, STAYED: 0, NEIGHBOUR: 0}}, f"{STAYED} was never told to go"),
            ({"deaf": frozenset()}, f"{STAYED} is a straggler, and follows redirects"),
            ({"deaf": frozenset({STAYED, "bit.sc-r01-03"})}, "bit.sc-r01-03 is deaf, and no straggler"),
        ],
    )
    def test_what_does_not_agree_is_named(self, changes: dict[str, Any], says: str) -> None:
        assert list(wrong_arrivals(story(**changes), THERE)) == [says]

    def test_a_refused_share_at_the_other_end_is_no_arrival(self) -> None:
        refused = [Answered(b"2" * 32, WENT, THERE, 2000, "stale")]
        [found] = wrong_arrivals(story(answers=refused), THERE)
        assert found.endswith("had no share acknowledged there")


def test_what_a_straggler_finds_after_it_was_told_is_counted() -> None:
    answers = [
        Answered(b"1" * 32, STAYED, HERE, 900, ""),
        Answered(b"2" * 32, STAYED, HERE, 1100, ""),
        Answered(b"3" * 32, STAYED, HERE, 1200, "stale"),
        Answered(b"4" * 32, WENT, HERE, 1100, ""),
        Answered(b"5" * 32, NEIGHBOUR, HERE, 1100, ""),
    ]
    assert stayed_shares(story(answers=answers)) == 1


class TestSlices:
    def test_a_share_is_of_the_site_of_its_region_and_a_neighbours_of_none(self) -> None:
        good = [share("sichuan", STAYED, 1), share("kazakhstan", WENT, 2), share("sichuan", NEIGHBOUR, None)]
        assert list(wrong_slices(good, SITES)) == []

    @pytest.mark.parametrize(
        "wrong", [share("kazakhstan", WENT, 1), share("sichuan", WENT, None), share("sichuan", NEIGHBOUR, 1)]
    )
    def test_any_other_is_named(self, wrong: Kept) -> None:
        [found] = wrong_slices([wrong], SITES)
        assert found.startswith(f"a share of {wrong.login} at {wrong.region} is in slice {wrong.slice_id}, not of ")


class TestBlocks:
    BLOCK = b"\x01" * 32

    def booked(self, state: State) -> BookedBlock:
        found = FoundBlock(self.BLOCK, 9, 1000, "bit", "sc-r01-01", "a" * 16, 1, "accepted", 0, "8", "distribute")
        return BookedBlock(found, Life(self.BLOCK, 9, state))

    def test_a_block_that_the_books_lack_is_named(self) -> None:
        mined = share("sichuan", WENT, 1, self.BLOCK)
        assert list(wrong_blocks([], [mined])) == [f"block {'01' * 32} of {WENT} is not in the books"]
        assert list(wrong_blocks([self.booked(State.IMMATURE)], [mined])) == []

    def test_so_is_one_whose_fate_is_open(self) -> None:
        [found] = wrong_blocks([self.booked(State.CANDIDATE)], [])
        assert found == f"block {'01' * 32}: nobody knows what became of it"

    @pytest.mark.parametrize("state", [State.IMMATURE, State.MATURE])
    def test_one_that_pays_is_in_the_chain(self, state: State) -> None:
        block = self.booked(state)
        assert list(wrong_fates([block], {9: "01" * 32}.__getitem__)) == []
        [found] = wrong_fates([block], {9: "02" * 32}.__getitem__)
        assert found == f"block {'01' * 32} is {state.value} in the books, and the chain has {'02' * 32} there"

    @pytest.mark.parametrize("state", [State.ORPHANED, State.DEAD])
    def test_one_that_is_lost_is_not(self, state: State) -> None:
        block = self.booked(state)
        assert list(wrong_fates([block], {9: "02" * 32}.__getitem__)) == []
        [found] = wrong_fates([block], {9: "01" * 32}.__getitem__)
        assert found.startswith(f"block {'01' * 32} is {state.value} in the books")


class TestCoins:
    HOLDINGS = (Holding("bit", 150_000_000, 25), Holding("", 50_000_000, 0))

    def test_the_wallet_has_what_the_books_divide(self) -> None:
        wallet = {"trusted": Decimal("2.00000000"), "immature": Decimal("0.00000025")}
        assert list(wrong_coins(self.HOLDINGS, wallet)) == []

    def test_a_satoshi_that_is_nobodys_is_named(self) -> None:
        wallet = {"trusted": Decimal("2.00000001"), "immature": Decimal("0.00000024")}
        assert list(wrong_coins(self.HOLDINGS, wallet)) == [
            "200000001 satoshi of the wallet are mature, and the books divide 200000000",
            "24 satoshi of the wallet are not yet mature, and the books divide 25",
        ]
