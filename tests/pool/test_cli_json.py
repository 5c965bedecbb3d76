"""Every command that prints facts prints them as JSON too, and the documentation says in which shape."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pool.cli import main
from tests.pool.test_cli import config, steppe

__all__ = ["config"]

OPERATING = Path(__file__).parents[2] / "docs" / "operating.md"

WITHOUT = {
    "run": "it runs until it is ended; its log is JSON lines",
    "demo": "it runs until it is ended, and is for people",
    "miner": "it runs until it is ended, and is for people",
    "config sample": "it prints a file in TOML",
    "completion": "it prints a script for a shell",
    "journal show": "it prints JSON lines anyway",
}
"""The commands without --json, and why."""


def commands(group: click.Group = main, above: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from commands(command, f"{above}{name} ")
        else:
            yield f"{above}{name}", command


def has_json(command: click.Command) -> bool:
    return any("--json" in parameter.opts for parameter in command.params)


EVERY = dict(commands())


@pytest.mark.parametrize("name", EVERY)
def test_every_command_has_json_or_a_reason(name: str) -> None:
    assert has_json(EVERY[name]) is (name not in WITHOUT)


def test_no_reason_is_for_a_command_that_is_gone() -> None:
    assert WITHOUT.keys() <= EVERY.keys()


def test_the_shape_of_every_answer_is_documented() -> None:
    section = OPERATING.read_text().partition("\n## Answers for programs\n")[2].partition("\n## ")[0]
    described = {
        name
        for row in re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
        for name in re.findall(r"`steppe ([^`]+)`", row)
    }
    assert described == {name for name in EVERY if name not in WITHOUT}


class TestShapes:
    """Those that are not of a type which other tests hold."""

    def facts(self, *words: str | Path, code: int = 0) -> object:
        done = steppe(*words, "--json")
        assert done.exit_code == code, done.output
        return json.loads(done.stdout)

    def test_a_good_file(self, config: Path) -> None:
        assert self.facts("check", "-c", config) == {
            "file": str(config),
            "is_good": True,
            "mistakes": [],
            "refused": [],
        }

    def test_mistakes_have_their_place(self, config: Path) -> None:
        config.write_text(config.read_text().replace("regtest", "regtset"))
        found = self.facts("check", "-c", config, code=78)
        assert isinstance(found, dict)
        [mistake] = found["mistakes"]
        assert (mistake["file"], mistake["line"], mistake["key"]) == (str(config), 2, "pool.chain")

    def test_accounts(self, config: Path) -> None:
        assert self.facts("account", "add", "alice", "-c", config) == {"account": "alice"}
        assert self.facts("account", "list", "-c", config) == [{"account": "alice", "scheme": "pplns", "fee_bps": 100}]

    def test_a_statement_has_both_spellings(self, config: Path) -> None:
        steppe("account", "add", "alice", "-c", config)
        one = CliRunner().invoke(main, ["statement", "alice", "-c", str(config), "--to", "2026-01-01", "--json"])
        two = CliRunner().invoke(
            main, ["statement", "alice", "-c", str(config), "--to", "2026-01-01", "--format", "json"]
        )
        assert one.exit_code == 0, one.output
        assert json.loads(one.output) == json.loads(two.output)

    def test_an_operators_link(self, config: Path) -> None:
        found = self.facts("operator", "link", "ann", "-c", config)
        assert isinstance(found, dict)
        assert (found["name"], "#/enter/steppe-invite-" in found["link"]) == ("ann", True)

    def test_vectors(self) -> None:
        found = self.facts("vectors", Path(__file__).parents[1] / "vectors" / "payout_vectors.json")
        assert isinstance(found, list)
        assert set(found[0]) == {"id", "passed", "message"}
