"""docs/verify_payout.py, run as anybody would: on exports of blocks, and on exports that somebody changed."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from payout.accounts import Scheme
from payout.rewards import Startup
from pool.explain.export import Exported, export_block
from pool.work.share import Outcome, Share
from tests.payout.conftest import sqlite, sqlite_file
from tests.payout.scene import RULES
from tests.pool.explain.mined import EASIER, EASY, MinedPool, mined_job
from tests.pool.rebuild.pools import ONE, TWO

__all__ = ["sqlite", "sqlite_file"]

SCRIPT = Path(__file__).parents[2] / "docs" / "verify_payout.py"
LINES_MAX = 200


def verify(folder: Path) -> tuple[int, str]:
    """Exit code and what was said, without anything of ours in reach."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPT), str(folder)],
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def mined(tmp_path: Path, sqlite: Engine, sqlite_file: bytes) -> MinedPool:
    """Two journals; alice and bob on PPLNS, kz on PPS; a window of a tenth of a block, which the shares overfill."""
    pool = MinedPool(tmp_path, sqlite, sqlite_file, replace(RULES, window_x=Fraction(1, 10)))
    pool.scene.account("alice", Scheme.PPLNS, 150)
    pool.scene.account("kz", Scheme.PPS, 200)
    return pool


def play(pool: MinedPool, *, shares: int = 12) -> Share:
    """Shares of everybody in two journals, then a block of alice's."""
    job = mined_job("a1")
    for number in range(shares):
        records = [pool.share(job, name, EASIER if name == "bob" else EASY) for name in ("alice", "bob", "kz")]
        pool.pool.take(*([job] if number < 2 else []), *records, frontend=(ONE, TWO)[number % 2])
    found = pool.share(job, "alice", is_block=True)
    pool.pool.take(found)
    pool.reach(110, found)
    return found


def exported(pool: MinedPool, found: Share, folder: Path, **options: Any) -> Exported:
    assert found.block_hash is not None
    return export_block(pool.engine, pool.journals(), found.block_hash, folder, **options)


class TestAsItIs:
    def test_what_the_contract_of_a_slice_gives_a_host_agrees_and_another_contract_does_not(
        self, mined: MinedPool, tmp_path: Path
    ) -> None:
        mined.scene.account("host", Scheme.PPLNS)
        number = mined.scene.slice("alice", "net 333 host; left 1000 host; share @owner 80 host 20")
        job = mined_job("a1")
        hosted = [replace(mined.share(job, "alice"), slice_id=number) for _ in range(6)]
        mined.pool.take(job, *hosted, mined.share(job, "bob"))
        found = mined.share(job, "alice", is_block=True)
        mined.pool.take(found)
        mined.reach(110, found)
        exported(mined, found, tmp_path / "out")
        code, said = verify(tmp_path / "out")
        assert code == 0, said
        file = tmp_path / "out" / "block.json"
        document = json.loads(file.read_text())
        (contract,) = [each["contract"] for each in document["stakes"] if each["contract"]]
        contract["cuts"][0][1] += 1
        file.write_text(json.dumps(document))
        code, said = verify(tmp_path / "out")
        assert (code, "books something else than these credits" in said) == (1, True)

    def test_a_block_agrees_and_every_share_is_proven(self, mined: MinedPool, tmp_path: Path) -> None:
        done = exported(mined, play(mined), tmp_path / "out")
        code, said = verify(tmp_path / "out")
        assert (code, done.shares > 20, done.proven) == (0, True, done.shares), said
        assert "Everything agrees, to the satoshi." in said
        assert f"the work of {done.shares} was checked" in said

    @pytest.mark.parametrize("startup", Startup)
    def test_a_window_that_is_not_full_agrees_under_both_policies(
        self, tmp_path: Path, sqlite: Engine, sqlite_file: bytes, startup: Startup
    ) -> None:
        pool = MinedPool(tmp_path, sqlite, sqlite_file, replace(RULES, startup=startup))
        exported(pool, play(pool, shares=3), tmp_path / "out")
        code, said = verify(tmp_path / "out")
        assert code == 0, said
        kept_sat = json.loads((tmp_path / "out" / "block.json").read_text())["reserve_sat"]
        assert (kept_sat > 0) == (startup is Startup.RESERVE)

    def test_a_block_of_a_stale_share_has_a_window_without_it(self, mined: MinedPool, tmp_path: Path) -> None:
        play(mined)
        stale = mined.share(mined_job("a1"), "bob", is_block=True, outcome=Outcome.STALE)
        mined.pool.take(replace(stale, height=100))
        assert stale.block_hash is not None
        mined.chain.ours[100] = stale.block_hash
        mined.reach(111)
        exported(mined, stale, tmp_path / "out")
        assert verify(tmp_path / "out")[0] == 0

    def test_without_headers_the_sums_are_still_checked(self, mined: MinedPool, tmp_path: Path) -> None:
        done = exported(mined, play(mined), tmp_path / "out", with_headers=False)
        code, said = verify(tmp_path / "out")
        assert (code, done.proven) == (0, 0), said
        assert "compare the reward with the block in the chain" in said

    def test_an_orphan_agrees_too(self, mined: MinedPool, tmp_path: Path) -> None:
        found = play(mined)
        mined.chain.ours.clear()
        mined.reach(120)
        exported(mined, found, tmp_path / "out")
        code, said = verify(tmp_path / "out")
        assert code == 0, said
        assert "it is orphaned" in said


