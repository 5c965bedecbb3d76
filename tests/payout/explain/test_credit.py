"""payout.explain.credit and per_share: every number can be followed by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from payout.accounts import Scheme
from payout.explain import credit, fee_day, per_share
from payout.explain.credit import CreditExplained
from payout.explain.fee_day import FeeDayExplained
from payout.explain.per_share import PerShareExplained
from payout.fee_days import day_name
from payout.pps import PSAT
from payout.rewards import Startup
from payout.scoring import work_of
from payout.store.explained import Explained, Unknown
from tests.payout.conftest import postgresql_books, sqlite_file
from tests.payout.scene import RULES, START_MS, Scene, block_hash, job, share

__all__ = ["postgresql_books", "sqlite_file"]


@pytest.fixture
def scene(engine: Engine) -> Scene:
    """A window of one block and a half, overfull: carol's first share is in it with a half."""
    made = Scene(engine, replace(RULES, window_x=Fraction(3, 2)))
    made.account("kz", Scheme.PPS, 200)
    made.take(share("carol", "2/3"), share("alice", "1/3"), share("kz", "1/3"))
    made.take(share("bob", "1/3"), share("alice", "1/3", block="B1", height=100))
    made.reach(105, B1=100)
    return made


def explained(scene: Scene, credit_id: str) -> CreditExplained:
    found = Explained(scene.engine).credit(credit_id)
    assert isinstance(found, CreditExplained)
    return found


def text(found: CreditExplained) -> str:
    return "\n".join(credit.words(found))


