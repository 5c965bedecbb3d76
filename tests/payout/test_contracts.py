"""payout.contracts. The worked cases are the vectors P19 and P20."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payout.contracts import Base, Charge, Contract, Cut, Shareout, divide, energy_charge_sat

OWNER = Shareout({"owner": 1})
CUTS = st.lists(
    st.builds(Cut, st.sampled_from(["host", "agent", "owner"]), st.integers(0, 3000), st.sampled_from(Base)), max_size=3
)


@given(st.integers(0, 21 * 10**14), CUTS, st.dictionaries(st.text(max_size=2), st.integers(1, 10_000), min_size=1))
def test_the_parts_sum_to_the_net(net_sat: int, cuts: list[Cut], weights: dict[str, int]) -> None:
    assert sum(divide(net_sat, Contract(cuts, Shareout(weights))).values()) == net_sat


def test_a_cut_is_of_the_net_or_of_what_is_left() -> None:
    of_net = [Cut("host", 1000, Base.NET), Cut("agent", 1000, Base.NET)]
    of_left = [Cut("host", 1000, Base.NET), Cut("agent", 1000, Base.LEFT)]
    parts = [divide(1000, Contract(cuts, OWNER))["agent"] for cuts in (of_net, of_left)]
    assert parts == [100, 90]


def test_a_party_may_have_several_parts() -> None:
    assert divide(1000, Contract([Cut("owner", 1000, Base.NET)], OWNER)) == {"owner": 1000}


def test_a_contract_cannot_give_away_more_than_there_is() -> None:
    cuts = [Cut("host", 6000, Base.NET), Cut("agent", 6000, Base.NET)]
    with pytest.raises(ValueError, match="more than the 1000 satoshi"):
        divide(1000, Contract(cuts, OWNER))


def test_a_negative_cut_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot take"):
        divide(1000, Contract([Cut("host", -1, Base.NET)], OWNER))


@given(st.integers(0, 10**12), st.fractions(0, 1000), st.fractions(0, 1000))
def test_a_levy_is_a_hosts_fee_or_one_satoshi_more(energy_wh: int, rate: Fraction, price: Fraction) -> None:
    host = energy_charge_sat(Charge.HOST, energy_wh, rate, price)
    exact = energy_wh * rate * price / 1000
    assert energy_charge_sat(Charge.STATUTORY, energy_wh, rate, price) - host == (exact != host)


def test_energy_is_not_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        energy_charge_sat(Charge.HOST, -1, Fraction(1), Fraction(1))
