"""pool.roles.energy: the vector P20 (docs/payouts.md) through the real books."""

from __future__ import annotations

from fractions import Fraction

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from payout.accounts import Scheme
from payout.charges import Charged
from pool.fleet.facts import Fact, FleetRefused
from pool.fleet.kinds import Levy, Rate, Reading, Tariff
from pool.fleet.register import Entry
from pool.roles.energy import charge
from pool.store.fleets import EntriesRefused, SqlFleets
from pool.store.sql import writing
from tests.payout.conftest import engine, postgresql_books, sqlite, sqlite_file
from tests.payout.scene import START_MS, Scene, share

__all__ = ["engine", "postgresql_books", "sqlite", "sqlite_file"]

DAY_MS = 86_400_000
HOST_SAT, LEVY_SAT = 38_292_450, 2_414_907
"""P20: 20 MW for a day at 2.5 US cents, and a levy of one tenge on the same energy."""

TARIFF = Tariff(contract="contract-1", party="host", currency="USD", per_kwh=Fraction(5, 2), valid_from_ms=START_MS)
LEVY = Levy(country="KZ", name="digital", currency="KZT", per_kwh=Fraction(100), valid_from_ms=START_MS)
USD = Rate(currency="USD", sat_per_minor=Fraction(100_000_000, 3_133_777), valid_from_ms=START_MS)
KZT = Rate(currency="KZT", sat_per_minor=Fraction(100_000_000, 1_987_654_300), valid_from_ms=START_MS)
READING = Reading(
    meter="m1",
    site="s",
    account="kz",
    contract="contract-1",
    energy_wh=480_000_000,
    valid_from_ms=START_MS,
    valid_to_ms=START_MS + DAY_MS,
)
AFTER_MS = START_MS + 2 * DAY_MS


def enter(engine: Engine, *told: Fact) -> None:
    with writing(engine) as connection:
        SqlFleets(connection).record([Entry("test", fact) for fact in told], START_MS)


def scene_of(engine: Engine, reward_sat: int, *told: Fact) -> Scene:
    """An account with all of a block's reward available, its contract, and what is known of its energy."""
    scene = Scene(engine)
    scene.account("host", Scheme.PPLNS)
    scene.account("kz", Scheme.PPLNS)
    scene.slice("kz", "")
    enter(engine, *(told or (TARIFF, LEVY, USD, KZT, READING)))
    earn(scene, reward_sat, "B1", 100)
    return scene


def earn(scene: Scene, reward_sat: int, block: str, height: int) -> None:
    scene.chain.reward_sat = reward_sat
    scene.take(share("kz", "2", block=block, height=height))
    scene.reach(height + 100, **{block: height})


def owed(done: Charged) -> list[tuple[str, int]]:
    return [(each.party, each.open_sat) for each in done.open]


def test_the_host_has_the_floor_and_the_state_the_ceiling(engine: Engine) -> None:
    scene = scene_of(engine, 100_000_000)
    done = charge(engine, AFTER_MS)
    assert (done.new, done.posted_sat, owed(done)) == (2, HOST_SAT + LEVY_SAT, [])
    assert scene.balances() == {
        "asset:wallet": 100_000_000,
        "liab:host:available": -HOST_SAT,
        "liab:kz:available": -(100_000_000 - HOST_SAT - LEVY_SAT),
        "liab:tax:KZ:available": -LEVY_SAT,
    }


def test_done_twice_it_does_nothing_more(engine: Engine) -> None:
    scene = scene_of(engine, 100_000_000)
    charge(engine, AFTER_MS)
    rows = scene.rows()
    assert charge(engine, AFTER_MS + 1) == Charged(0, 0, [])
    assert scene.rows() == rows


def test_what_the_balance_does_not_cover_is_an_invoice_until_it_does(engine: Engine) -> None:
    scene = scene_of(engine, 10_000_000)
    done = charge(engine, AFTER_MS)
    assert (done.posted_sat, owed(done)) == (10_000_000, [("host", HOST_SAT - 10_000_000), ("tax:KZ", LEVY_SAT)])
    assert "liab:kz:available" not in scene.balances()
    earn(scene, 50_000_000, "B2", 300)
    done = charge(engine, AFTER_MS)
    assert (done.new, owed(done)) == (0, [])
    assert scene.balances()["liab:kz:available"] == -(60_000_000 - HOST_SAT - LEVY_SAT)
    energy = [row.posting.key for row in scene.rows() if row.posting.kind == "energy"]
    assert energy == ["energy:1:1", "energy:1:2", "energy:2:1"]


def test_a_period_that_is_not_over_is_not_charged(engine: Engine) -> None:
    scene_of(engine, 10_000_000)
    assert charge(engine, START_MS + DAY_MS - 1).new == 0


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ([USD, KZT, LEVY, READING], "tariff of contract-1 is not known; enter it first"),
        ([TARIFF, LEVY, KZT, READING], "what USD was worth at its end is not known"),
        ([replace(TARIFF, valid_from_ms=START_MS + 1), USD, READING], "changes within the period"),
    ],
)
def test_what_is_missing_is_named_and_nothing_is_charged(engine: Engine, told: list[Fact], reason: str) -> None:
    scene = scene_of(engine, 10_000_000, *told)
    rows = scene.rows()
    with pytest.raises(FleetRefused, match=reason):
        charge(engine, AFTER_MS)
    assert scene.rows() == rows


def test_of_several_levies_the_highest_that_fits_the_price_counts(engine: Engine) -> None:
    # By these rates 2.5 cents are 15.86 tenge.
    bands = [
        replace(LEVY, name="cheap", per_kwh=Fraction(2500), price_to=Fraction(1000)),
        replace(LEVY, name="middle", per_kwh=Fraction(500), price_from=Fraction(1500), price_to=Fraction(2000)),
        replace(LEVY, name="dear", per_kwh=Fraction(300), price_from=Fraction(1500)),
    ]
    scene_of(engine, 100_000_000, TARIFF, USD, KZT, READING, LEVY, *bands)
    done = charge(engine, AFTER_MS)
    assert done.posted_sat - HOST_SAT == -(-480_000_000 * 500 * 100_000_000 // (1_987_654_300 * 1000))


def test_a_reading_that_is_charged_is_not_corrected(engine: Engine) -> None:
    scene_of(engine, 100_000_000)
    charge(engine, AFTER_MS)
    with pytest.raises(EntriesRefused, match="reading 1 is charged already"):
        enter(engine, replace(READING, energy_wh=1))
