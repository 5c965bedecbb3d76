"""`steppe report`: what it says and refuses, out of a database that commands filled."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.pool.test_cli import config, steppe
from tests.pool.test_cli_fleets import described, refused, said

__all__ = ["config", "described"]

TIMES = ("--from", "2021-06-27T00:00+06:00", "--to", "2021-06-28T00:00+06:00")


class TestReports:
    def test_commissioning_is_told_for_people_and_for_programs(self, described: Path) -> None:
        lines = said(described, "report", "commissioning", "bit", *TIMES).splitlines()
        assert lines[0] == "Commissioning of bit"
        assert any(line.split()[:3] == ["bit/kz/one", "320", "320"] for line in lines)
        (batch,) = json.loads(said(described, "report", "commissioning", "bit", *TIMES, "--json"))["batches"]
        assert (batch["nominal_ghs_per_machine"], batch["measured_ghs"], batch["online_bps"]) == ("56875/1", 0, 10_000)

    def test_power_is_told_by_hour(self, described: Path) -> None:
        (site,) = json.loads(said(described, "report", "power", "almaty", *TIMES, "--json"))["sites"]
        assert [step["capacity_w"] for step in site["steps"]] == [20_000_000] * 24

    def test_as_it_was_known_before_anybody_said_anything(self, described: Path) -> None:
        before = ("--known", "2021-06-01T00:00Z")
        assert "there is no batch of bit" in refused(described, "report", "commissioning", "bit", *TIMES, *before)

    def test_a_page_is_written_and_named(self, described: Path, tmp_path: Path) -> None:
        page = tmp_path / "power.html"
        assert said(described, "report", "power", *TIMES, "--html", str(page)) == f"{page}\n"
        assert page.read_text(encoding="utf-8").startswith("<!doctype html>")

    def test_a_page_that_cannot_be_written_says_why(self, described: Path, tmp_path: Path) -> None:
        page = tmp_path / "none" / "power.html"
        assert f"{page} cannot be written: No such file" in refused(described, "report", "power", "--html", str(page))

    @pytest.mark.parametrize(
        ("arguments", "why"),
        [
            (("relocation", "out"), "there is no move out"),
            (("relocation", "bit", "--off", "2021-06-19T09:00+08:00"), "needs both"),
            (("power", "texas"), "there is no site texas; there are: almaty"),
            (("sla", "river"), "there is no contract river; there are: hosting-1"),
            (("downtime", "nobody"), "no workers are assigned to nobody"),
            (("downtime", "bit", "--from", "2021-06-19T09:00Z", "--to", "2021-06-18T09:00Z"), "has no time"),
        ],
    )
    def test_what_cannot_be_reported_says_why(self, described: Path, arguments: tuple[str, ...], why: str) -> None:
        assert why in refused(described, "report", *arguments)

    def test_a_time_without_its_offset_is_refused(self, described: Path) -> None:
        result = steppe("report", "power", "--from", "2021-06-19T09:00", "-c", described)
        assert result.exit_code == 2
        assert "no offset from UTC" in result.output

    def test_weak_machines_need_the_statistics(self, described: Path) -> None:
        assert "Redis" in refused(described, "report", "weak")
