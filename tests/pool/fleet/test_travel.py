"""The machines of a move on their way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pool.fleet.move import Move, Step
from pool.fleet.travel import (
    Seen,
    Status,
    Traveller,
    by_rack,
    in_turn,
    is_in_transit,
    is_late,
    is_over,
    next_orders,
    observe,
    standing_orders,
    status,
)
from tests.pool.fleet.moves import DEADLINE_MS, LOGINS, START_MS, event, fleet, planned, running

PATIENCE_MS = 40_000  # 10 s of grace, and SETTLE_MS


def ask(move: Move, machines: list[Traveller], now_ms: int) -> list[Traveller]:
    """The fleet after whoever was due was told."""
    asked = {each.login: each for each in next_orders(move, machines, now_ms)}
    return [asked.get(each.login, each) for each in machines]


def see(move: Move, machines: list[Traveller], seen: Seen, now_ms: int) -> list[Traveller]:
    return [observe(move, each, seen, now_ms) for each in machines]


def statuses(move: Move, machines: list[Traveller], now_ms: int) -> list[Status]:
    return [status(move, each, now_ms) for each in machines]


class TestWhoIsDue:
    def test_nobody_before_the_start(self) -> None:
        assert next_orders(planned(), fleet(), START_MS) == []

    def test_the_first_machine_of_the_first_rack_at_once(self) -> None:
        assert [each.login for each in next_orders(running(), fleet(), START_MS)] == [LOGINS[0]]

    def test_one_after_the_other_by_rack_whatever_order_they_were_in(self) -> None:
        move, machines, told = running(), in_turn(running(), fleet()[::-1]), []
        for now_ms in range(START_MS, START_MS + 60_000, 1000):
            told += [each.login for each in next_orders(move, machines, now_ms)]
            machines = ask(move, machines, now_ms)
        assert told == LOGINS

    def test_nobody_while_it_is_paused_and_the_next_one_afterwards(self) -> None:
        machines = ask(running(), fleet(), START_MS)
        paused = running().take(event(Step.PAUSE, START_MS + 1000))
        assert next_orders(paused, machines, START_MS + 60_000) == []
        resumed = paused.take(event(Step.RESUME, START_MS + 90_000))
        assert [each.login for each in next_orders(resumed, machines, START_MS + 90_000)] == [LOGINS[1]]

    def test_told_twice_for_one_turn_is_told_once_when_the_first_was_kept(self) -> None:
        machines = ask(running(), fleet(), START_MS)
        assert next_orders(running(), machines, START_MS + 100) == []

    def test_who_has_arrived_before_its_turn_is_not_told(self) -> None:
        machines = see(running(), fleet(), Seen(shares_ms={LOGINS[0]: START_MS + 1}), START_MS + 2)
        assert [each.login for each in next_orders(running(), machines, START_MS + 2)] == [LOGINS[1]]

    def test_who_stays_is_told_again_after_a_while_behind_all_others_and_three_times_in_all(self) -> None:
        move, machines, tries = running(), fleet()[:2], 0
        for now_ms in range(START_MS, START_MS + 3_000_000, 1000):
            tries += len(next_orders(move, machines, now_ms))
            machines = see(move, ask(move, machines, now_ms), Seen(here=set(LOGINS)), now_ms)
        assert tries == 2 * move.plan.tries

    def test_nobody_is_told_again_once_the_site_is_dark(self) -> None:
        machines = ask(running(), fleet()[:1], START_MS)
        assert next_orders(running(), machines, DEADLINE_MS + 1) == []


class TestWhereAMachineIs:
    def test_that_it_was_told_may_be_known_after_its_first_share_there(self) -> None:
        move, machines = running(), ask(running(), fleet()[:1], START_MS)
        arrival = {LOGINS[0]: START_MS + 900}
        machines = see(move, machines, Seen(shares_ms=arrival), START_MS + 1000)
        machines = see(move, machines, Seen(shares_ms=arrival, told_ms={LOGINS[0]: START_MS + 50}), START_MS + 2000)
        assert (machines[0].out.told_ms, machines[0].out.arrived_ms) == (START_MS + 50, START_MS + 900)

    def test_who_was_never_due_was_not_told(self) -> None:
        machines = see(running(), fleet()[:1], Seen(told_ms={LOGINS[0]: START_MS + 50}), START_MS + 1000)
        assert machines[0].out.told_ms is None

    def test_it_is_told_then_gone_then_arrived_with_its_first_share_there(self) -> None:
        move, machines = running(), ask(running(), fleet()[:1], START_MS)
        found = []
        for at_ms, seen in (
            (100, Seen(here={LOGINS[0]}, told_ms={LOGINS[0]: START_MS + 50})),
            (2000, Seen()),
            (3000, Seen(there={LOGINS[0]})),
            (4000, Seen(there={LOGINS[0]}, shares_ms={LOGINS[0]: START_MS + 3900})),
        ):
            machines = see(move, machines, seen, START_MS + at_ms)
            found += statuses(move, machines, START_MS + at_ms)
        assert found == [Status.TOLD, Status.GONE, Status.GONE, Status.ARRIVED]
        leg = machines[0].out
        assert (leg.asked_ms, leg.told_ms, leg.gone_ms, leg.arrived_ms) == (
            START_MS,
            START_MS + 50,
            START_MS + 2000,
            START_MS + 3900,
        )

    def test_one_that_ignores_it_is_a_straggler(self) -> None:
        machines = see(running(), ask(running(), fleet()[:1], START_MS), Seen(here={LOGINS[0]}), START_MS + PATIENCE_MS)
        assert statuses(running(), machines, START_MS + PATIENCE_MS) == [Status.STRAGGLER]

    def test_one_that_comes_back_to_the_old_place_is_a_straggler(self) -> None:
        machines = see(running(), ask(running(), fleet()[:1], START_MS), Seen(), START_MS + 1000)
        machines = see(running(), machines, Seen(here={LOGINS[0]}), START_MS + PATIENCE_MS)
        assert statuses(running(), machines, START_MS + PATIENCE_MS) == [Status.STRAGGLER]

    def test_a_share_there_from_before_the_start_is_no_arrival(self) -> None:
        machines = see(
            running(), ask(running(), fleet()[:1], START_MS), Seen(shares_ms={LOGINS[0]: START_MS - 1}), START_MS
        )
        assert statuses(running(), machines, START_MS) != [Status.ARRIVED]

    def test_one_that_mines_at_both_ends_long_after_it_arrived_is_two_machines_of_one_name(self) -> None:
        machines = see(running(), fleet()[:1], Seen(shares_ms={LOGINS[0]: START_MS + 1}), START_MS + 2)
        both = Seen(here={LOGINS[0]}, there={LOGINS[0]})
        assert see(running(), machines, both, START_MS + 1000)[0].twice_ms is None
        assert see(running(), machines, both, START_MS + 60_000)[0].twice_ms == START_MS + 60_000

    def test_a_straggler_that_goes_at_last_arrives_like_all_others(self) -> None:
        machines = see(running(), ask(running(), fleet()[:1], START_MS), Seen(here={LOGINS[0]}), START_MS + PATIENCE_MS)
        machines = see(running(), machines, Seen(shares_ms={LOGINS[0]: START_MS + 99_000}), START_MS + 99_500)
        assert statuses(running(), machines, START_MS + 99_500) == [Status.ARRIVED]


class TestOrdersThatStand:
    def test_they_stand_until_the_machine_is_seen_to_go(self) -> None:
        machines = ask(running(), fleet()[:1], START_MS)
        assert [each.login for each in standing_orders(running(), machines, START_MS + 1000)] == [LOGINS[0]]
        assert standing_orders(running(), see(running(), machines, Seen(), START_MS + 2000), START_MS + 2000) == []

    def test_they_do_not_stand_for_ever(self) -> None:
        assert standing_orders(running(), ask(running(), fleet()[:1], START_MS), START_MS + PATIENCE_MS) == []

    def test_they_are_withdrawn_by_a_pause(self) -> None:
        machines = ask(running(), fleet()[:1], START_MS)
        assert standing_orders(running().take(event(Step.PAUSE, START_MS + 1)), machines, START_MS + 2) == []

    def test_after_a_crash_between_writing_and_telling_they_stand_as_before(self) -> None:
        machines = ask(running(), fleet()[:1], START_MS)
        assert standing_orders(running(), machines, START_MS) == standing_orders(running(), machines, START_MS + 5000)


class TestRollback:
    def back(self) -> tuple[Move, list[Traveller]]:
        """Two arrived, one is told and stays, the others were not told when the move is rolled back."""
        move, machines = running(), fleet()
        for now_ms in (START_MS, START_MS + 3000, START_MS + 6000):
            machines = ask(move, machines, now_ms)
        shares_ms = {LOGINS[0]: START_MS + 2000, LOGINS[1]: START_MS + 5000}
        machines = see(move, machines, Seen(here={LOGINS[2]}, shares_ms=shares_ms), START_MS + 7000)
        return move.take(event(Step.ROLL_BACK, START_MS + 8000)), machines

    def test_who_was_not_told_stays_and_who_was_is_to_come_back(self) -> None:
        move, machines = self.back()
        assert statuses(move, machines, START_MS + 8000) == [Status.PENDING] * 3 + [Status.STAYED] * 9

    def test_they_are_told_in_the_same_waves(self) -> None:
        move, machines = self.back()
        asked = []
        for now_ms in range(START_MS + 8000, START_MS + 30_000, 1000):
            asked += [(each.login, now_ms) for each in next_orders(move, machines, now_ms)]
            machines = ask(move, machines, now_ms)
        assert asked == [(LOGINS[at], START_MS + 8000 + at * 3000) for at in range(3)]

    def test_it_is_over_when_each_has_a_share_at_the_old_place_again(self) -> None:
        move, machines = self.back()
        for now_ms in range(START_MS + 8000, START_MS + 30_000, 1000):
            machines = ask(move, machines, now_ms)
        assert not is_over(move, machines, START_MS + 31_000)
        machines = see(move, machines, Seen(shares_ms=dict.fromkeys(LOGINS[:3], START_MS + 30_000)), START_MS + 31_000)
        assert is_over(move, machines, START_MS + 31_000)


class TestAlarms:
    def test_a_machine_in_transit_is_silent_until_it_is_late(self) -> None:
        move = running()
        machines = see(move, ask(move, fleet()[:1], START_MS), Seen(), START_MS + 1000)
        late_ms = move.plan.late_ms
        assert (is_in_transit(move, machines[0], late_ms - 1), is_late(move, machines[0], late_ms - 1)) == (True, False)
        assert (is_in_transit(move, machines[0], late_ms), is_late(move, machines[0], late_ms)) == (False, True)

    def test_one_that_was_not_told_yet_is_not_silent_while_its_site_has_power(self) -> None:
        assert not is_in_transit(running(), Traveller(LOGINS[5]), DEADLINE_MS - 1)
        assert is_in_transit(running(), Traveller(LOGINS[5]), DEADLINE_MS)

    def test_one_that_arrived_is_never_late(self) -> None:
        machines = see(running(), fleet()[:1], Seen(shares_ms={LOGINS[0]: START_MS + 1}), START_MS + 2)
        assert not is_late(running(), machines[0], running().plan.late_ms + 1)

    def test_a_closed_move_has_nobody_late(self) -> None:
        closed = running().take(event(Step.CLOSE, START_MS + 1))
        assert not is_late(closed, Traveller(LOGINS[0]), closed.plan.late_ms + 1)


def test_stragglers_are_listed_by_rack_in_order() -> None:
    racks = by_rack(running(), fleet()[::-1])
    assert list(racks) == ["sc-r1", "sc-r2", "sc-r10"]
    assert [each.login for each in racks["sc-r2"]] == LOGINS[4:8]


@given(st.data())
def test_whatever_is_lost_between_two_steps_every_machine_gets_its_turn_and_none_before_it(data: st.DataObject) -> None:
    """The one who tells them dies at any step, before or after it wrote down who was due."""
    move, machines = running(), fleet()
    first_asked: dict[str, int] = {}
    for now_ms in range(START_MS, START_MS + 120_000, 1000):
        if data.draw(st.booleans()):
            continue  # nobody was there to look
        due = next_orders(move, machines, now_ms)
        for each in due:
            first_asked.setdefault(each.login, now_ms)
        if data.draw(st.booleans()):
            asked = {each.login: each for each in due}
            machines = [asked.get(each.login, each) for each in machines]
    for now_ms in range(START_MS + 120_000, START_MS + 200_000, 1000):
        machines = ask(move, machines, now_ms)
    assert all(each.out.asked_ms is not None for each in machines)
    scheduled = move.plan.pace.schedule(len(LOGINS), START_MS)
    assert all(first_asked.get(login, at) >= at for login, at in zip(LOGINS, scheduled, strict=True))
