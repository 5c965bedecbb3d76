"""The kinds of facts about a fleet, each row good in itself; what it must be beside others is in `pool.fleet.checks`.

Names are one word. A fleet is `account/fleet`, a batch `account/fleet/batch`. Amounts are integers or exact fractions.
"""

from __future__ import annotations

import enum
from fractions import Fraction
from typing import ClassVar

from payout.contracts import Contract as Steps
from payout.contracts import check_steps
from pool.fleet.facts import Fact, FleetRefused
from pool.fleet.patterns import check_pattern
from pool.fleet.words import account, account_of, amount, country, currency, moment, path, rate, text, time_zone, word


class ContractKind(enum.StrEnum):
    """What a contract is about."""

    HOSTING = "hosting"
    JOINT_VENTURE = "joint_venture"
    SALE = "sale"
    LOAN = "loan"


class EventKind(enum.StrEnum):
    """What happens to a site."""

    SUSPENSION = "suspension"
    CURTAILMENT = "curtailment"
    CLOSURE = "closure"
    RESTORATION = "restoration"


def check_row(fact: Fact) -> None:
    """What every row must be."""
    moment("valid_from", fact.valid_from_ms)
    if fact.valid_to_ms is not None:
        moment("valid_to", fact.valid_to_ms)
        if fact.valid_to_ms < fact.valid_from_ms:
            raise FleetRefused("valid_to is before valid_from: give the later time as the end")
    text("source", fact.source)


class Model(Fact, frozen=True, kw_only=True):
    """A kind of machine: what one does, and uses, by its maker's word."""

    name: str
    nominal_ghs: int
    nominal_w: int
    key_fields: ClassVar = ("name",)

    def __post_init__(self) -> None:
        check_row(self)
        word("name", self.name)
        amount("nominal_ghs", self.nominal_ghs, 1)
        amount("nominal_w", self.nominal_w, 1)


class Site(Fact, frozen=True, kw_only=True):
    """A place with power. host: who runs it, in words. region: of the stratum endpoint that serves it, or none."""

    name: str
    country: str
    time_zone: str
    host: str = ""
    region: str = ""
    key_fields: ClassVar = ("name",)

    def __post_init__(self) -> None:
        check_row(self)
        word("name", self.name)
        country(self.country)
        time_zone(self.time_zone)
        text("host", self.host)
        if self.region:
            word("region", self.region)


class Capacity(Fact, frozen=True, kw_only=True):
    """How much power a site has."""

    site: str
    capacity_w: int
    key_fields: ClassVar = ("site",)

    def __post_init__(self) -> None:
        check_row(self)
        word("site", self.site)
        amount("capacity_w", self.capacity_w, 0)


class SiteEvent(Fact, frozen=True, kw_only=True):
    """Something that happens to a site from `valid_from_ms`, when it becomes effective, until `valid_to_ms`.

    Sources may disagree about one event, so each has its own rows. wording, time_zone: what was said in local time, as
    it was said.
    """

    site: str
    kind: EventKind
    announced_ms: int
    wording: str = ""
    time_zone: str = ""
    key_fields: ClassVar = ("site", "kind", "source")

    def __post_init__(self) -> None:
        check_row(self)
        word("site", self.site)
        moment("announced_ms", self.announced_ms)
        text("wording", self.wording)
        if self.time_zone:
            time_zone(self.time_zone)


class Contract(Fact, frozen=True, kw_only=True):
    """Who shares in the reward of a slice. A contract is never changed, only ended and followed by another name.

    site: where it holds; empty: anywhere. reserved_w: power that is paid for whether it is used or not.
    """

    name: str
    kind: ContractKind
    steps: Steps
    site: str = ""
    reserved_w: int = 0
    key_fields: ClassVar = ("name",)

    def __post_init__(self) -> None:
        check_row(self)
        word("name", self.name)
        try:
            check_steps(self.steps)
        except ValueError as error:
            raise FleetRefused(f"contract {self.name}: {error}") from error
        if self.site:
            word("site", self.site)
        amount("reserved_w", self.reserved_w, 0)


class Fleet(Fact, frozen=True, kw_only=True):
    """A name below an account: `account/fleet`."""

    name: str
    key_fields: ClassVar = ("name",)

    def __post_init__(self) -> None:
        check_row(self)
        path("fleet", self.name, 2)

    @property
    def account(self) -> str:
        """Whose it is."""
        return account_of(self.name)


class Batch(Fact, frozen=True, kw_only=True):
    """Machines of one model that come together: `account/fleet/batch`.

    nominal_ghs: of all its machines, since a batch may be rated as a whole. price_minor: of all, in minor units of
    `currency`. planned_ms: when it is to hash.
    """

    name: str
    model: str
    machines: int
    nominal_ghs: int
    price_minor: int = 0
    currency: str = ""
    planned_ms: int | None = None
    key_fields: ClassVar = ("name",)

    def __post_init__(self) -> None:
        check_row(self)
        path("batch", self.name, 3)
        word("model", self.model)
        amount("machines", self.machines, 1)
        amount("nominal_ghs", self.nominal_ghs, 1)
        amount("price_minor", self.price_minor, 0)
        if self.currency or self.price_minor:
            currency(self.currency)
        if self.planned_ms is not None:
            moment("planned_ms", self.planned_ms)

    @property
    def fleet(self) -> str:
        """The fleet it belongs to."""
        return self.name.rpartition("/")[0]


