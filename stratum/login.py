"""Who submits: the login `account.worker`, checked at the door, and what its password may ask for."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from stratum.difficulty import parse_difficulty

_LOGIN: Final = re.compile(r"([A-Za-z0-9_-]{1,64})(?:\.([A-Za-z0-9_.:-]{0,64}))?")
_SEPARATORS: Final = re.compile(r"[,; ]")


class Login(Struct, frozen=True):
    """The two parts of a login; the first dot splits. account: a name or a payout address. worker: may be empty."""

    account: str
    worker: str

    def __str__(self) -> str:
        return f"{self.account}.{self.worker}" if self.worker else self.account


def parse_login(text: str) -> Login | None:
    """The login, or None if it is none. Only these characters ever reach a page, a log or a database."""
    match = _LOGIN.fullmatch(text)
    return Login(match[1], match[2] or "") if match else None


def difficulty_in_password(password: str) -> float | None:
    """The difficulty that a password asks for, as in `x,d=1024` (miningcore, btcpool, ckpool's `diff=`); the last
    one holds. Anything else in a password is ignored."""
    asked = None
    for option in _SEPARATORS.split(password):
        name, _, value = option.partition("=")
        if name.lower() in ("d", "diff"):
            asked = parse_difficulty(value) or asked
    return asked
