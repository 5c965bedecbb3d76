"""Readiness: each dependency in words, with the mend."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pool.dashboard.checks import Check, State
from pool.dashboard.checks_of_books import LAG_WARN_SHARES
from pool.dashboard.fleet_rows import AlarmSign
from pool.dashboard.health import Health, judge
from pool.dashboard.readings import Reading
from pool.dashboard.role_rows import (
    AccountingRole,
    Broken,
    Disk,
    HeldBlock,
    MovesSign,
    ReserveSign,
    Roles,
    Suspected,
    WorkChain,
    WorkNode,
    WorkProposals,
)
from pool.dashboard.rows import LiveView, Totals
from tests.pool.dashboard.fakes import NOW_MS, stratum_role
from tests.pool.dashboard.judging import JOB, TOTALS, VIEW, WORK, check, health

GOOD_NODE = WorkNode("a:8332", "good", None, 8, True, False)


def with_template(age_seconds: float, node_reason: str | None = None) -> Health:
    job = replace(JOB, template_ms=NOW_MS - int(age_seconds * 1000))
    return health(replace(VIEW.roles, work={"main": replace(WORK, job=job, node_reason=node_reason)}))


def with_moves(**changes: object) -> Health:
    moves = replace(MovesSign(open=1, counts={}, late={}, strays=0), **changes)
    accounting = VIEW.roles.accounting
    assert accounting is not None
    return health(replace(VIEW.roles, accounting=replace(accounting, moves=moves)))


def test_machines_in_transit_are_silent_and_late_ones_are_named_by_their_move() -> None:
    assert check("moves", with_moves(counts={"gone": 320})).state is State.OK
    late = check("moves", with_moves(late={"ganzi-out": 17}))
    assert (late.state, "ganzi-out: 17" in late.text) == (State.WARN, True)


def test_a_site_in_the_dark_is_told_in_one_line() -> None:
    accounting = VIEW.roles.accounting
    assert accounting is not None
    assert check("fleet", health(VIEW.roles)).state is State.OK
    alarm = AlarmSign("site", "almaty", 2590, 2600, NOW_MS, ("r1",))
    dark = check("fleet", health(replace(VIEW.roles, accounting=replace(accounting, alarms=(alarm,)))))
    assert (dark.state, dark.text) == (State.WARN, "machines are dark: site almaty: 2,590 of 2,600")


def test_workers_that_strayed_want_a_person() -> None:
    strayed = check("moves", with_moves(strays=3))
    assert (strayed.state, strayed.text[:9]) == (State.WARN, "3 workers")


def test_a_move_that_a_notice_opened_wants_a_person() -> None:
    waits = check("moves", with_moves(drafts=("ganzi-out", "ganzi-out-2")))
    assert (waits.state, "ganzi-out and 1 more" in waits.text) == (State.WARN, True)
    assert (waits.mend or "").startswith("`steppe move plan ganzi-out --to SITE`")


def test_a_region_without_a_work_role_is_down() -> None:
    roles = tuple(replace(stratum_role(name, 1), region=name) for name in ("sichuan", "texas"))
    verdict = health(replace(VIEW.roles, stratum=roles, work={"sichuan": WORK}))
    assert (check("work", verdict).state, "texas" in check("work", verdict).text) == (State.DOWN, True)
    assert health(replace(VIEW.roles, stratum=roles, work={"sichuan": WORK, "texas": WORK})).ready


def test_all_is_well_when_everyone_is_there() -> None:
    assert health().ready
    assert {each.state for each in health().checks} == {State.OK}


def test_every_dependency_has_its_check_in_a_fixed_order() -> None:
    names = [each.name for each in health().checks]
    assert names == [
        "redis",
        "database",
        "work",
        "blocks",
        "nodes",
        "chain",
        "proposals",
        "template",
        "stratum",
        "disk",
        "accounting",
        "ledger",
        "reserve",
        "luck",
        "moves",
        "fleet",
    ]


def test_a_source_that_is_down_says_its_own_reason_and_what_waits() -> None:
    verdict = judge(Reading(VIEW), Reading[Totals](reason="The database is locked."), NOW_MS)
    mend = "Mining goes on and no share is lost. Credits and payouts wait for it."
    assert check("database", verdict) == Check("database", State.DOWN, "The database is locked.", mend)
    assert not verdict.ready


def test_without_redis_the_roles_are_unknown_rather_than_down() -> None:
    verdict = judge(Reading[LiveView](reason="Redis is not running."), Reading(TOTALS), NOW_MS)
    states = {each.name: each.state for each in verdict.checks}
    assert states.pop("redis") is State.DOWN
    assert states.pop("database") is State.OK
    assert set(states.values()) == {State.UNKNOWN}
    assert not verdict.ready


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("work", replace(VIEW.roles, work={})),
        ("stratum", replace(VIEW.roles, stratum=())),
        ("accounting", replace(VIEW.roles, accounting=None)),
    ],
)
def test_a_role_without_a_sign_of_life_is_down_and_has_a_mend(name: str, roles: Roles) -> None:
    verdict = health(roles)
    assert check(name, verdict).state is State.DOWN
    assert check(name, verdict).mend
    assert not verdict.ready


@pytest.mark.parametrize(
    ("age_seconds", "state"), [(0, State.OK), (60, State.OK), (61, State.WARN), (120, State.WARN), (121, State.DOWN)]
)
def test_a_template_warns_after_a_minute_and_is_down_after_two(age_seconds: int, state: State) -> None:
    assert check("template", with_template(age_seconds)).state is state


def test_a_clock_that_is_behind_makes_no_template_old() -> None:
    assert check("template", with_template(-30)).state is State.OK


def test_an_unreachable_node_is_named_before_its_template_is_old() -> None:
    verdict = with_template(5, "bitcoind refuses the password: check rpc.cookie.")
    assert check("template", verdict).text == "bitcoind refuses the password: check rpc.cookie."
    assert check("template", verdict).state is State.WARN


def test_before_the_first_template_the_reason_is_the_nodes() -> None:
    verdict = health(
        replace(VIEW.roles, work={"main": replace(WORK, job=None, node_reason="The node is still syncing.")})
    )
    assert check("template", verdict).state is State.DOWN
    assert check("template", verdict).text == "The node is still syncing."
    assert check("work", verdict).text == "waits for the node"


def with_nodes(*nodes: WorkNode, node_reason: str | None = None) -> Check:
    work = replace(WORK, nodes=nodes, node_reason=node_reason)
    return check("nodes", health(replace(VIEW.roles, work={"main": work})))


def test_nodes_that_are_well_say_who_gives_the_work() -> None:
    assert with_nodes(GOOD_NODE) == Check("nodes", State.OK, "a:8332 gives the work")


def test_a_node_that_is_set_aside_is_a_warning_with_its_reason() -> None:
    lagging = WorkNode("b:8332", "lagging", "its tip is behind", 7, False, None)
    assert with_nodes(GOOD_NODE, lagging).state is State.WARN
    assert with_nodes(GOOD_NODE, lagging).text == "b:8332 is lagging: its tip is behind"


def test_a_node_whose_announcements_do_not_come_is_a_warning() -> None:
    silent = with_nodes(replace(GOOD_NODE, is_silent=True))
    assert (silent.state, silent.text) == (State.WARN, "a:8332 announces no blocks over ZMQ")


def test_with_no_node_left_the_nodes_are_down() -> None:
    assert with_nodes(node_reason="nothing listens there").state is State.DOWN


@pytest.mark.parametrize(
    ("verdict", "state"), [("majority", State.OK), ("unknown", State.WARN), ("minority", State.DOWN)]
)
def test_the_chain_is_as_well_as_its_verdict(verdict: str, state: State) -> None:
    work = replace(WORK, chain=WorkChain(verdict, "why"))
    found = check("chain", health(replace(VIEW.roles, work={"main": work})))
    assert (found.state, found.text) == (state, "why")


def test_before_a_verdict_the_chain_is_down() -> None:
    assert check("chain", health(replace(VIEW.roles, work={"main": replace(WORK, chain=None)}))).state is State.DOWN


def with_proposals(refused: int, age_seconds: float | None, problem: str | None) -> Check:
    last_ms = None if age_seconds is None else NOW_MS - int(age_seconds * 1000)
    work = replace(WORK, proposals=WorkProposals(9, refused, last_ms, problem))
    return check("proposals", health(replace(VIEW.roles, work={"main": work})))


def test_a_refusal_that_stands_is_down_with_its_reason() -> None:
    found = with_proposals(1, 2, "a:8332: it refuses its own template with our coinbase: bad-blk-sigops")
    assert (found.state, "bad-blk-sigops" in found.text) == (State.DOWN, True)


@pytest.mark.parametrize(("age_seconds", "state"), [(3_599, State.WARN), (3_601, State.OK), (None, State.OK)])
def test_a_refusal_is_a_warning_for_an_hour(age_seconds: float | None, state: State) -> None:
    assert with_proposals(1, age_seconds, None).state is state


def test_miners_that_were_sent_away_make_the_stratum_role_down() -> None:
    verdict = health(replace(VIEW.roles, stratum=(replace(stratum_role("0", 0), is_released=True),)))
    assert check("stratum", verdict).state is State.DOWN
    assert not verdict.ready


def test_a_block_that_waits_for_the_node_is_a_warning() -> None:
    waiting = replace(WORK, candidates_pending=1, node_reason="The node refuses connections.")
    verdict = health(replace(VIEW.roles, work={"main": waiting}))
    assert check("blocks", verdict).state is State.WARN
    assert check("work", verdict).state is State.OK


def test_a_block_that_waits_for_the_work_role_is_a_warning() -> None:
    waiting = replace(stratum_role("0", 1), candidates_pending=1)
    verdict = health(replace(VIEW.roles, work={}, stratum=(waiting,)))
    assert check("blocks", verdict).state is State.WARN
    assert check("stratum", verdict).state is State.OK


def test_a_block_that_waits_for_the_work_role_of_its_region_is_one_too() -> None:
    sichuan = replace(stratum_role("0", 1), region="sichuan")
    texas = replace(stratum_role("1", 1), region="texas", candidates_pending=1)
    of_both = replace(VIEW.roles, stratum=(sichuan, texas), work={"sichuan": WORK, "texas": WORK})
    assert check("blocks", health(of_both)).state is State.OK
    without_texas = replace(of_both, work={"sichuan": WORK})
    assert check("blocks", health(without_texas)).text == "a block waits for the work role"


def test_while_the_work_role_is_away_nobody_knows_of_its_blocks() -> None:
    assert check("blocks", health(replace(VIEW.roles, work={}))).state is State.UNKNOWN


def test_a_block_that_is_just_being_submitted_is_no_trouble() -> None:
    busy = replace(VIEW.roles, work={"main": replace(WORK, candidates_pending=1)})
    assert check("blocks", health(busy)).state is State.OK


def test_a_block_that_a_node_refused_is_a_warning() -> None:
    verdict = health(replace(VIEW.roles, work={"main": replace(WORK, blocks_refused=1)}))
    assert check("blocks", verdict).state is State.WARN
    assert "block_refused" in (check("blocks", verdict).mend or "")


def test_a_refused_block_is_told_before_one_that_waits() -> None:
    both = replace(WORK, blocks_refused=1, candidates_pending=1, node_reason="The node refuses connections.")
    assert "refused" in check("blocks", health(replace(VIEW.roles, work={"main": both}))).text


def test_a_warning_leaves_the_pool_ready() -> None:
    assert with_template(61).ready


def test_a_disk_with_little_room_is_a_warning() -> None:
    low = replace(stratum_role("0", 1), disk=Disk(2**30, 2**34, True))
    verdict = health(replace(VIEW.roles, stratum=(stratum_role("1", 1), low)))
    assert check("disk", verdict).state is State.WARN
    assert check("disk", verdict).text == "stratum 0: 1.0 of 16.0 GiB are free"
    assert verdict.ready


def test_a_journal_that_takes_no_shares_is_down() -> None:
    refusing = replace(stratum_role("0", 1), journal_refusal="No space left on device")
    verdict = health(replace(VIEW.roles, stratum=(refusing,)))
    assert check("stratum", verdict).state is State.DOWN
    assert "No space left on device" in check("stratum", verdict).text
    assert not verdict.ready


def test_accounting_far_behind_is_a_warning() -> None:
    late = replace(VIEW.roles, accounting=AccountingRole(NOW_MS, LAG_WARN_SHARES + 1))
    assert check("accounting", health(late)).state is State.WARN


DAY_MS = 86_400_000


def test_a_certificate_that_ends_soon_warns() -> None:
    soon = replace(stratum_role("0", 1), certificate_expires_ms=NOW_MS + 3 * DAY_MS)
    verdict = check("stratum", health(replace(VIEW.roles, stratum=(stratum_role("1", 1), soon))))
    assert (verdict.state, verdict.text) == (State.WARN, "the certificate for TLS ends in 3 days")


def test_one_that_has_ended_too() -> None:
    over = replace(stratum_role("0", 1), certificate_expires_ms=NOW_MS - 1)
    assert check("stratum", health(replace(VIEW.roles, stratum=(over,)))).text == "the certificate for TLS has ended"


def test_one_that_lasts_does_not() -> None:
    good = replace(stratum_role("0", 1), certificate_expires_ms=NOW_MS + 22 * DAY_MS)
    assert check("stratum", health(replace(VIEW.roles, stratum=(good,)))).state is State.OK


def test_several_stratum_processes_are_counted() -> None:
    two = (stratum_role("0", 1), stratum_role("1", 1))
    assert check("stratum", health(replace(VIEW.roles, stratum=two))).text == "2 processes take shares"


def test_what_is_well_says_nothing_that_changes_by_itself() -> None:
    assert with_template(3) == with_template(17)


def test_payouts_that_are_stopped_are_a_warning_since_mining_goes_on() -> None:
    stopped = replace(VIEW.roles, accounting=AccountingRole(NOW_MS, 0, "looking"))
    verdict = health(stopped)
    found = check("ledger", verdict)
    assert (found.state, found.text) == (State.WARN, "payouts are stopped: looking")
    assert verdict.ready


def test_a_broken_invariant_is_said_with_its_rows_and_its_mend() -> None:
    broken = (Broken(1, "row 5 was changed", "Put it back."), Broken(2, "less than nothing", ""))
    found = check("ledger", health(replace(VIEW.roles, accounting=AccountingRole(NOW_MS, 0, "it", broken))))
    assert found.text == "payouts are stopped: invariant 1 is broken: row 5 was changed, and 1 more"
    assert found.mend == "Put it back. Then `steppe payout resume REASON`."


def test_a_block_that_is_held_is_a_warning_with_its_hash() -> None:
    held = AccountingRole(NOW_MS, 0, held=(HeldBlock("00ff", "its fees"),))
    found = check("ledger", health(replace(VIEW.roles, accounting=held)))
    assert (found.state, found.text) == (State.WARN, "1 of our blocks are held: 00ff: its fees")


def test_a_group_from_which_blocks_are_missing_is_a_warning() -> None:
    unlucky = AccountingRole(NOW_MS, 0, suspected=(Suspected("firmware", "x/1", "Look."),))
    found = check("luck", health(replace(VIEW.roles, accounting=unlucky)))
    assert (found.state, found.text) == (State.WARN, "blocks are missing from 1 groups, first firmware x/1")


class TestReserve:
    def sign(self, level: str, close_sat: int | None = 50_000_000_000) -> Check:
        sign = ReserveSign(level, 12_345_678, 80_000_000_000, close_sat, 0)
        roles = replace(VIEW.roles, accounting=AccountingRole(NOW_MS, 0, reserve=sign))
        return check("reserve", health(roles))

    def test_one_that_is_funded_or_unused_is_well(self) -> None:
        assert {self.sign(level).state for level in ("funded", "unused")} == {State.OK}

    def test_below_the_alarm_it_says_what_is_needed(self) -> None:
        found = self.sign("low")
        assert (found.state, found.text) == (
            State.WARN,
            "the reserve of pay per share holds 0.12345678 BTC, below 800.00000000 BTC",
        )
        assert found.mend is not None
        assert "steppe reserve fund" in found.mend

    def test_closed_to_new_accounts_it_says_so(self) -> None:
        assert "below 500.00000000 BTC: no account more" in self.sign("closed").text

    def test_with_fees_that_cover_no_losses_no_amount_is_enough(self) -> None:
        assert "below any amount: the lowest fee does not cover" in self.sign("closed", None).text

    def test_used_up_it_says_how_to_go_on(self) -> None:
        found = self.sign("stopped")
        assert (found.state, "new jobs are paid by PPLNS" in found.text) == (State.WARN, True)
        assert found.mend is not None
        assert "steppe reserve resume" in found.mend

    def test_a_pool_whose_reserve_is_low_is_ready(self) -> None:
        roles = replace(VIEW.roles, accounting=AccountingRole(NOW_MS, 0, reserve=ReserveSign("stopped", 0, 1, 1, 0)))
        assert health(roles).ready