class Count(Fact, frozen=True, kw_only=True):
    """How many machines of a batch are how far. reason: why some are less far than they were, or gone."""

    batch: str
    ordered: int = 0
    in_transit: int = 0
    delivered: int = 0
    installed: int = 0
    hashing: int = 0
    retired: int = 0
    reason: str = ""
    key_fields: ClassVar = ("batch",)

    def __post_init__(self) -> None:
        check_row(self)
        path("batch", self.batch, 3)
        for name in STAGES:
            amount(name, getattr(self, name), 0)
        text("reason", self.reason)

    @property
    def machines(self) -> int:
        """All of them, also those that are gone."""
        return sum(getattr(self, name) for name in STAGES)

    def at_least(self, stage: str) -> int:
        """How many are as far as a stage or further, and not gone."""
        return sum(getattr(self, name) for name in STAGES[STAGES.index(stage) : -1])


STAGES = ("ordered", "in_transit", "delivered", "installed", "hashing", "retired")
"""The ways of a machine, in order."""


class Assignment(Fact, frozen=True, kw_only=True):
    """The slice: workers of an account by their pattern, with what they belong to, for a time.

    slice_id: travels with each share; 0 until it is recorded. batch, contract: may be empty. While a fleet moves, a
    pattern stands for the site where it is and the one where it goes, if regions tell these apart.
    """

    account: str
    pattern: str
    fleet: str
    site: str
    batch: str = ""
    contract: str = ""
    slice_id: int = 0
    key_fields: ClassVar = ("account", "pattern", "site")

    def __post_init__(self) -> None:
        check_row(self)
        account("account", self.account)
        if check_pattern(self.pattern) != self.pattern:
            raise FleetRefused(f"pattern {self.pattern!r}: write {check_pattern(self.pattern)!r}, which means the same")
        path("fleet", self.fleet, 2)
        word("site", self.site)
        if self.batch:
            path("batch", self.batch, 3)
        if self.contract:
            word("contract", self.contract)
        if account_of(self.fleet) != self.account:
            raise FleetRefused(f"fleet {self.fleet} does not belong to account {self.account}; name one of its fleets")
        if self.batch and self.batch.rpartition("/")[0] != self.fleet:
            raise FleetRefused(f"batch {self.batch} does not belong to fleet {self.fleet}; name one of its batches")


class Tariff(Fact, frozen=True, kw_only=True):
    """What energy costs under a contract. party: the account that gets it. per_kwh: minor units of the currency."""

    contract: str
    party: str
    currency: str
    per_kwh: Fraction
    key_fields: ClassVar = ("contract",)

    def __post_init__(self) -> None:
        check_row(self)
        word("contract", self.contract)
        account("party", self.party)
        currency(self.currency)
        rate("per_kwh", self.per_kwh)


class Levy(Fact, frozen=True, kw_only=True):
    """What a state takes on energy. Of several that fit the price of the energy, the highest counts.

    price_from, price_to: the prices per kWh for which it is, `[from, to)`; none: for all.
    """

    country: str
    name: str
    currency: str
    per_kwh: Fraction
    price_from: Fraction = Fraction(0)
    price_to: Fraction | None = None
    key_fields: ClassVar = ("country", "name", "price_from")

    def __post_init__(self) -> None:
        check_row(self)
        country(self.country)
        word("name", self.name)
        currency(self.currency)
        rate("per_kwh", self.per_kwh)
        rate("price_from", self.price_from)
        if self.price_to is not None:
            rate("price_to", self.price_to)


class Reading(Fact, frozen=True, kw_only=True):
    """What a meter counted in a period. account: who pays for it, under the contract."""

    meter: str
    site: str
    account: str
    contract: str
    energy_wh: int
    key_fields: ClassVar = ("meter",)

    def __post_init__(self) -> None:
        check_row(self)
        word("meter", self.meter)
        word("site", self.site)
        account("account", self.account)
        word("contract", self.contract)
        amount("energy_wh", self.energy_wh, 0)
        if self.valid_to_ms is None:
            raise FleetRefused(f"meter {self.meter}: a reading is of a period; say until when")


class Rate(Fact, frozen=True, kw_only=True):
    """What a coin is worth. sat_per_minor: satoshis for one minor unit (cent, tiyn) of the currency."""

    currency: str
    sat_per_minor: Fraction
    key_fields: ClassVar = ("currency",)

    def __post_init__(self) -> None:
        check_row(self)
        currency(self.currency)
        rate("sat_per_minor", self.sat_per_minor)


KINDS: dict[str, type[Fact]] = {
    "model": Model,
    "site": Site,
    "capacity": Capacity,
    "site_event": SiteEvent,
    "contract": Contract,
    "fleet": Fleet,
    "batch": Batch,
    "count": Count,
    "assignment": Assignment,
    "tariff": Tariff,
    "levy": Levy,
    "reading": Reading,
    "rate": Rate,
}
"""All kinds by name, each after those that it names."""


def kind_of(fact: Fact) -> str:
    """The name of a row's kind."""
    return _NAMES[type(fact)]


_NAMES = {kind: name for name, kind in KINDS.items()}
