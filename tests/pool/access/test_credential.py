"""pool.access.credential."""

from __future__ import annotations

from typing import Any

import pytest

from pool.access import credential
from pool.access.credential import DAY_MS, Credential, Directory, Kind, Right, Wish, digest, new_secret
from pool.access.scope import POOL, AccessRefused, Scope

Asked = tuple[str, str, str, tuple[str, ...], int | None]
READ = frozenset({Right.READ})


def kept(number: int, kind: Kind, secret: str, **changes: Any) -> Credential:
    values: dict[str, Any] = {"name": "x", "scope": POOL, "rights": READ, "parent": None, "until_ms": None} | changes
    return Credential(number, kind, secret=digest(secret), created_ms=0, made_by="cli:root", **values)


class TestSecret:
    def test_it_has_256_bits_and_says_what_it_is(self) -> None:
        assert new_secret(Kind.LINK).startswith("steppe-watch-")
        assert credential.is_secret(new_secret(Kind.TOKEN))
        assert len({new_secret(Kind.KEY) for _ in range(100)}) == 100

    @pytest.mark.parametrize("text", ["", "x", "steppe-watch-", "steppe-watch-" + "A" * 42, "steppe-root-" + "A" * 43])
    def test_what_has_another_form_is_none(self, text: str) -> None:
        assert not credential.is_secret(text)


class TestWish:
    def test_a_link_only_reads_and_ends(self) -> None:
        made = credential.wish("link", "noc", "site:ganzi", (), 3, 1_000)
        assert made == Wish(Kind.LINK, "noc", Scope("site", "ganzi"), READ, 1_000 + 3 * DAY_MS)

    def test_a_token_may_do_what_it_is_made_for(self) -> None:
        assert credential.wish("token", "ci", "pool", ["moves"], None, 0).rights == {Right.READ, Right.MOVES}

    @pytest.mark.parametrize(
        ("asked", "says"),
        [
            (("session", "x", "pool", (), 1), "cannot be made"),
            (("link", "x", "pool", (), None), "ends some day"),
            (("link", "x", "pool", ("moves",), 1), "only reads"),
            (("link", "x", "pool", (), 0), "days"),
            (("link", "x", "pool", (), 99_999), "days"),
            (("token", "x", "account:a", ("payouts",), 1), "scope pool"),
            (("token", "x", "pool", ("root",), 1), "rights are"),
            (("key", "alice", "pool", (), 1), "scope account:NAME"),
            (("key", "alice", "account:bob", (), 1), "has its name"),
            (("token", "", "pool", (), 1), "name"),
            (("token", "a\nb", "pool", (), 1), "name"),
        ],
    )
    def test_what_makes_no_sense_is_refused(
        self, asked: tuple[str, str, str, tuple[str, ...], int | None], says: str
    ) -> None:
        with pytest.raises(AccessRefused, match=says):
            credential.wish(*asked, 0)


class TestSession:
    def test_it_is_no_longer_than_what_made_it(self) -> None:
        link = kept(1, Kind.LINK, "s", until_ms=DAY_MS)
        assert credential.session(link, 0).until_ms == DAY_MS
        assert credential.session(link, 0).parent == 1

    def test_that_of_an_operator_lasts_a_shift_and_outlives_an_invitation(self) -> None:
        made = credential.session(kept(1, Kind.INVITE, "s", until_ms=5), 0)
        assert (made.until_ms, made.parent) == (DAY_MS // 2, None)


class TestDirectory:
    def test_it_finds_what_holds_by_its_secret(self) -> None:
        row = kept(1, Kind.LINK, "secret", until_ms=100)
        directory = Directory([row])
        assert directory.find("secret", 99) == row
        assert directory.find("secret", 100) is None
        assert directory.find("Secret", 99) is None
        assert directory.find(row.secret, 99) is None

    def test_a_session_ends_with_what_made_it(self) -> None:
        link = kept(1, Kind.LINK, "l", until_ms=100)
        session = kept(2, Kind.SESSION, "s", parent=1, until_ms=1_000)
        assert Directory([link, session]).holds(2, 99)
        assert not Directory([link, session]).holds(2, 100)
        assert Directory([session]).find("s", 99) is None

    def test_a_password_is_found_by_name_and_never_by_what_is_kept_of_it(self) -> None:
        row = kept(1, Kind.PASSWORD, "p", name="anna")
        directory = Directory([row])
        assert directory.password("anna") == row
        assert directory.password("bob") is None
        assert directory.find("p", 0) is None
        assert directory.has_operator


def test_the_token_of_a_page_cannot_be_told_from_its_secret_and_is_each_sessions_own() -> None:
    first, second = new_secret(Kind.SESSION), new_secret(Kind.SESSION)
    assert credential.csrf_of(first) != credential.csrf_of(second)
    assert credential.csrf_of(first) not in (first, digest(first))
