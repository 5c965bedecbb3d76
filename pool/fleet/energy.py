"""What the energy of a meter's period costs, and what the state takes of it. Source: docs/payouts.md 4.4 and 4.5."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TypeVar

from msgspec import Struct

from payout.contracts import Charge, energy_charge_sat
from pool.fleet.checks import span
from pool.fleet.facts import Fact, FleetRefused, overlap
from pool.fleet.kinds import Levy, Rate, Reading, Site, Tariff
from pool.fleet.register import Register

F = TypeVar("F", bound=Fact)


class Due(Struct, frozen=True):
    """A charge for a reading. party: who gets it, `tax:COUNTRY` for a levy. tariff, levy, rate: the rows it is by."""

    reading: int
    account: str
    party: str
    amount_sat: int
    rate: int
    tariff: int | None = None
    levy: int | None = None


def dues(register: Register, reading: Reading) -> list[Due]:
    """What is due for a reading. Raises FleetRefused if something is missing, or changes within the period.

    Of what a currency is worth, the last moment of the period counts.
    """
    name = f"meter {reading.meter}, {span(reading)}"
    tariff = _one(register.about(Tariff, reading.contract), reading, f"{name}: tariff of {reading.contract}")
    rate = _worth(register, tariff.currency, reading, name)
    amount_sat = energy_charge_sat(Charge.HOST, reading.energy_wh, tariff.per_kwh, rate.sat_per_minor)
    found = [Due(reading.row_id, reading.account, tariff.party, amount_sat, rate=rate.row_id, tariff=tariff.row_id)]
    site = _one(register.about(Site, reading.site), reading, f"{name}: site {reading.site}")
    price_sat = tariff.per_kwh * rate.sat_per_minor
    levies = list(_levies(register, site.country, reading, price_sat, name))
    if levies:
        found.append(max(levies, key=lambda due: due.amount_sat))
    return found


def _levies(register: Register, country: str, reading: Reading, price_sat: Fraction, name: str) -> Iterator[Due]:
    """The levies of a country that fit the price of the energy. price_sat: per kWh."""
    for levy in register.about(Levy, country):
        if not overlap(levy, reading):
            continue
        _whole(levy, reading, f"{name}: levy {levy.name}")
        rate = _worth(register, levy.currency, reading, name)
        # In the levy's own currency.
        price = price_sat / rate.sat_per_minor if rate.sat_per_minor else Fraction(0)
        if price < levy.price_from or (levy.price_to is not None and price >= levy.price_to):
            continue
        amount_sat = energy_charge_sat(Charge.STATUTORY, reading.energy_wh, levy.per_kwh, rate.sat_per_minor)
        yield Due(reading.row_id, reading.account, f"tax:{country}", amount_sat, rate=rate.row_id, levy=levy.row_id)


def _worth(register: Register, currency: str, reading: Reading, name: str) -> Rate:
    last_ms = (reading.valid_to_ms or reading.valid_from_ms) - 1
    for rate in register.about(Rate, currency):
        if rate.holds_at(last_ms):
            return rate
    raise FleetRefused(f"{name}: what {currency} was worth at its end is not known; enter it with `steppe site rate`")


def _one(rows: list[F], reading: Reading, name: str) -> F:
    during = [row for row in rows if overlap(row, reading)]
    if not during:
        raise FleetRefused(f"{name} is not known; enter it first")
    _whole(during[0], reading, name)
    return during[0]


def _whole(fact: Fact, reading: Reading, name: str) -> None:
    ends = fact.valid_to_ms is not None and reading.valid_to_ms is not None and fact.valid_to_ms < reading.valid_to_ms
    if fact.valid_from_ms > reading.valid_from_ms or ends:
        raise FleetRefused(f"{name} changes within the period; enter a reading for before and one for after")
