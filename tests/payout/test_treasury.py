"""payout.treasury and the reserve behind it: who may be paid per share, what is booked, when it stops and goes on."""

from __future__ import annotations

from fractions import Fraction

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from payout import treasury
from payout.accounts import AccountRefused, Plan, Scheme
from payout.reserve import ALARM_RUIN, CLOSE_RUIN, Level, Policy, Standing, pps_reserve_sat
from payout.treasury import ReserveRefused, Terms
from pool.work.share import Outcome
from tests.payout.scene import MINUTE_MS, RULES, START_MS, Scene, job, share

POLICY = Policy(losses_bps=50, floor_sat=1_000_000)
SUBSIDY_SAT = 900_000
ALARM_SAT = pps_reserve_sat(SUBSIDY_SAT, 150, ALARM_RUIN)
CLOSE_SAT = pps_reserve_sat(SUBSIDY_SAT, 150, CLOSE_RUIN)
TERMS = Terms(POLICY, RULES.subsidy_sat)


class Operator(Scene):
    """A scene with an operator."""

    def fund(self, amount_sat: int, ticket: str = "t", *, from_fees: bool = False) -> Standing:
        with self.ledger.write() as books:
            return treasury.fund(books, TERMS, ticket, amount_sat, START_MS, from_fees=from_fees)

    def open(self, name: str, scheme: Scheme = Scheme.PPS, fee_bps: int = 200) -> None:
        with self.ledger.write() as books:
            treasury.open_account(books, TERMS, name, Plan(scheme, fee_bps, START_MS))

    def change(
        self, name: str, scheme: Scheme | None, fee_bps: int | None = None, minute: int = 1, now_minute: int = 0
    ) -> None:
        times_ms = [START_MS + each * MINUTE_MS for each in (minute, now_minute)]
        with self.ledger.write() as books:
            treasury.change_plan(books, TERMS, name, scheme, fee_bps, *times_ms)

    def resume(self, reason: str = "funded") -> int:
        with self.ledger.write() as books:
            return treasury.resume(books, TERMS, reason, START_MS).from_height

    def look(self) -> tuple[Level, int | None]:
        found, decided = self.accounting.watch_reserve(START_MS)
        return found.level, None if decided is None else decided.from_height

    def schemes(self, name: str) -> list[str]:
        with self.ledger.read() as books:
            found = books.accounts.get(name)
            assert found is not None
            return [plan.scheme.value for plan in found.plans]


@pytest.fixture
def scene(engine: Engine) -> Operator:
    return Operator(engine, replace(RULES, reserve=POLICY))


class TestFund:
    def test_coins_come_into_wallet_and_reserve(self, scene: Operator) -> None:
        scene.fund(500, "first")
        assert scene.balances() == {"asset:wallet": 500, "equity:pps_reserve": -500}
        assert scene.rows()[0].posting.key == "reserve:first"

    def test_a_ticket_is_booked_once(self, scene: Operator) -> None:
        scene.fund(500, "first")
        for amount_sat in (500, 501):
            with pytest.raises(ReserveRefused, match="ticket first"):
                scene.fund(amount_sat, "first")
        assert scene.balances()["equity:pps_reserve"] == -500

    @pytest.mark.parametrize(("ticket", "amount_sat"), [("", 5), ("a b", 5), ("a" * 65, 5), ("t", 0)])
    def test_what_says_nothing_is_refused(self, scene: Operator, ticket: str, amount_sat: int) -> None:
        with pytest.raises(ReserveRefused, match="1 to 64"):
            scene.fund(amount_sat, ticket)

    def test_fees_that_were_earned_can_be_put_there(self, scene: Operator) -> None:
        scene.account("alice", Scheme.PPLNS, 100)
        scene.take(share("alice", block="B1"))
        scene.reach(200, B1=100)
        scene.fund(9_000, from_fees=True)
        assert scene.balances()["income:pool_fee"] == -1_000
        assert scene.balances()["equity:pps_reserve"] == -9_000

    def test_fees_that_were_not_earned_cannot(self, scene: Operator) -> None:
        with pytest.raises(ReserveRefused, match="has 0 satoshi of fees"):
            scene.fund(1, from_fees=True)

    def test_what_nobody_relies_on_can_be_taken_out(self, scene: Operator) -> None:
        scene.fund(500, "in")
        scene.fund(-500, "out")
        assert scene.balances() == {}

    def test_more_than_there_is_cannot(self, scene: Operator) -> None:
        scene.fund(500, "in")
        with pytest.raises(ReserveRefused, match="holds 500 satoshi, less than 501"):
            scene.fund(-501, "out")

    def test_below_the_alarm_nothing_is_taken_out_while_accounts_are_paid_per_share(self, scene: Operator) -> None:
        scene.fund(ALARM_SAT + 10, "in")
        scene.open("kz")
        scene.fund(-10, "out")
        with pytest.raises(ReserveRefused, match=f"at least {ALARM_SAT} must stay"):
            scene.fund(-1, "more")