class TestSchemes:
    """A window with shares under every scheme, and blocks that one alone takes."""

    NAMES = ("alice", "kz", "fp", "plus", "lone")

    @pytest.fixture
    def all_five(self, tmp_path: Path, sqlite: Engine, sqlite_file: bytes) -> MinedPool:
        pool = MinedPool(tmp_path, sqlite, sqlite_file, replace(RULES, window_x=Fraction(1, 10)))
        for name, scheme in zip(self.NAMES, Scheme, strict=True):
            pool.scene.account(name, scheme, 150)
        job = mined_job("a1")
        pool.pool.take(job, *[pool.share(job, name) for _ in range(9) for name in self.NAMES])
        return pool

    @pytest.mark.parametrize("finder", ["alice", "plus", "lone"])
    def test_a_block_of_any_scheme_agrees(self, all_five: MinedPool, tmp_path: Path, finder: str) -> None:
        found = all_five.share(mined_job("a1"), finder, is_block=True)
        all_five.pool.take(found)
        all_five.reach(110, found)
        done = exported(all_five, found, tmp_path / "out")
        code, said = verify(tmp_path / "out")
        assert code == 0, said
        assert (done.shares == 0) == (finder == "lone")
        credits = {each["stake"]: each for each in json.loads((tmp_path / "out" / "block.json").read_text())["credits"]}
        if finder == "lone":
            assert [each["own_sat"] for each in credits.values()] == [985_000]
        else:
            assert sum(each["bought_sat"] > 0 for each in credits.values()) == 3
            assert sum(0 < each["own_sat"] < each["gross_sat"] - each["fee_sat"] for each in credits.values()) == 1

    @pytest.mark.parametrize(
        ("key", "value"), [("taker", None), ("subsidy_sat", 800_000)], ids=["the taker", "the subsidy"]
    )
    def test_a_rule_that_was_changed_is_noticed(
        self, all_five: MinedPool, tmp_path: Path, key: str, value: int | None
    ) -> None:
        found = all_five.share(mined_job("a1"), "lone" if key == "taker" else "plus", is_block=True)
        all_five.pool.take(found)
        all_five.reach(110, found)
        exported(all_five, found, tmp_path / "out")
        document = json.loads((tmp_path / "out" / "block.json").read_text())
        document["block"][key] = value
        (tmp_path / "out" / "block.json").write_text(json.dumps(document))
        assert verify(tmp_path / "out")[0] == 1


Change = Callable[[dict[str, Any], list[dict[str, str]]], None]


def _more(document: dict[str, Any], shares: list[dict[str, str]]) -> None:
    shares.append({**shares[-1], "seq": str(int(shares[-1]["seq"]) + 1), "header": "", "difficulty": ""})


def _fewer(document: dict[str, Any], shares: list[dict[str, str]]) -> None:
    del shares[3]


def _twice(document: dict[str, Any], shares: list[dict[str, str]]) -> None:
    """One share in the place of another of the same worth, so that all sums stay."""
    alike = [each for each in shares if (each["journal"], each["stake"]) == (shares[5]["journal"], shares[5]["stake"])]
    alike[1]["header"] = alike[0]["header"]


