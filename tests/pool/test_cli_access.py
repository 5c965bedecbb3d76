"""`steppe operator` and `steppe access`; and what other commands leave in the log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pool.cli import main
from tests.pool.test_cli import config, steppe
from tests.pool.test_cli_payouts import pool, said

__all__ = ["config", "pool"]


def typed(config: Path, *arguments: str, text: str) -> Result:
    """With something on standard input, which is no terminal."""
    return CliRunner().invoke(main, [*arguments, "-c", str(config)], input=text)


def log(config: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(said("access", "log", "-c", config, "--json").output)
    return rows


class TestOperator:
    def test_a_password_is_set_from_standard_input_and_never_shown(self, config: Path) -> None:
        result = typed(config, "operator", "password", "anna", text="correct horse battery\n")
        assert result.output == "anna: password set; log in at http://127.0.0.1:8081/\n"
        [row] = json.loads(said("access", "list", "-c", config, "--json").output)
        assert (row["kind"], row["name"], row["until_ms"]) == ("password", "anna", None)
        assert "horse" not in said("access", "log", "-c", config).output

    @pytest.mark.parametrize("text", ["", "short\n"])
    def test_a_bad_one_is_refused_with_the_reason(self, config: Path, text: str) -> None:
        result = typed(config, "operator", "password", text=text)
        assert (result.exit_code, result.output) == (1, "Error: a password has 12 to 1024 characters\n")

    def test_a_link_is_for_the_operators_listener(self, config: Path) -> None:
        assert said("operator", "link", "-c", config).output.startswith("http://127.0.0.1:8081/#/enter/steppe-invite-")


class TestAccess:
    def test_a_link_is_printed_once_and_listed_without_its_secret(self, config: Path) -> None:
        made = said("access", "make", "link", "noc", "--scope", "site:ganzi", "--days", "3", "-c", config).output
        assert made.startswith("http://127.0.0.1:8080/#/enter/steppe-watch-")
        listed = said("access", "list", "-c", config).output
        assert listed.startswith("1\tlink\tnoc\tsite:ganzi\tread\tuntil 20")
        assert "steppe-watch-" not in listed

    def test_a_key_is_of_the_account_of_its_name(self, config: Path) -> None:
        made = json.loads(said("access", "make", "key", "alice", "-c", config, "--json").output)
        assert made["secret"].startswith("steppe-key-")
        assert made["address"] == ""
        assert "\tkey\talice\taccount:alice\tread\tfor good\t" in said("access", "list", "-c", config).output

    def test_a_token_may_what_it_is_made_for(self, config: Path) -> None:
        said("access", "make", "token", "ci", "--may", "moves", "--days", "1", "-c", config)
        assert "\ttoken\tci\tpool\tmoves,read\t" in said("access", "list", "-c", config).output

    def test_what_makes_no_sense_is_refused_with_the_reason(self, config: Path) -> None:
        result = steppe("access", "make", "link", "noc", "-c", config)
        assert (result.exit_code, "a link that is passed on ends some day" in result.output) == (1, True)

    def test_what_is_revoked_is_gone(self, config: Path) -> None:
        said("access", "make", "link", "noc", "--days", "3", "-c", config)
        assert said("access", "revoke", "1", "-c", config).output == "link noc: revoked\n"
        assert said("access", "list", "-c", config).output == ""
        again = steppe("access", "revoke", "1", "-c", config)
        assert (again.exit_code, "there is no credential 1 that holds" in again.output) == (1, True)

    def test_the_log_is_verified(self, config: Path) -> None:
        said("access", "make", "link", "noc", "--days", "3", "-c", config)
        assert said("access", "log", "--verify", "-c", config).output.endswith("1 rows, each as it was written\n")


class TestOtherCommands:
    def test_what_changes_the_books_is_logged_before_and_after(self, pool: Path) -> None:
        said("payout", "stop", "a wallet is missing", "-c", pool)
        rows = log(pool)[:2]
        assert [(row["action"], row["target"], row["result"]) for row in rows] == [
            ("payout stop", "reason=a wallet is missing", "done"),
            ("payout stop", "reason=a wallet is missing", "begun"),
        ]
        assert rows[0]["who"].startswith("cli:")
        assert rows[0]["origin"] == "this machine"

    def test_what_is_refused_is_logged_with_the_reason(self, pool: Path) -> None:
        assert steppe("payout", "release", "9", "-c", pool).exit_code == 1
        assert log(pool)[0]["result"].startswith("refused: there is no payout 9")

    def test_an_account_that_is_added_is_logged(self, pool: Path) -> None:
        rows = [row for row in log(pool) if row["action"] == "account add"]
        assert [row["result"] for row in rows] == ["done", "begun"]
        assert "name=alice" in rows[0]["target"]

    @pytest.mark.parametrize(
        "command",
        [
            ("payout", "list"),
            ("payout", "status"),
            ("account", "address", "alice"),
            ("account", "threshold", "alice"),
            ("account", "plan", "alice"),
            ("block", "held"),
            ("audit",),
            ("reserve", "show"),
            ("fleet", "list"),
            ("move", "list"),
        ],
    )
    def test_what_only_looks_leaves_nothing(self, pool: Path, command: tuple[str, ...]) -> None:
        before = len(log(pool))
        steppe(*command, "-c", pool)
        assert len(log(pool)) == before