class TestJoining:
    @pytest.mark.parametrize("scheme", [Scheme.PPS, Scheme.FPPS, Scheme.PPS_PLUS])
    def test_without_a_reserve_nobody_is_paid_per_share(self, scene: Operator, scheme: Scheme) -> None:
        with pytest.raises(AccountRefused, match=f"{scheme.value} is refused: the reserve holds 0 satoshi.*fund"):
            scene.open("kz", scheme)
        scene.open("alice", Scheme.PPLNS)
        scene.open("so", Scheme.SOLO)

    def test_from_what_one_chance_of_ruin_in_a_hundred_asks_for_on_they_are(self, scene: Operator) -> None:
        scene.fund(CLOSE_SAT - 1, "most")
        with pytest.raises(AccountRefused, match=f"below {CLOSE_SAT}"):
            scene.open("kz")
        scene.fund(1, "rest")
        scene.open("kz")
        assert scene.look() == (Level.LOW, None)

    def test_who_asks_for_a_lower_fee_needs_a_larger_reserve(self, scene: Operator) -> None:
        scene.fund(CLOSE_SAT)
        with pytest.raises(AccountRefused, match=f"below {pps_reserve_sat(SUBSIDY_SAT, 100, CLOSE_RUIN)}"):
            scene.open("kz", fee_bps=150)

    def test_a_fee_that_covers_no_losses_is_refused_whatever_is_held(self, scene: Operator) -> None:
        scene.fund(10**12)
        with pytest.raises(AccountRefused, match="a margin of 0 basis points"):
            scene.open("kz", fee_bps=50)

    def test_an_account_cannot_change_to_it_either(self, scene: Operator) -> None:
        scene.open("alice", Scheme.PPLNS)
        with pytest.raises(AccountRefused, match="fpps is refused"):
            scene.change("alice", Scheme.FPPS)

    def test_who_is_paid_per_share_may_change_while_nobody_new_may(self, scene: Operator) -> None:
        scene.fund(CLOSE_SAT, "in")
        scene.open("kz")
        scene.take(share("kz", "1", height=101))
        with pytest.raises(AccountRefused):
            scene.open("ru")
        scene.change("kz", Scheme.PPS_PLUS)
        with pytest.raises(AccountRefused, match="margin of -50"):
            scene.change("kz", None, 0, minute=2)

    def test_one_seen_for_the_first_time_gets_pplns_while_nobody_new_may(self, engine: Engine) -> None:
        scene = Operator(engine, replace(RULES, reserve=POLICY, default_scheme=Scheme.FPPS, default_fee_bps=200))
        scene.take(share("early"))
        scene.fund(CLOSE_SAT)
        scene.take(share("late"))
        assert (scene.schemes("early"), scene.schemes("late")) == (["pplns"], ["fpps"])


class TestPlans:
    def test_a_change_holds_from_its_time_on(self, scene: Operator) -> None:
        scene.open("alice", Scheme.PPLNS, 100)
        scene.change("alice", Scheme.SOLO)
        scene.change("alice", None, 300, minute=2)
        with scene.ledger.read() as books:
            found = books.accounts.get("alice")
        assert found is not None
        assert [(plan.scheme, plan.fee_bps) for plan in found.plans] == [("pplns", 100), ("solo", 100), ("solo", 300)]
        assert [plan.requested_ms for plan in found.plans] == [None, START_MS, START_MS]

    def test_a_change_in_the_past_is_refused(self, scene: Operator) -> None:
        scene.open("alice", Scheme.PPLNS)
        with pytest.raises(AccountRefused, match="cannot change in the past"):
            scene.change("alice", Scheme.SOLO, minute=1, now_minute=2)

    def test_a_change_before_a_share_that_is_booked_is_refused(self, scene: Operator) -> None:
        scene.open("alice", Scheme.PPLNS)
        scene.take(share("bob", minute=3, outcome=Outcome.STALE))
        for minute in (1, 3):
            with pytest.raises(AccountRefused, match="are in the books"):
                scene.change("alice", Scheme.SOLO, minute=minute)
        scene.change("alice", Scheme.SOLO, minute=4)

    def test_a_change_to_what_is_is_refused(self, scene: Operator) -> None:
        scene.open("alice", Scheme.PPLNS, 100)
        with pytest.raises(AccountRefused, match="on pplns with 100 basis points already"):
            scene.change("alice", Scheme.PPLNS, 100)

    def test_a_fee_over_all_of_it_is_refused(self, scene: Operator) -> None:
        scene.open("alice", Scheme.PPLNS)
        with pytest.raises(AccountRefused, match="0 to 10000"):
            scene.change("alice", None, 10_001)

    def test_an_account_that_is_not_there_is_named(self, scene: Operator) -> None:
        with pytest.raises(AccountRefused, match="account nobody does not exist"):
            scene.change("nobody", Scheme.SOLO)


