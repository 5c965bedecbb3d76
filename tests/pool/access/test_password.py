"""pool.access.password."""

from __future__ import annotations

import pytest

from pool.access.password import hashed, matches
from pool.access.scope import AccessRefused

PASSWORD = "correct horse battery"


def test_only_the_password_matches_what_is_kept_of_it() -> None:
    kept = hashed(PASSWORD, "anna")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert PASSWORD not in kept
    assert matches(kept, PASSWORD)
    assert not matches(kept, PASSWORD + "x")
    assert not matches(kept, "")


def test_what_an_older_version_has_kept_still_matches() -> None:
    kept = "$argon2id$v=19$m=65536,t=3,p=4$ebrJfJnPWwAj9om4vyYNmg$tGORfqt9IA2AlqXxCyR7nPXEu0rkAt1Ut19FNLClP8w"
    assert matches(kept, PASSWORD)
    assert not matches(kept, PASSWORD + "x")


@pytest.mark.parametrize("kept", ["", "$argon2id$v=19$m=65536,t=3,p=4$!!$x", "0" * 64])
def test_what_is_no_hash_matches_nothing(kept: str) -> None:
    assert not matches(kept, PASSWORD)


def test_a_password_of_a_terminal_that_speaks_no_utf_8_is_one_like_any_other() -> None:
    password = b"correct h\xf6rse battery".decode(errors="surrogateescape")
    assert matches(hashed(password, "anna"), password)


def test_nobody_has_a_password() -> None:
    assert not matches(None, PASSWORD)


def test_the_same_password_is_kept_differently_each_time() -> None:
    assert hashed(PASSWORD, "anna") != hashed(PASSWORD, "anna")


@pytest.mark.parametrize(
    "password", ["", "short", "x" * 1025, "aaaaaaaaaaaaaaaa", "anna-anna-2026!", "my ANNA forever"]
)
def test_an_easy_one_is_refused(password: str) -> None:
    with pytest.raises(AccessRefused, match="password"):
        hashed(password, "anna")
