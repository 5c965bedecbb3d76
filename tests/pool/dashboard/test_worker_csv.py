"""Workers and refused shares as CSV."""

from __future__ import annotations

import csv
import io

import pytest
from msgspec.structs import replace

from pool.dashboard.places import Place, PlacedWorker, placed
from pool.dashboard.rows import Reject
from pool.dashboard.worker_csv import REJECT_COLUMNS, WORKER_COLUMNS, rejects_csv, workers_csv
from tests.pool.dashboard.fakes import HOSTILE_NAMES, NOW_MS, worker


def row(login: str, agent: str = "bmminer/2") -> PlacedWorker:
    return placed(replace(worker(login, 90e12), agent=agent), Place("almaty", "r1", True))


HPS = worker("bit.rig-1", 90e12).activity.hashrate.hour.hps


def cells(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode(), newline="")))


def test_a_worker_is_a_line_with_its_figures() -> None:
    (line,) = cells(workers_csv([row("bit.rig-1")]))
    assert tuple(line) == WORKER_COLUMNS
    assert (line["login"], line["site"], line["rack"], line["firmware"]) == ("bit.rig-1", "almaty", "r1", "bmminer/2")
    assert (line["hashrate_1h_hps"], line["accepted"]) == (str(round(HPS)), "8640")


def test_without_a_worker_there_is_the_line_of_names() -> None:
    assert workers_csv([]) == (",".join(WORKER_COLUMNS) + "\r\n").encode()


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_name_is_one_cell_of_one_line_and_no_formula(name: str) -> None:
    body = workers_csv([row(name, name)])
    assert body.count(b"\n") == 2
    (line,) = cells(body)
    assert not line["login"].startswith(("=", "+", "-", "@", "\t", "\r"))
    assert not line["firmware"].startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_refused_share_is_a_line_with_its_reason() -> None:
    reject = Reject(NOW_MS, "stale", "stale: a new block has come", "a1", 31_000, "0123456789abcdef:7")
    (line,) = cells(
        rejects_csv(
            "bit.rig-1",
            [
                reject,
            ],
        )
    )
    assert tuple(line) == REJECT_COLUMNS
    assert (line["worker"], line["reason"], line["job_age_seconds"]) == ("bit.rig-1", "stale", "31.0")
