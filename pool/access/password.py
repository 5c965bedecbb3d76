"""Operators' passwords, by argon2id with the parameters of RFC 9106's second choice (64 MiB, three passes)."""

from __future__ import annotations

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from pool.access.scope import AccessRefused

LENGTH_MIN = 12
LENGTH_MAX = 1024
"""Far more than anybody types; hashing a megabyte would be work for whoever asks for it."""

_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)


def hashed(password: str, name: str) -> str:
    """What is kept. Raises AccessRefused when it is no password for an operator."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise AccessRefused(f"a password has {LENGTH_MIN} to {LENGTH_MAX} characters")
    if len(set(password)) < 5 or name.casefold() in password.casefold():
        raise AccessRefused("this password is too easy: use more different characters, and not the name")
    return _hasher.hash(password)


def matches(kept: str | None, password: str) -> bool:
    """Whether it is the password. kept: None if there is nobody of that name, which takes as long."""
    try:
        return _hasher.verify(kept or _nobody(), password[:LENGTH_MAX]) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    """Of a password that nobody has: an unknown name costs as long as a known one."""
    return _hasher.hash(secrets.token_hex())
