"""A journal for people; pool/journal/inspect.py and pool/journal_command.py."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pool.cli import main
from pool.journal.packing import Packing
from pool.journal.segments import segment_paths
from pool.work.proof import hash_of
from pool.work.share import Outcome
from tests.native import blocks
from tests.pool.journal.samples import JOB, Bench, share
from tests.stratum.scene import BLOCK_EXTRANONCE1, BLOCK_EXTRANONCE2, block_job


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A job, then six shares, in segments of which all but the last are compressed."""
    folder = tmp_path / "journal"
    bench = Bench(folder, segment_bytes_max=700)
    bench.journal.append(JOB)
    for nonce in range(1, 7):
        bench.commit(nonce)
    bench.clock.advance(1)
    packing = Packing(folder, lambda: bench.journal.durable_seq, threading.Lock(), lambda: 0.0)
    while packing.step() == 0.0:
        pass
    bench.close()
    return folder


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["journal", *words])
    return done.exit_code, done.output


def shown(folder: Path, *words: str) -> list[dict[str, Any]]:
    code, output = run("show", "--folder", str(folder), *words)
    assert code == 0, output
    return [json.loads(line) for line in output.splitlines()]


def test_the_segments_are_listed_with_their_records(folder: Path) -> None:
    _, output = run("list", "--folder", str(folder))
    rows = [line.split("\t") for line in output.splitlines()]
    assert [Path(row[0]) for row in rows] == segment_paths(folder)
    assert [row[1] for row in rows][1:] == [str(int(row[2]) + 1) for row in rows[:-1]]
    assert rows[-1][2] == ""
    assert int(rows[0][4]) > int(rows[0][3])


def test_a_whole_journal_is_said_to_be_whole(folder: Path) -> None:
    assert run("verify", "--folder", str(folder)) == (0, f"{folder}: whole, records 1 to 7: 6 shares and 1 jobs\n")


@pytest.mark.parametrize("place", [0, -1])
def test_a_damaged_one_is_not_and_the_place_is_named(folder: Path, place: int) -> None:
    path = segment_paths(folder)[place]
    content = bytearray(path.read_bytes())
    content[70] ^= 1
    path.write_bytes(content)
    code, output = run("verify", "--folder", str(folder))
    assert code == 1
    assert str(path) in output


def test_records_are_printed_with_their_numbers(folder: Path) -> None:
    lines = shown(folder)
    assert [line["seq"] for line in lines] == list(range(1, 8))
    assert [line["record"] for line in lines] == ["job", *["share"] * 6]
    assert [line["nonce"] for line in lines[1:]] == list(range(1, 7))


def test_some_of_them_are(folder: Path) -> None:
    assert [line["seq"] for line in shown(folder, "--from", "3", "--to", "5")] == [3, 4, 5]


def test_a_share_has_the_hash_of_its_header_if_its_job_is_among_them(folder: Path) -> None:
    assert len(shown(folder)[1]["hash"]) == 64
    assert [line["hash"] for line in shown(folder, "--from", "6") if line["seq"] > 6] == [None]


def test_the_hash_is_that_of_the_header() -> None:
    solved = share(blocks.BLOCK_NONCE)
    solved = type(solved)(
        solved.time_ms,
        Outcome.DUPLICATE,
        "100000",
        "alice",
        "rig",
        BLOCK_EXTRANONCE1,
        BLOCK_EXTRANONCE2,
        blocks.BLOCK_VERSION,
        blocks.BLOCK_NTIME,
        blocks.BLOCK_NONCE,
        1.0,
        blocks.BLOCK_NBITS,
        100_000,
    )
    # Block 100000 of the main chain.
    expected = "000000000003ba27aa200b1cecaad478d2b00432346c3f1f3986da1afd33e506"
    assert hash_of(solved, block_job())[::-1].hex() == expected


def test_a_reader_from_a_record_that_was_removed_is_told(folder: Path) -> None:
    segment_paths(folder)[0].unlink()
    code, output = run("show", "--folder", str(folder), "--from", "1")
    assert code == 1
    assert "removed" in output


def test_without_a_pool_or_a_folder_it_says_what_it_needs() -> None:
    code, output = run("verify")
    assert code == 2
    assert "-c FILE" in output


def test_a_pool_without_a_journal_says_so(tmp_path: Path) -> None:
    file = tmp_path / "steppe.toml"
    file.write_text(
        '[pool]\nchain = "regtest"\npayout_address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"\n'
        '[[node]]\nurl = "http://127.0.0.1:18443"\ncookie_file = "cookie"\n'
    )
    code, output = run("list", "-c", str(file))
    assert code == 1
    assert "there is no journal in" in output
