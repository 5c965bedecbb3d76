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
