"""Operators' passwords, by argon2id with the parameters of RFC 9106's second choice (64 MiB, three passes)."""

from __future__ import annotations

import secrets
from functools import cache

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from pool.access.scope import AccessRefused

LENGTH_MIN = 12
LENGTH_MAX = 1024
"""Far more than anybody types; hashing a megabyte would be work for whoever asks for it."""

# RFC 9106, section 4; what is kept says with which of them it was made.
_PASSES, _LANES, _MEMORY_KIB, _SALT_BYTES, _TAG_BYTES = 3, 4, 65536, 16, 32


def hashed(password: str, name: str) -> str:
    """What is kept. Raises AccessRefused when it is no password for an operator."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise AccessRefused(f"a password has {LENGTH_MIN} to {LENGTH_MAX} characters")
    if len(set(password)) < 5 or name.casefold() in password.casefold():
        raise AccessRefused("this password is too easy: use more different characters, and not the name")
    return _hash(password)


def matches(kept: str | None, password: str) -> bool:
    """Whether it is the password. kept: None if there is nobody of that name, which takes as long."""
    try:
        Argon2id.verify_phc_encoded(_bytes_of(password[:LENGTH_MAX]), kept or _nobody())
    except InvalidKey:
        return False
    return kept is not None


@cache
def _nobody() -> str:
    """Of a password that nobody has: an unknown name costs as long as a known one."""
    return _hash(secrets.token_hex())


def _hash(password: str) -> str:
    maker = Argon2id(
        salt=secrets.token_bytes(_SALT_BYTES),
        length=_TAG_BYTES,
        iterations=_PASSES,
        lanes=_LANES,
        memory_cost=_MEMORY_KIB,
    )
    return maker.derive_phc_encoded(_bytes_of(password))


def _bytes_of(password: str) -> bytes:
    # A terminal that does not speak UTF-8 gives lone surrogates: a password like any other.
    return password.encode(errors="surrogatepass")