class TestOfABlock:
    def test_the_numbers_lead_to_the_credit_by_hand(self, scene: Scene) -> None:
        found = explained(scene, "100:alice")
        (part,) = found.parts
        exact = Fraction(found.shared_sat * int(part.units), int(found.all_units))
        assert Fraction(part.exact) == exact
        assert (part.floor_sat, Fraction(int(part.rest), int(found.all_units))) == (exact // 1, exact % 1)
        assert part.extra_sat == (part.rank <= found.missing_sat)
        assert part.gross_sat == part.floor_sat + part.extra_sat
        assert part.fee_sat == part.gross_sat * part.fee_bps // 10_000
        assert found.own_sat == part.own_sat == part.gross_sat - part.fee_sat

    def test_the_parts_of_all_accounts_are_the_reward(self, scene: Scene) -> None:
        parts = [part for name in ("alice", "bob", "carol", "kz") for part in explained(scene, f"100:{name}").parts]
        assert sum(part.gross_sat for part in parts) == 1_000_000
        assert sum(part.extra_sat for part in parts) == explained(scene, "100:bob").missing_sat
        assert sorted(part.rank for part in parts) == [1, 2, 3, 4]

    def test_its_window_is_told_from_share_to_share(self, scene: Scene) -> None:
        found = explained(scene, "100:alice")
        assert found.oldest is not None
        assert found.newest is not None
        assert (found.oldest.share, found.newest.share) == ("f1:1", "f1:5")
        assert int(found.oldest.counted) < int(found.oldest.units)
        assert int(found.all_units) == int(found.capacity)

    def test_the_ledger_s_rows_have_what_is_the_account_s_and_sum_to_0(self, scene: Scene) -> None:
        (row,) = explained(scene, "100:alice").ledger
        amounts = dict(row.entries_sat)
        assert amounts["liab:alice:immature"] == -explained(scene, "100:alice").own_sat
        assert not any("bob" in name for name in amounts)
        assert sum(amounts.values()) + row.others_sat == 0

    def test_what_was_bought_is_the_reserve_s(self, scene: Scene) -> None:
        found = explained(scene, "100:kz")
        assert (found.own_sat, found.parts[0].bought_sat) == (0, found.parts[0].gross_sat)
        assert "To the reserve, which has bought the shares" in text(found)

    def test_an_account_without_shares_in_it_is_told_so(self, scene: Scene) -> None:
        scene.account("new", Scheme.PPLNS)
        assert "new has no part of this block: no share of it is in the window" in text(explained(scene, "100:new"))

    @pytest.mark.parametrize(
        ("tip", "ours", "says"),
        [
            (106, 100, "It is immature, with 7 confirmations: in 94 blocks"),
            (200, 100, "It is mature (101 confirmations)"),
            (106, 0, "It was reversed"),
        ],
    )
    def test_its_state_is_told(self, scene: Scene, tip: int, ours: int, says: str) -> None:
        scene.reach(tip, B1=ours)
        assert says in text(explained(scene, "100:alice"))

    def test_a_window_that_is_not_full_says_what_became_of_the_rest(self, engine: Engine) -> None:
        made = Scene(engine, replace(RULES, startup=Startup.RESERVE))
        made.take(share("alice", "1/2", block="B1"))
        made.reach(100, B1=100)
        found = explained(made, "100:alice")
        assert found.shared_sat == 1_000_000 * int(found.all_units) // int(found.capacity)
        assert found.reserve_sat == 1_000_000 - found.shared_sat > 700_000
        assert f"the rest, {found.reserve_sat:,} sat, is kept (equity:pplns_startup)" in text(found)

    def test_a_block_may_be_named_by_its_hash(self, scene: Scene) -> None:
        assert explained(scene, f"{block_hash('B1')[::-1].hex()}:bob") == explained(scene, "100:bob")


class TestPerShare:
    def test_what_was_earned_carried_and_posted_adds_up(self, scene: Scene) -> None:
        scene.take(share("kz", "1/3", minute=1), job(minute=2))
        found = [Explained(scene.engine).credit(f"pps:kz:{START_MS + minute * 60_000}") for minute in (0, 1)]
        first, second = (each for each in found if isinstance(each, PerShareExplained))
        work = work_of(share("kz", "1/3"))
        each_psat = 900_000 * PSAT * work.share // work.network * 98 // 100
        assert first.earned_psat == second.earned_psat == str(each_psat)
        assert first.carry_before_psat == "0"
        assert second.carry_before_psat == first.carry_after_psat == str(each_psat % PSAT)
        assert second.posted_sat == (each_psat % PSAT + each_psat) // PSAT
        posted = -dict(second.ledger[0].entries_sat)["liab:kz:available"]
        assert posted == second.posted_sat
        assert f"{second.posted_sat:,} sat" in "\n".join(per_share.words(second))

    def test_a_period_that_is_not_over_is_told_as_such(self, scene: Scene) -> None:
        found = Explained(scene.engine).credit(f"pps:kz:{START_MS}")
        assert isinstance(found, PerShareExplained)
        assert "The period is not settled yet" in "\n".join(per_share.words(found))


class TestOtherSchemes:
    def test_under_solo_the_finder_takes_it_all_and_nobody_else_has_a_part(self, engine: Engine) -> None:
        made = Scene(engine)
        made.account("lone", Scheme.SOLO, 200)
        made.take(share("alice"), share("lone", block="B1"))
        made.reach(100, B1=100)
        found = explained(made, "100:lone")
        assert (found.is_solo, found.own_sat, found.parts[0].fee_sat) == (True, 980_000, 20_000)
        assert "is on SOLO: the whole block is the finder's" in text(found)
        assert "has no part of this block: it did not find it" in text(explained(made, "100:alice"))

    def test_under_pps_plus_the_fees_of_the_block_are_the_account_s(self, engine: Engine) -> None:
        made = Scene(engine)
        made.account("plus", Scheme.PPS_PLUS, 200)
        made.take(share("plus"), share("alice", block="B1"))
        made.reach(100, B1=100)
        (part,) = explained(made, "100:plus").parts
        assert (part.gross_sat, part.bought_sat, part.own_sat, part.fee_sat) == (500_000, 450_000, 50_000, 0)
        assert of_ledger(made, "plus") == explained(made, "100:plus").own_sat == 50_000

    def test_a_day_of_fpps_is_followed_from_the_network_s_blocks_to_what_was_posted(self, engine: Engine) -> None:
        made = Scene(engine)
        made.account("fp", Scheme.FPPS, 200)
        made.take(share("fp"), share("fp"))
        settled = made.end_day([1_000, 2_000, 3_000, 90_000, 45_000, 4_000, 5_000, 6_000])
        assert settled is not None
        name = day_name(settled.day.day_ms)
        found = Explained(made.engine).credit(f"fpps:{name}:fp")
        assert isinstance(found, FeeDayExplained)
        (base,) = found.bases
        exact_psat = int(base.base_psat) * found.fees_sat // found.subsidy_sat * 98 // 100
        assert (found.blocks, found.used, int(base.bonus_psat)) == (8, 2, exact_psat)
        assert found.posted_sat == exact_psat // PSAT == -dict(found.ledger[0].entries_sat)["liab:fp:available"]
        assert f"{found.posted_sat:,} sat" in "\n".join(fee_day.words(found))

    def test_a_day_that_is_not_settled_is_refused(self, engine: Engine) -> None:
        made = Scene(engine)
        made.account("fp", Scheme.FPPS, 200)
        made.take(share("fp"))
        with pytest.raises(Unknown, match="or that day is not settled"):
            Explained(made.engine).credit("fpps:2023-11-14:fp")


def of_ledger(scene: Scene, name: str) -> int:
    return -scene.balances()[f"liab:{name}:immature"]


@pytest.mark.parametrize(
    ("credit_id", "says"),
    [
        ("alice", "'alice' is no credit: a credit is BLOCK:ACCOUNT"),
        ("7:alice", "the pool found no block at height 7; `steppe blocks` lists its blocks"),
        ("00" * 32 + ":alice", "the pool found no block 00"),
        ("x:alice", "'x' is no block: give its height or its hash"),
        ("100:nobody", "there is no account 'nobody'; `steppe account list`"),
        ("pps:kz:1", "nothing was earned per share by 'kz' in a period that began at 1"),
        ("100:", "is no credit"),
    ],
)
def test_an_id_of_nothing_says_what_ids_look_like_and_where_they_are(scene: Scene, credit_id: str, says: str) -> None:
    with pytest.raises(Unknown) as refused:
        Explained(scene.engine).credit(credit_id)
    assert says in str(refused.value)


def test_a_candidate_has_no_credits_yet(scene: Scene) -> None:
    scene.take(share("bob", block="B2", height=106))
    with pytest.raises(Unknown, match="is candidate: it was never in the chain"):
        Explained(scene.engine).credit("106:bob")


def test_two_blocks_at_one_height_are_told_apart_by_their_hashes(scene: Scene) -> None:
    scene.take(share("bob", block="B2", height=100))
    with pytest.raises(Unknown, match="found 2 blocks at height 100"):
        Explained(scene.engine).credit("100:bob")
