"""What the fields of facts may hold; each check raises FleetRefused with the mend."""

from __future__ import annotations

import re
from fractions import Fraction

from payout.accounts import AccountRefused, check_name
from pool.fleet.facts import FleetRefused

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_CURRENCY = re.compile(r"[A-Z]{3,5}")
_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}")

TEXT_CHARACTERS_MAX = 300

AMOUNT_MAX = (1 << 63) - 1
"""What a database holds: 9.2e18, of watts, watt-hours or GH/s far beyond all machines there are."""


def account_of(name: str) -> str:
    """Whose a fleet or a batch is, by its name."""
    return name.partition("/")[0]


def word(field: str, value: str) -> None:
    """A name of ours."""
    if not _WORD.fullmatch(value):
        raise FleetRefused(
            f"{field} {value!r}: 1 to 64 of letters, digits, _ . and - are allowed, a letter or digit first"
        )


def path(field: str, value: str, parts: int) -> None:
    """The name of a fleet or a batch."""
    shape = "/".join(("account", "fleet", "batch")[:parts])
    first, *rest = value.split("/")
    if len(rest) != parts - 1:
        raise FleetRefused(f"{field} {value!r}: write it as {shape}")
    account(field, first)
    for each in rest:
        word(field, each)


def account(field: str, value: str) -> None:
    """The name of an account of the pool."""
    try:
        check_name(value)
    except AccountRefused as error:
        raise FleetRefused(f"{field}: {error}") from error


def text(field: str, value: str) -> None:
    """Words of a person: one line that shows as it is."""
    if len(value) > TEXT_CHARACTERS_MAX or not value.isprintable() or value != value.strip():
        raise FleetRefused(
            f"{field}: one line of at most {TEXT_CHARACTERS_MAX} printable characters, without spaces at its ends"
        )


def amount(field: str, value: int, least: int) -> None:
    """A whole number that a database holds."""
    if not least <= value <= AMOUNT_MAX:
        raise FleetRefused(f"{field} {value}: {least} to {AMOUNT_MAX} is allowed")


def moment(field: str, value: int) -> None:
    """A time in Unix milliseconds, from 2009, the first block's year, to 9999."""
    if not 1_230_768_000_000 <= value < 253_402_300_800_000:
        raise FleetRefused(f"{field}: the time must lie between the years 2009 and 9999")


def rate(field: str, value: Fraction) -> None:
    """An exact number that is not negative, of a length that a person could have meant."""
    if value < 0 or len(str(value)) > 80:
        raise FleetRefused(f"{field} {value}: a fraction that is not negative is needed, such as 2.5 or 5/2")


def country(value: str) -> None:
    """ISO 3166."""
    if not _COUNTRY.fullmatch(value):
        raise FleetRefused(f"country {value!r}: two capital letters are needed, such as KZ")


def currency(value: str) -> None:
    """ISO 4217."""
    if not _CURRENCY.fullmatch(value):
        raise FleetRefused(f"currency {value!r}: its capital letters are needed, such as USD")


def time_zone(value: str) -> None:
    """A name of the IANA database, by its form; whether there is such a zone: `pool.fleet.checks`."""
    if not _ZONE.fullmatch(value):
        raise FleetRefused(f"time_zone {value!r}: a name such as Asia/Almaty is needed")
