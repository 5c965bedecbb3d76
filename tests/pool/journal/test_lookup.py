"""Single records of a journal; pool/journal/lookup.py."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from pool.journal.folder import frontend_of
from pool.journal.lookup import Lookup, journals_in, shares_between
from pool.journal.packing import Packing
from pool.journal.segments import segment_paths
from pool.work.share import Share
from tests.pool.journal.samples import JOB, Bench


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A job, then twenty shares, in segments of which all but the last are compressed."""
    folder = tmp_path / "journal" / "0"
    folder.parent.mkdir()
    bench = Bench(folder, segment_bytes_max=700)
    bench.journal.append(JOB)
    for nonce in range(1, 21):
        bench.commit(nonce)
    bench.clock.advance(1)
    packing = Packing(folder, lambda: bench.journal.durable_seq, threading.Lock(), lambda: 0.0)
    while packing.step() == 0.0:
        pass
    bench.close()
    assert len(segment_paths(folder)) > 2
    return folder


def nonce_of(lookup: Lookup, seq: int) -> int:
    record = lookup.record(seq)
    assert isinstance(record, Share)
    return record.nonce


def test_records_are_found_in_any_order(folder: Path) -> None:
    lookup = Lookup(folder)
    for seq in (2, 3, 21, 20, 2, 11, 12, 10):
        assert nonce_of(lookup, seq) == seq - 1


def test_a_record_that_is_not_there_is_none_and_the_others_still_are(folder: Path) -> None:
    lookup = Lookup(folder)
    assert lookup.record(22) is None
    assert nonce_of(lookup, 5) == 4
    assert lookup.record(22) is None


def test_what_was_removed_is_none(folder: Path) -> None:
    segment_paths(folder)[0].unlink()
    assert Lookup(folder).record(1) is None
    assert nonce_of(Lookup(folder), 21) == 20


def test_a_job_is_found_if_it_stands_at_most_a_segment_before(folder: Path) -> None:
    lookup = Lookup(folder)
    early, late = lookup.record(3), Lookup(folder)
    assert isinstance(early, Share)
    assert lookup.job_of(early) == JOB
    record = late.record(21)
    assert isinstance(record, Share)
    assert late.job_of(record) is None


def test_the_shares_between_two_records(folder: Path) -> None:
    assert [(seq, share.nonce) for seq, share in shares_between(folder, 1, 4)] == [(2, 1), (3, 2), (4, 3)]


def test_journals_are_known_by_their_ids(folder: Path) -> None:
    assert journals_in([folder.parent]) == {frontend_of(folder): folder}
