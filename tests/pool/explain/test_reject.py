"""pool.explain.find and reject: a share is found by what its miner knows, and told why it was refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from pool.explain import find, reject
from pool.explain.find import Found, NotFound
from pool.explain.reject import DO, WHY, words
from pool.work.job import Job
from pool.work.proof import hash_of
from pool.work.share import Outcome, Share
from tests.payout.conftest import sqlite, sqlite_file
from tests.payout.scene import MINUTE_MS, START_MS
from tests.pool.explain.mined import EASY, MinedPool, mined_job
from tests.pool.rebuild.pools import ONE, TWO

__all__ = ["sqlite", "sqlite_file"]

JOB = mined_job("a1")


@pytest.fixture
def mined(tmp_path: Path, sqlite: Engine, sqlite_file: bytes) -> MinedPool:
    return MinedPool(tmp_path, sqlite, sqlite_file)


def journalled(mined: MinedPool, *records: Job | Share) -> dict[str, Path]:
    mined.pool.write(*records, frontend=ONE)
    return mined.journals()


def refused(mined: MinedPool, outcome: Outcome, minute: int = 0) -> Share:
    return mined.share(JOB, "alice", minute=minute, outcome=outcome)


class TestFind:
    def test_by_its_id_with_the_job_that_stands_before_it(self, mined: MinedPool) -> None:
        share = refused(mined, Outcome.STALE)
        found = find.by_id(journalled(mined, JOB, share), f"{ONE}:2")
        assert (found.share, found.job, found.id) == (share, JOB, f"{ONE}:2")

    def test_by_the_hash_of_its_header(self, mined: MinedPool) -> None:
        shares = [refused(mined, Outcome.STALE) for _ in range(3)]
        journals = journalled(mined, JOB, *shares)
        assert find.by_hash(journals, hash_of(shares[1], JOB)[::-1].hex()).seq == 3

    def test_by_worker_and_time_all_that_were_refused_about_then(self, mined: MinedPool) -> None:
        shares = [
            refused(mined, Outcome.STALE),
            mined.share(JOB, "alice"),
            mined.share(JOB, "bob", outcome=Outcome.STALE),
            refused(mined, Outcome.DUPLICATE, minute=1),
            refused(mined, Outcome.STALE, minute=9),
        ]
        journals = journalled(mined, JOB, *shares)
        near = find.refused_near(journals, "alice", "rig", START_MS + MINUTE_MS)
        assert [each.seq for each in near] == [2, 5]

    @pytest.mark.parametrize(
        ("share_id", "says"),
        [
            ("4711", "'4711' is no share: a share's id is JOURNAL:NUMBER, such as"),
            (f"{ONE}:0", "is no share"),
            (f"{TWO}:1", f"the journal {TWO} is not here, but {ONE}: name the folder that holds it with --journal"),
            (f"{ONE}:9", f"the journal {ONE} has no record 9"),
            (f"{ONE}:1", f"record 1 of journal {ONE} is the job a1, not a share"),
        ],
    )
    def test_an_id_of_nothing_says_what_ids_are(self, mined: MinedPool, share_id: str, says: str) -> None:
        with pytest.raises(NotFound, match=says):
            find.by_id(journalled(mined, JOB, refused(mined, Outcome.STALE)), share_id)

    def test_a_hash_of_nothing_is_told(self, mined: MinedPool) -> None:
        with pytest.raises(NotFound, match="no share in the journals here"):
            find.by_hash(journalled(mined, JOB), "ab" * 32)

    def test_a_duplicate_leads_to_the_share_that_was_counted(self, mined: MinedPool) -> None:
        counted = mined.share(JOB, "alice")
        journals = journalled(mined, JOB, mined.share(JOB, "bob"), counted, replace(counted, outcome=Outcome.DUPLICATE))
        found = find.counted_before(journals, find.by_id(journals, f"{ONE}:4"))
        assert found is not None
        assert found.id == f"{ONE}:3"


class TestWords:
    def test_every_reason_has_words_and_an_advice(self) -> None:
        assert set(WHY) == set(DO) == set(Outcome) - {Outcome.ACCEPTED}

    def test_a_stale_share_tells_the_age_of_its_job_and_its_numbers(self, mined: MinedPool) -> None:
        share = refused(mined, Outcome.STALE, minute=1)
        told = reject.explain(Found(ONE, 2, share, JOB))
        said = "\n".join(words(told))
        assert (told.code, told.job_age_ms, told.meets_target) == (21, MINUTE_MS, True)
        assert "60.000 s old" in said
        assert hash_of(share, JOB)[::-1].hex() in said
        assert f"(difficulty {EASY:.15g}): the hash meets it" in said

    def test_a_share_above_its_target_says_how_much_it_proves(self, mined: MinedPool) -> None:
        share = replace(refused(mined, Outcome.LOW_DIFFICULTY), difficulty=EASY * 2**8)
        told = reject.explain(Found(ONE, 2, share, JOB))
        assert told.meets_target is False
        assert "the hash is above it" in "\n".join(words(told))

    def test_a_duplicate_names_the_share_that_counts(self, mined: MinedPool) -> None:
        share = refused(mined, Outcome.DUPLICATE)
        said = "\n".join(words(reject.explain(Found(ONE, 9, share, JOB), Found(ONE, 7, share, JOB))))
        assert f"It was counted as share {ONE}:7." in said

    def test_a_submission_without_a_header_has_no_hash_and_no_job(self) -> None:
        share = Share(START_MS, Outcome.MALFORMED, "", "alice", "", b"", b"", 0, 0, 0, 0.0, 0, 0)
        said = "\n".join(words(reject.explain(Found(ONE, 1, share, None))))
        assert "There is no header: nothing to hash." in said
        assert "names no job that could be one of ours" in said

    def test_a_stale_block_is_said_to_have_been_handed_to_the_nodes(self, mined: MinedPool) -> None:
        share = mined.share(JOB, "alice", is_block=True, outcome=Outcome.STALE)
        assert "Its hash is a block's" in "\n".join(words(reject.explain(Found(ONE, 2, share, JOB))))

    def test_an_accepted_share_counts_and_nothing_is_to_be_done(self, mined: MinedPool) -> None:
        told = reject.explain(Found(ONE, 2, mined.share(JOB, "alice"), JOB))
        assert (told.code, told.todo) == (None, None)
        assert "1. It counts" in "\n".join(words(told))
