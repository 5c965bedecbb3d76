"""payout.contracts. The worked cases are the vectors P19 and P20."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payout.contracts import (
    OWNER,
    Base,
    Charge,
    Contract,
    Cut,
    Shareout,
    between,
    check_steps,
    divide,
    energy_charge_sat,
    parse_steps,
    parties,
    steps_text,
)

TO_OWNER = Shareout({"owner": 1})
CUTS = st.lists(
    st.builds(Cut, st.sampled_from(["host", "agent", "owner"]), st.integers(0, 3000), st.sampled_from(Base)), max_size=3
)


@given(st.integers(0, 21 * 10**14), CUTS, st.dictionaries(st.text(max_size=2), st.integers(1, 10_000), min_size=1))
def test_the_parts_sum_to_the_net(net_sat: int, cuts: list[Cut], weights: dict[str, int]) -> None:
    assert sum(divide(net_sat, Contract(cuts, Shareout(weights))).values()) == net_sat


def test_a_cut_is_of_the_net_or_of_what_is_left() -> None:
    of_net = [Cut("host", 1000, Base.NET), Cut("agent", 1000, Base.NET)]
    of_left = [Cut("host", 1000, Base.NET), Cut("agent", 1000, Base.LEFT)]
    parts = [divide(1000, Contract(cuts, TO_OWNER))["agent"] for cuts in (of_net, of_left)]
    assert parts == [100, 90]


def test_a_party_may_have_several_parts() -> None:
    assert divide(1000, Contract([Cut("owner", 1000, Base.NET)], TO_OWNER)) == {"owner": 1000}


def test_a_contract_cannot_give_away_more_than_there_is() -> None:
    cuts = [Cut("host", 6000, Base.NET), Cut("agent", 6000, Base.NET)]
    with pytest.raises(ValueError, match="more than the 1000 satoshi"):
        divide(1000, Contract(cuts, TO_OWNER))


def test_a_negative_cut_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot take"):
        divide(1000, Contract([Cut("host", -1, Base.NET)], TO_OWNER))


@given(st.integers(0, 10**12), st.fractions(0, 1000), st.fractions(0, 1000))
def test_a_levy_is_a_hosts_fee_or_one_satoshi_more(energy_wh: int, rate: Fraction, price: Fraction) -> None:
    host = energy_charge_sat(Charge.HOST, energy_wh, rate, price)
    exact = energy_wh * rate * price / 1000
    assert energy_charge_sat(Charge.STATUTORY, energy_wh, rate, price) - host == (exact != host)


def test_energy_is_not_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        energy_charge_sat(Charge.HOST, -1, Fraction(1), Fraction(1))


PARTIES = st.sampled_from([OWNER, "host", "agent", "tax:KZ"])
STEPS = st.builds(
    Contract,
    st.lists(st.builds(Cut, PARTIES, st.integers(0, 10_000), st.sampled_from(Base)), max_size=4).map(tuple),
    st.builds(Shareout, st.dictionaries(PARTIES, st.integers(0, 10**12), min_size=1)),
)


@given(STEPS, st.integers(0, 21 * 10**14))
def test_a_contract_that_is_taken_can_always_be_divided_by_and_written_down(steps: Contract, net_sat: int) -> None:
    try:
        check_steps(steps)
    except ValueError:
        return
    assert parse_steps(steps_text(steps)) == steps
    of_alice = between(steps, "alice")
    assert sum(divide(net_sat, of_alice).values()) == net_sat
    assert OWNER not in divide(net_sat, of_alice)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("net 10001 host", "0 to 10000 is allowed"),
        ("net 6000 a; net 4001 b", "more than there is, from the one of b on"),
        ("left 10000 a; net 1 b", "more than there is, from the one of b on"),
        ("take 5 a", "write `net BPS PARTY`"),
        ("net x a", "'x' is no whole number"),
        ("share a 1; net 5 b", "must be the last"),
        ("share a 1 a 2", "names a party twice"),
        ("share a 0", "to nobody"),
        ("net 5 a/b", "account name 'a/b'"),
        ("net 5 tax:Kz", "account name 'tax:Kz'"),
    ],
)
def test_steps_that_cannot_be_are_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_steps(text)


def test_without_a_share_the_owner_has_what_is_left() -> None:
    assert divide(1000, between(parse_steps("net 500 host"), "alice")) == {"host": 50, "alice": 950}


def test_an_owner_that_is_named_as_well_has_both_parts() -> None:
    assert divide(100, between(parse_steps("share @owner 1 alice 1 host 2"), "alice")) == {"alice": 50, "host": 50}


def test_the_parties_of_a_contract_are_the_accounts_it_names() -> None:
    assert parties(parse_steps("net 1 host; left 2 tax:KZ; share @owner 80 partner 20")) == {"host", "partner"}