class TestStop:
    @pytest.fixture
    def used_up(self, scene: Operator) -> Operator:
        """A reserve that three blocks' worth of shares bring to the floor."""
        scene.fund(CLOSE_SAT + 1, "in")
        scene.open("kz")
        blocks = (CLOSE_SAT + 1 - POLICY.floor_sat) * 10_000 // (SUBSIDY_SAT * 9_800) + 1
        scene.take(*(share("kz", "1", height=105) for _ in range(blocks - 2)))
        assert scene.look() == (Level.CLOSED, None)
        scene.take(share("kz", "1", height=105), share("kz", "1", height=105), share("kz", "1", height=105))
        return scene

    def test_at_the_floor_jobs_of_the_next_height_are_paid_no_more(self, used_up: Operator) -> None:
        assert used_up.look() == (Level.STOPPED, 106)
        assert used_up.look() == (Level.STOPPED, None)

    def test_shares_of_older_jobs_are_paid_as_promised(self, used_up: Operator) -> None:
        used_up.look()
        with used_up.ledger.read() as books:
            before = books.reserve.accrued_psat()
        used_up.take(share("kz", "1", height=106))
        with used_up.ledger.read() as books:
            assert books.reserve.accrued_psat() == before
        used_up.take(share("kz", "1", height=105))
        with used_up.ledger.read() as books:
            assert books.reserve.accrued_psat() > before

    def test_what_was_earned_stays_payable(self, used_up: Operator) -> None:
        used_up.look()
        with used_up.ledger.read() as books:
            owed_sat = books.reserve.accrued_psat() // 10**12
        used_up.take(job(1))
        assert used_up.balances()["liab:kz:available"] == -owed_sat

    def test_nobody_new_is_taken_until_it_goes_on(self, used_up: Operator) -> None:
        used_up.look()
        used_up.fund(10**12, "more")
        with pytest.raises(AccountRefused, match="until `steppe reserve resume`"):
            used_up.open("ru")
        used_up.resume()
        used_up.open("ru")

    def test_it_goes_on_only_when_it_is_told_to(self, used_up: Operator) -> None:
        used_up.look()
        used_up.fund(10**12, "more")
        assert used_up.look() == (Level.STOPPED, None)
        assert used_up.resume() == 107
        assert used_up.look() == (Level.FUNDED, None)

    def test_it_does_not_go_on_with_too_little(self, used_up: Operator) -> None:
        used_up.look()
        with pytest.raises(ReserveRefused, match="are needed, more than the floor"):
            used_up.resume()

    def test_it_says_why_it_goes_on(self, used_up: Operator) -> None:
        used_up.look()
        with pytest.raises(ReserveRefused, match="say why"):
            used_up.resume(" ")

    def test_what_is_not_stopped_cannot_go_on(self, scene: Operator) -> None:
        with pytest.raises(ReserveRefused, match="is not stopped"):
            scene.resume()

    def test_without_anybody_paid_per_share_nothing_stops(self, scene: Operator) -> None:
        assert scene.look() == (Level.UNUSED, None)

    def test_the_watch_sees_what_the_ledger_has(self, used_up: Operator) -> None:
        used_up.take(job(1))
        used_up.fund(7, "more")
        found, _ = used_up.accounting.watch_reserve(START_MS)
        with used_up.ledger.read() as books:
            assert found == TERMS.standing(books, START_MS)


class TestWorthOfABlock:
    def test_under_fpps_it_has_the_fees_of_the_newest_day(self, scene: Operator) -> None:
        scene.fund(10**12)
        scene.open("kz", Scheme.FPPS)
        scene.take(share("kz", "1"))
        assert scene.accounting.watch_reserve(START_MS)[0].block_sat == SUBSIDY_SAT
        scene.end_day([90_000])
        assert scene.accounting.watch_reserve(START_MS)[0].block_sat == SUBSIDY_SAT + 90_000

    def test_what_should_be_held_follows_from_the_lowest_fee(self, scene: Operator) -> None:
        scene.fund(10**12)
        scene.open("kz", fee_bps=400)
        scene.open("ru", fee_bps=300)
        found, _ = scene.accounting.watch_reserve(START_MS)
        assert (found.margin_bps, found.alarm_sat) == (250, pps_reserve_sat(SUBSIDY_SAT, 250, Fraction(1, 1000)))
