"""payout.accounts."""

from __future__ import annotations

import pytest

from payout.accounts import AccountRefused, Plan, Scheme, Stake, check_name, check_plan, plan_at

FIRST, SECOND = Plan(Scheme.PPLNS, 100, 1000), Plan(Scheme.PPS, 200, 2000)


@pytest.mark.parametrize(("time_ms", "plan"), [(1000, FIRST), (1999, FIRST), (2000, SECOND), (9999, SECOND)])
def test_a_plan_holds_from_its_time_to_the_next(time_ms: int, plan: Plan) -> None:
    assert plan_at([FIRST, SECOND], time_ms) == plan


def test_a_share_older_than_its_account_has_the_first_plan() -> None:
    assert plan_at([FIRST, SECOND], 999) == FIRST


@pytest.mark.parametrize("name", ["a", "bit-kz_2", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "a" * 64])
def test_a_name_or_an_address_is_an_account(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "a" * 65, "a.b", "a b", "a:b", "ä", "a\n"])
def test_what_cannot_be_a_login_is_no_account(name: str) -> None:
    with pytest.raises(AccountRefused, match="1 to 64"):
        check_name(name)


@pytest.mark.parametrize("fee_bps", [-1, 10_001])
def test_a_fee_above_the_whole_is_refused(fee_bps: int) -> None:
    with pytest.raises(AccountRefused, match="0 to 10000"):
        check_plan(Plan(Scheme.PPLNS, fee_bps, 0))


def test_stakes_stand_in_order_of_account_and_slice() -> None:
    stakes = [Stake("b", 0, Scheme.PPLNS, 0), Stake("a", 2, Scheme.PPLNS, 0), Stake("a", 1, Scheme.PPS, 0)]
    assert [(stake.account, stake.slice_id) for stake in sorted(stakes)] == [("a", 1), ("a", 2), ("b", 0)]
