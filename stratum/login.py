"""Who submits: the login `account.worker`, checked at the door, and what its password may ask for."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from stratum.difficulty import parse_difficulty

_LOGIN: Final = re.compile(r"([A-Za-z0-9_-]{1,64})(?:\.([A-Za-z0-9_.:-]{0,64}))?")
_SEPARATORS: Final = re.compile(r"[,; ]")
_PINNING: Final = ("d", "diff", "fd")
_LIMITING: Final = ("md", "min", "mindiff")


class Login(Struct):
    """The two parts of a login; the first dot splits. account: a name or a payout address. worker: may be empty.

    slice_id: the assignment of its shares, as of a turn of `stratum.slices.Slices`.
    """

    account: str
    worker: str
    slice_id: int | None = None
    turn: int = -1

    def __str__(self) -> str:
        return f"{self.account}.{self.worker}" if self.worker else self.account


def parse_login(text: str) -> Login | None:
    """The login, or None if it is none. Only these characters ever reach a page, a log or a database."""
    match = _LOGIN.fullmatch(text)
    return Login(match[1], match[2] or "") if match else None


class PasswordOptions(Struct, frozen=True):
    """What a password asks for. difficulty: to be kept. minimum: the difficulty never to go below."""

    difficulty: float | None = None
    minimum: float | None = None


def password_options(password: str) -> PasswordOptions:
    """As in `x,d=1024` or `x;md=512`, in the words of miningcore, btcpool (`d`), ckpool (`diff`), datum_gateway (`fd`)
    and others; the last one of each kind holds. Anything else in a password is ignored."""
    difficulty = minimum = None
    for option in _SEPARATORS.split(password):
        name, _, value = option.partition("=")
        if name.lower() in _PINNING:
            difficulty = parse_difficulty(value) or difficulty
        elif name.lower() in _LIMITING:
            minimum = parse_difficulty(value) or minimum
    return PasswordOptions(difficulty, minimum)
