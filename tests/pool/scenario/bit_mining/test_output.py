"""What a run leaves in its folder."""

from __future__ import annotations

import csv
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from payout.ledger import LedgerError
from pool.cli import main
from pool.reports.relocation import Relocation
from pool.scenario.bit_mining.case import Case
from pool.scenario.bit_mining.output import OutRefused, run
from tests.pool.scenario.bit_mining.small import case


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("first") / "out"
    run(case(), out, lambda _: None)
    return out


def test_the_same_seed_gives_the_same_bytes_in_every_file(first: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(case(), out, lambda _: None)
    assert digests(out) == digests(first)


def test_who_wants_it_stopped_at_the_very_end_finds_nothing_written(tmp_path: Path) -> None:
    out, told = tmp_path / "out", list[float]()

    def stop_when_all_is_written(part: float) -> None:
        told.append(part)
        if list(tmp_path.glob(".out.*/out/summary.json")):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(case(), out, stop_when_all_is_written)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert list(tmp_path.iterdir()) == []


def test_the_files_are_there(first: Path) -> None:
    wanted = {"summary.txt", "summary.json", "hashrate.svg", "fleet/batch.csv"}
    ways = ("ledger.sqlite", "ledger.csv", "balances.json", "blocks.csv", "blocks.json", "steppe.toml")
    reports = [f"relocation.{kind}" for kind in ("txt", "json", "html")]
    wanted |= {f"{way}/{name}" for way in ("pplns", "pps") for name in (*ways, *reports)}
    moves = ("ganzi-b1", "ganzi-b2", "ganzi-b4", "ganzi-b5")
    wanted |= {f"moves/{move}.{kind}" for move in moves for kind in ("txt", "json", "html")}
    assert wanted <= digests(first).keys()


@pytest.mark.parametrize("way", ["pplns", "pps"])
def test_each_row_of_an_exported_ledger_adds_up_to_nothing(first: Path, way: str) -> None:
    sums: dict[str, int] = {}
    for line in csv.DictReader((first / way / "ledger.csv").read_text().splitlines()):
        sums[line["row"]] = sums.get(line["row"], 0) + int(line["amount_sat"])
    assert len(sums) > 50
    assert set(sums.values()) == {0}


@pytest.mark.parametrize("way", ["pplns", "pps"])
def test_the_commands_of_the_pool_read_the_books(first: Path, way: str) -> None:
    audited = CliRunner().invoke(main, ["audit", "-c", str(first / way / "steppe.toml")])
    assert audited.exit_code == 0, audited.output
    assert "every invariant holds" in audited.output
    shown = CliRunner().invoke(main, ["move", "show", "ganzi-b1", "-c", str(first / way / "steppe.toml")])
    assert shown.exit_code == 0, shown.output
    assert "ganzi -> kz-hosting" in shown.output


@pytest.mark.parametrize("way", ["pplns", "pps"])
def test_the_relocation_report_has_the_fleet_before_and_after_within_the_error_of_its_shares(
    first: Path, way: str
) -> None:
    report = msgspec.json.decode((first / way / "relocation.json").read_bytes(), type=Relocation)
    before, _, after = report.phases
    old = {site.site: site for site in before.sites}
    assert old["ganzi"].measured_ghs == pytest.approx(293_000_000, rel=0.1)
    new = {site.site: site for site in after.sites if site.measured_ghs}
    assert set(new) == {"kz-hosting", "kz-jv", "texas"}
    for site in new.values():
        assert site.error_bps is not None
        assert site.measured_ghs == pytest.approx(site.expected_ghs, rel=6 * site.error_bps / 10_000)
    assert report.lost_sat > 0
    assert sum(each.cost_sat for each in report.lost) == report.lost_sat


def test_what_the_owner_has_of_the_old_site_after_it_was_left_is_the_windows_tail(first: Path) -> None:
    tails = {}
    for way in ("pplns", "pps"):
        report = msgspec.json.decode((first / way / "relocation.json").read_bytes(), type=Relocation)
        tails[way] = sum(each.tail_sat for phase in report.phases[1:] for each in phase.earned if each.party == "ganzi")
    assert tails["pplns"] > 0
    # Of pay per share only the day on which the power went is settled later.
    assert tails["pps"] < tails["pplns"] / 10


def test_a_folder_with_something_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(OutRefused, match="is not empty"):
        run(case(), tmp_path, lambda _: None)
    assert digests(tmp_path).keys() == {"mine"}


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(OutRefused, match="is a file"):
        run(case(), tmp_path / "mine", lambda _: None)


def test_what_is_broken_off_leaves_nothing(tmp_path: Path) -> None:
    def stop(part: float) -> None:
        raise LedgerError("stopped")

    with pytest.raises(LedgerError):
        run(Case(seed=1, scale=200, ends_ms=case().ends_ms), tmp_path / "out", stop)
    assert list(tmp_path.iterdir()) == []
