"""`steppe fleet`, `site`, `contract`, `batch` and `assign`: what they say and refuse."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from pool.fleet.views import GROUPS
from tests.pool.test_cli import config, steppe

__all__ = ["config"]

SINCE = "2021-06-19T09:00+08:00"


def said(config: Path, *arguments: str) -> str:
    """What a command says that ends well."""
    result = steppe(*arguments, "-c", config)
    assert result.exit_code == 0, result.output
    return str(result.output)


def refused(config: Path, *arguments: str) -> str:
    """What a command says that is refused."""
    result = steppe(*arguments, "-c", config)
    assert result.exit_code == 1, result.output
    return str(result.output)


def rows(config: Path, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(said(config, *arguments, "--json"))
    return found


@pytest.fixture
def described(config: Path) -> Path:
    """A pool that knows the first batch of docs/fleets.md."""
    for name in ("bit", "host"):
        said(config, "account", "add", name)
    for command in (
        ("site", "add", "almaty", "KZ", "Asia/Almaty", "--host", "=Host & Sons"),
        ("site", "capacity", "almaty", "20000000"),
        ("contract", "add", "hosting-1", "hosting", "--steps", "net 500 host", "--site", "almaty"),
        ("fleet", "add", "bit/kz"),
        ("batch", "model", "S17", "56875", "3250"),
        ("batch", "add", "bit/kz/one", "S17", "320", "18200000"),
        ("batch", "count", "bit/kz/one", "--hashing", "320", "--source", "press, 27 June 2021"),
    ):
        said(config, *command, "--from", SINCE)
    said(config, "assign", "add", "bit", "kz-*", "bit/kz", "almaty", "--batch", "bit/kz/one", "--contract", "hosting-1")
    return config


class TestEntering:
    def test_a_fleet_is_described_in_a_few_commands(self, described: Path) -> None:
        groups = {"fleet": "fleets", "site": "sites", "contract": "contracts", "batch": "batches"}
        for command, group in (*groups.items(), ("assign", "assignments")):
            shown = {row["kind"] for row in rows(described, command, "list")}
            assert shown <= set(GROUPS[group])
            assert shown
        (assigned,) = rows(described, "assign", "list")
        assert assigned["says"]["slice_id"] == 1
        assert "assignment 1 (slice 1)  account=bit  pattern=kz-*" in said(described, "assign", "list")

    def test_what_is_known_already_is_not_recorded_again(self, described: Path) -> None:
        again = "site", "add", "almaty", "KZ", "Asia/Almaty", "--host", "=Host & Sons", "--from", SINCE
        assert said(described, *again) == "known already\n"

    def test_a_mistake_says_what_and_how_to_mend_it(self, described: Path) -> None:
        text = refused(described, "batch", "count", "bit/kz/one", "--hashing", "300", "--reason", "lost")
        assert "the counts add up to 300 (300 hashing), batch bit/kz/one has 320 machines" in text
        assert "valid_from: time 'soon'" in refused(described, "fleet", "add", "bit/x", "--from", "soon")
        assert "kind: 'rent' is none of hosting" in refused(described, "contract", "add", "c", "rent")
        assert "time_zone 'Mars/Olympus' is not in the IANA" in refused(
            described, "site", "add", "m", "KZ", "Mars/Olympus"
        )
        assert "'a lot' is no whole number" in refused(described, "site", "capacity", "almaty", "a lot")

    def test_an_assignment_ends_at_a_time_to_come(self, described: Path) -> None:
        assert "valid_to is before valid_from" in refused(described, "assign", "end", "1", SINCE)
        (ended,) = rows(described, "assign", "end", "1", "2100-06-19T09:00+08:00", "--source", "sold")
        assert (ended["replaces"], ended["says"]["slice_id"], ended["says"]["source"]) == (1, 1, "sold")
        assert "there is no row 9" in refused(described, "assign", "end", "9", "2100-06-19T09:00+08:00")

    def test_any_time_can_be_asked(self, described: Path) -> None:
        assert said(described, "site", "list", "--at", "2021-06-19T00:59:59Z") == "nothing is known\n"
        assert said(described, "site", "list", "--at", "2021-06-19T01:00:00Z").startswith("site 1  name=almaty")
        assert said(described, "site", "list", "--known", SINCE) == "nothing is known\n"


class TestFiles:
    def test_what_is_exported_is_imported_to_nothing_new(self, described: Path, tmp_path: Path) -> None:
        folder = tmp_path / "csv"
        assert str(folder / "site.csv") in said(described, "fleet", "export", str(folder))
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        assert said(described, "fleet", "import", str(folder)) == "known already\n"
        said(described, "fleet", "export", str(folder))
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before

    def test_one_bad_line_and_nothing_is_recorded(self, described: Path, tmp_path: Path) -> None:
        folder = tmp_path / "csv"
        said(described, "fleet", "export", str(folder))
        capacity = folder / "capacity.csv"
        capacity.write_text(
            capacity.read_text() + "almaty,5,2100-01-01T00:00Z,,\nnowhere,5,2100-01-01T00:00Z,,\n", encoding="utf-8"
        )
        assert "capacity.csv line 4: site nowhere does not exist; enter it first" in refused(
            described, "fleet", "import", str(folder)
        )
        assert len([row for row in rows(described, "site", "list") if row["kind"] == "capacity"]) == 1

    @pytest.mark.parametrize(
        ("content", "text"), [(b"\xff", "byte 0 is not UTF-8"), (b"a,b\n", "line 1: the columns are wrong")]
    )
    def test_a_file_that_cannot_be_read_is_refused(
        self, config: Path, tmp_path: Path, content: bytes, text: str
    ) -> None:
        (tmp_path / "site.csv").write_bytes(content)
        assert text in refused(config, "fleet", "import", str(tmp_path))

    def test_an_empty_folder_is_refused(self, config: Path, tmp_path: Path) -> None:
        folder = tmp_path / "nothing"
        folder.mkdir()
        assert "there is no CSV file in it" in refused(config, "fleet", "import", str(folder))


class TestEnergy:
    def test_what_no_balance_covers_is_an_invoice(self, described: Path) -> None:
        day = "--from", "2021-07-01T00:00Z", "--until", "2021-07-02T00:00Z"
        said(described, "contract", "tariff", "hosting-1", "host", "USD", "2.5", "--from", SINCE)
        said(described, "contract", "rate", "USD", "100000000/3133777", "--from", SINCE)
        said(described, "contract", "reading", "m1", "almaty", "bit", "hosting-1", "480000000", *day)
        told = said(described, "contract", "charge")
        assert told == "1 new charges, 0.00000000 BTC taken\ninvoice 1\tbit\tto host\t0.38292450 BTC\n"

    def test_without_readings_nothing_is_charged(self, described: Path) -> None:
        assert said(described, "contract", "charge") == "0 new charges, 0.00000000 BTC taken\n"


def test_the_worked_example_of_the_documentation_works(config: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "fleets.md").read_text(encoding="utf-8")
    commands = [shlex.split(line)[1:] for line in text.splitlines() if line.startswith("steppe ")]
    assert len(commands) == 19
    for command in commands:
        said(config, *command)
    assert [row["says"]["contract"] for row in rows(config, "assign", "list")] == ["kz-jv", "ganzi-1"]
    (before, after) = (rows(config, "batch", "list", "--at", f"2021-06-2{day}T00:00Z")[1] for day in (6, 7))
    assert (before["says"]["in_transit"], after["says"]["hashing"]) == (320, 320)