def _other_stake(document: dict[str, Any], shares: list[dict[str, str]]) -> None:
    other = next(each["stake"] for each in document["stakes"] if str(each["stake"]) != shares[5]["stake"])
    shares[5]["stake"] = str(other)


def _satoshi(document: dict[str, Any], shares: list[dict[str, str]]) -> None:
    for place, sat in ((0, 1), (1, -1)):
        document["credits"][place]["gross_sat"] += sat
        document["credits"][place]["own_sat"] += sat


def _fee(document: dict[str, Any], shares: list[dict[str, str]]) -> None:
    document["credits"][0]["fee_sat"] += 1
    document["credits"][0]["own_sat"] -= 1


def _plan(document: dict[str, Any], shares: list[dict[str, str]]) -> None:
    document["stakes"][0]["fee_bps"] += 100


def _reward(document: dict[str, Any], shares: list[dict[str, str]]) -> None:
    document["block"]["reward_sat"] += 1


def _row(document: dict[str, Any], shares: list[dict[str, str]]) -> None:
    entries = document["ledger"][0]["entries"]
    entries[1][1] -= 1
    entries[2][1] += 1


def _harder(document: dict[str, Any], shares: list[dict[str, str]]) -> None:
    shares[5]["difficulty"] = str(Fraction(shares[5]["difficulty"]) * 4)


def _units(document: dict[str, Any], shares: list[dict[str, str]]) -> None:
    shares[5]["units"] = str(int(shares[5]["units"]) + 1)
    shares[6]["units"] = str(int(shares[6]["units"]) - 1)


def _no_work(document: dict[str, Any], shares: list[dict[str, str]]) -> None:
    header = bytearray.fromhex(shares[5]["header"])
    header[79] ^= 1
    shares[5]["header"] = header.hex()


def _other_block(document: dict[str, Any], shares: list[dict[str, str]]) -> None:
    document["block"]["hash"] = "00" * 32


def _window(document: dict[str, Any], shares: list[dict[str, str]]) -> None:
    document["window"]["blocks"] = "1/5"


def _unknown_stake(document: dict[str, Any], shares: list[dict[str, str]]) -> None:
    shares[5]["stake"] = "999"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_more, "shares are too many"),
        (_fewer, "shares are missing"),
        (_twice, "the same header was counted before"),
        (_other_stake, "booked are"),
        (_satoshi, "booked are"),
        (_fee, "booked are"),
        (_plan, "booked are"),
        (_reward, "the coinbase pays 1000000 sat, and 1000001 were shared out"),
        (_row, "does not have its hash"),
        (_harder, "does not meet its target"),
        (_units, "but its difficulty is worth"),
        (_no_work, "does not meet its target"),
        (_other_block, "the header of the finder's share is not that of block"),
        (_window, "the window is not as long as its blocks"),
        (_unknown_stake, "which block.json does not have"),
    ],
)
def test_what_was_changed_is_noticed(mined: MinedPool, tmp_path: Path, change: Change, says: str) -> None:
    out = tmp_path / "out"
    exported(mined, play(mined), out)
    document = json.loads((out / "block.json").read_text())
    with (out / "shares.csv").open() as file:
        shares = list(csv.DictReader(file))
    change(document, shares)
    (out / "block.json").write_text(json.dumps(document))
    with (out / "shares.csv").open("w") as file:
        writer = csv.DictWriter(file, list(shares[0]))
        writer.writeheader()
        writer.writerows(shares)
    code, said = verify(out)
    assert code == 1, said
    assert says in said
    assert "do NOT agree with the pool" in said


class TestBadFiles:
    def test_a_folder_without_an_export_is_told_from_a_wrong_one(self, tmp_path: Path) -> None:
        code, said = verify(tmp_path)
        assert code == 2
        assert "These files cannot be read" in said

    def test_it_says_how_it_is_used(self) -> None:
        done = subprocess.run([sys.executable, "-I", "-S", str(SCRIPT)], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "verify_payout.py DIR" in done.stderr


def test_it_is_short_and_shares_nothing_with_the_pool() -> None:
    lines = SCRIPT.read_text().splitlines()
    assert len(lines) <= LINES_MAX
    imported = {line.split()[1] for line in lines if line.startswith(("import ", "from "))}
    assert imported == {"collections", "csv", "fractions", "hashlib", "json", "pathlib", "sys"}
