"""stratum.login."""

from __future__ import annotations

import pytest

from stratum.login import Login, PasswordOptions, parse_login, password_options


class TestLogin:
    @pytest.mark.parametrize(
        ("text", "login"),
        [
            ("alice", Login("alice", "")),
            ("alice.", Login("alice", "")),
            ("alice.rig1", Login("alice", "rig1")),
            ("alice.fleet-rack-17", Login("alice", "fleet-rack-17")),
            (
                "bcrt1q6rhpng9evdsfnn833a4f4vej0asu6dk5srld6x.a",
                Login("bcrt1q6rhpng9evdsfnn833a4f4vej0asu6dk5srld6x", "a"),
            ),
        ],
    )
    def test_the_first_dot_splits(self, text: str, login: Login) -> None:
        assert parse_login(text) == login

    def test_further_dots_belong_to_the_worker(self) -> None:
        assert parse_login("alice.site.rack:7") == Login("alice", "site.rack:7")

    @pytest.mark.parametrize(
        "text",
        [
            "",
            ".rig1",
            "a" * 65,
            "alice." + "w" * 65,
            "alice rig1",
            "alice\n",
            "alice.rig\x00",
            "<script>",
            "älice",
            "alice.rig\uff11",
            "alice/rig",
            "=cmd()",
        ],
    )
    def test_anything_else_is_no_login(self, text: str) -> None:
        assert parse_login(text) is None

    def test_it_reads_as_it_was_written(self) -> None:
        assert str(Login("alice", "rig1")) == "alice.rig1"

    def test_without_a_worker_it_is_the_account(self) -> None:
        assert str(Login("alice", "")) == "alice"


class TestPassword:
    @pytest.mark.parametrize(
        ("password", "difficulty"),
        [
            ("d=1024", 1024.0),
            ("x,d=0.5", 0.5),
            ("x;diff=512", 512.0),
            ("fd=64", 64.0),
            ("D=8", 8.0),
            ("d=1,d=2", 2.0),
            ("x d=3", 3.0),
            ("md=5,d=7", 7.0),
        ],
    )
    def test_it_may_ask_for_a_difficulty(self, password: str, difficulty: float) -> None:
        assert password_options(password).difficulty == difficulty

    @pytest.mark.parametrize(
        ("password", "minimum"),
        [("md=1024", 1024.0), ("x,min=0.5", 0.5), ("mindiff=8;x", 8.0), ("d=7 MD=5", 5.0), ("md=1,min=2", 2.0)],
    )
    def test_or_for_a_lower_bound_of_it(self, password: str, minimum: float) -> None:
        assert password_options(password).minimum == minimum

    @pytest.mark.parametrize(
        "password", ["", "x", "d", "d=", "d=x", "d=-1", "d=0", "d=1_0", "d=inf", "md", "md=-5", "pd=3", "d=\uff11"]
    )
    def test_most_passwords_ask_for_nothing(self, password: str) -> None:
        assert password_options(password) == PasswordOptions()
