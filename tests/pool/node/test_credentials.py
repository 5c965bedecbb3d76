"""Cookies and passwords, and what is said when they are missing."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest

from pool.node.credentials import CookieFile, PasswordFile
from pool.ports import NodeUnavailable


def basic(pair: str) -> str:
    return "Basic " + b64encode(pair.encode()).decode()


class TestCookie:
    def test_it_is_user_and_password(self, tmp_path: Path) -> None:
        (tmp_path / ".cookie").write_text("__cookie__:abc")
        assert CookieFile(tmp_path / ".cookie").authorization() == basic("__cookie__:abc")

    def test_it_is_read_anew_each_time(self, tmp_path: Path) -> None:
        cookie = CookieFile(tmp_path / ".cookie")
        cookie.path.write_text("__cookie__:old")
        cookie.authorization()
        cookie.path.write_text("__cookie__:new")
        assert cookie.authorization() == basic("__cookie__:new")

    def test_a_missing_one_asks_whether_the_node_runs(self, tmp_path: Path) -> None:
        with pytest.raises(NodeUnavailable, match=r"there is no file .*\.cookie: is bitcoind running"):
            CookieFile(tmp_path / ".cookie").authorization()

    def test_one_that_cannot_be_read_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(NodeUnavailable, match="cannot read"):
            CookieFile(tmp_path).authorization()


class TestPassword:
    @pytest.mark.parametrize("password", ["simple", "p@ss:w/rd?#%41", "Пароль", " spaced "])
    def test_every_character_may_be_in_it(self, tmp_path: Path, password: str) -> None:
        (tmp_path / "password").write_text(password + "\n", encoding="utf-8")
        assert PasswordFile("pool", tmp_path / "password").authorization() == basic(f"pool:{password}")

    def test_an_empty_file_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "password").write_text("\n")
        with pytest.raises(NodeUnavailable, match=r"first line of .*password is empty: write"):
            PasswordFile("pool", tmp_path / "password").authorization()

    def test_no_text_shows_it(self, tmp_path: Path) -> None:
        (tmp_path / "password").write_text("secret")
        password = PasswordFile("pool", tmp_path / "password")
        assert "secret" not in f"{password}{password!r}"
