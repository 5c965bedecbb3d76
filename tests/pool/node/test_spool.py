"""Candidates on disk: what a crash at any point leaves, and what is found after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pool.node.spool import CandidateSpool, Settled, SpoolDamaged, spooled_of
from pool.work.candidate import Candidate
from tests.pool.node.blocks import block

BLOCK = block(height=7)
SPOOLED = spooled_of(BLOCK)
ACCEPTED = Settled(accepted=True, reason=None, time_ms=1)
NOWHERE = Path("/nowhere")


class TestKeep:
    def test_the_file_is_named_by_height_and_hash(self, tmp_path: Path) -> None:
        CandidateSpool(tmp_path).keep(BLOCK)
        assert [path.name for path in tmp_path.iterdir()] == [f"7-{BLOCK.block_hash[::-1].hex()}.block"]

    def test_it_holds_the_block_in_hex_as_submitblock_takes_it(self, tmp_path: Path) -> None:
        CandidateSpool(tmp_path).keep(BLOCK)
        assert next(tmp_path.iterdir()).read_text() == BLOCK.data.hex() + "\n"

    def test_the_block_is_read_back(self, tmp_path: Path) -> None:
        CandidateSpool(tmp_path).keep(BLOCK)
        assert CandidateSpool(tmp_path).read(SPOOLED).data == BLOCK.data

    def test_it_is_there_from_then_on(self, tmp_path: Path) -> None:
        spool = CandidateSpool(tmp_path)
        before = spool.holds(SPOOLED.block_hash)
        spool.keep(BLOCK)
        assert (before, spool.holds(SPOOLED.block_hash)) == (False, True)

    def test_twice_is_as_good_as_once(self, tmp_path: Path) -> None:
        spool = CandidateSpool(tmp_path)
        spool.keep(BLOCK)
        spool.keep(BLOCK)
        assert spool.pending() == (SPOOLED,)

    def test_only_the_pools_user_may_look_into_the_folder(self, tmp_path: Path) -> None:
        CandidateSpool(tmp_path / "candidates")
        assert (tmp_path / "candidates").stat().st_mode & 0o777 == 0o700


class TestCrash:
    """What is in the folder when the process or the machine stops at each step."""

    def test_before_the_rename_there_is_no_candidate(self, tmp_path: Path) -> None:
        (tmp_path / f"{SPOOLED.name}.block.tmp").write_text(BLOCK.data.hex()[:50])
        assert CandidateSpool(tmp_path).pending() == ()

    def test_what_was_unfinished_is_removed(self, tmp_path: Path) -> None:
        (tmp_path / f"{SPOOLED.name}.block.tmp").write_text(BLOCK.data.hex()[:50])
        CandidateSpool(tmp_path)
        assert list(tmp_path.iterdir()) == []

    def test_before_the_verdict_the_candidate_is_open(self, tmp_path: Path) -> None:
        CandidateSpool(tmp_path).keep(BLOCK)
        assert CandidateSpool(tmp_path).pending() == (SPOOLED,)

    def test_a_verdict_that_was_not_finished_leaves_it_open(self, tmp_path: Path) -> None:
        CandidateSpool(tmp_path).keep(BLOCK)
        (tmp_path / f"{SPOOLED.name}.verdict.tmp").write_text('{"accepted":tr')
        assert CandidateSpool(tmp_path).pending() == (SPOOLED,)

    def test_after_the_verdict_it_is_open_no_more(self, tmp_path: Path) -> None:
        spool = CandidateSpool(tmp_path)
        spool.keep(BLOCK)
        spool.settle(SPOOLED, ACCEPTED)
        assert CandidateSpool(tmp_path).pending() == ()

    def test_the_verdict_is_kept_beside_the_block(self, tmp_path: Path) -> None:
        spool = CandidateSpool(tmp_path)
        spool.keep(BLOCK)
        rejected = Settled(accepted=False, reason="high-hash", time_ms=2)
        spool.settle(SPOOLED, rejected)
        assert CandidateSpool(tmp_path).settled(SPOOLED) == rejected


class TestNote:
    """What the kernel has before the first node is asked; enough for kill -9."""

    def test_the_block_is_read_back_after_a_kill(self, tmp_path: Path) -> None:
        CandidateSpool(tmp_path).note(BLOCK, NOWHERE)
        assert CandidateSpool(tmp_path).read(SPOOLED).data == BLOCK.data

    def test_it_is_open(self, tmp_path: Path) -> None:
        CandidateSpool(tmp_path).note(BLOCK, NOWHERE)
        assert CandidateSpool(tmp_path).pending() == (SPOOLED,)

    def test_it_does_not_count_as_held_until_the_disk_has_it(self, tmp_path: Path) -> None:
        spool = CandidateSpool(tmp_path)
        spool.note(BLOCK, NOWHERE)
        before = spool.holds(BLOCK.block_hash)
        spool.keep(BLOCK)
        assert (before, spool.holds(BLOCK.block_hash)) == (False, True)

    def test_its_transactions_are_a_second_name_of_its_jobs_file(self, tmp_path: Path) -> None:
        job_file = tmp_path / "1a.file"
        job_file.write_bytes(BLOCK.body.transactions)
        CandidateSpool(tmp_path / "candidates").note(BLOCK, job_file)
        assert job_file.stat().st_nlink == 2

    def test_and_outlive_the_jobs_file(self, tmp_path: Path) -> None:
        job_file = tmp_path / "1a.file"
        job_file.write_bytes(BLOCK.body.transactions)
        CandidateSpool(tmp_path / "candidates").note(BLOCK, job_file)
        job_file.unlink()
        assert CandidateSpool(tmp_path / "candidates").read(SPOOLED).data == BLOCK.data

    def test_once_it_is_on_the_disk_only_the_block_is_left(self, tmp_path: Path) -> None:
        spool = CandidateSpool(tmp_path)
        spool.note(BLOCK, NOWHERE)
        spool.keep(BLOCK)
        assert [path.suffix for path in tmp_path.iterdir()] == [".block"]

    def test_twice_is_as_good_as_once(self, tmp_path: Path) -> None:
        spool = CandidateSpool(tmp_path)
        spool.note(BLOCK, NOWHERE)
        spool.note(BLOCK, NOWHERE)
        assert spool.read(SPOOLED).data == BLOCK.data

    def test_a_kill_before_the_head_is_whole_leaves_nothing(self, tmp_path: Path) -> None:
        (tmp_path / f"{SPOOLED.name}.transactions").write_bytes(b"rest")
        (tmp_path / f"{SPOOLED.name}.head.tmp").write_text('{"head')
        assert CandidateSpool(tmp_path).pending() == ()
        assert list(tmp_path.iterdir()) == []

    def test_a_kill_before_the_pair_is_removed_leaves_one_block(self, tmp_path: Path) -> None:
        spool = CandidateSpool(tmp_path)
        spool.keep(BLOCK)
        spool.note(BLOCK, NOWHERE)
        assert CandidateSpool(tmp_path).pending() == (SPOOLED,)

    def test_transactions_that_a_power_cut_tore_are_named_and_never_submitted(self, tmp_path: Path) -> None:
        spool = CandidateSpool(tmp_path)
        spool.note(BLOCK, NOWHERE)
        (tmp_path / f"{SPOOLED.name}.transactions").write_bytes(bytes(4))
        with pytest.raises(SpoolDamaged, match="the machine stopped too soon"):
            CandidateSpool(tmp_path).read(SPOOLED)

    def test_so_is_a_head(self, tmp_path: Path) -> None:
        spool = CandidateSpool(tmp_path)
        spool.note(BLOCK, NOWHERE)
        (tmp_path / f"{SPOOLED.name}.head").write_bytes(b"")
        with pytest.raises(SpoolDamaged, match="no head of a block"):
            CandidateSpool(tmp_path).read(SPOOLED)


class TestReopen:
    def test_a_block_that_fell_out_of_the_chain_is_open_again(self, tmp_path: Path) -> None:
        spool = CandidateSpool(tmp_path)
        spool.keep(BLOCK)
        spool.settle(SPOOLED, ACCEPTED)
        spool.reopen(SPOOLED)
        assert (spool.pending(), spool.settled(SPOOLED)) == ((SPOOLED,), None)

    def test_one_that_could_still_fall_out_is_looked_at_again(self, tmp_path: Path) -> None:
        spool = CandidateSpool(tmp_path)
        spool.keep(BLOCK)
        spool.settle(SPOOLED, Settled(accepted=True, reason=None, time_ms=1, final=False))
        assert spool.pending() == (SPOOLED,)


class TestPending:
    def test_the_lowest_comes_first(self, tmp_path: Path) -> None:
        spool = CandidateSpool(tmp_path)
        for height in (100, 9, 20):
            spool.keep(block(height))
        assert [each.height for each in spool.pending()] == [9, 20, 100]

    def test_files_of_others_are_not_touched(self, tmp_path: Path) -> None:
        (tmp_path / "notes.block").write_text("by hand")
        assert CandidateSpool(tmp_path).pending() == ()

    def test_a_block_without_verdict_has_none(self, tmp_path: Path) -> None:
        assert CandidateSpool(tmp_path).settled(SPOOLED) is None


class TestDamage:
    def test_a_file_that_is_no_hex_is_named(self, tmp_path: Path) -> None:
        (tmp_path / f"{SPOOLED.name}.block").write_text("zz\n")
        with pytest.raises(SpoolDamaged, match=rf"{SPOOLED.name}\.block is no block in hex"):
            CandidateSpool(tmp_path).read(SPOOLED)

    def test_a_file_that_was_cut_off_is_named_and_never_submitted(self, tmp_path: Path) -> None:
        (tmp_path / f"{SPOOLED.name}.block").write_text(BLOCK.data.hex()[:-4])
        with pytest.raises(SpoolDamaged, match=rf"{SPOOLED.name}\.block is cut off"):
            CandidateSpool(tmp_path).read(SPOOLED)

    def test_a_file_of_another_block_is_named(self, tmp_path: Path) -> None:
        (tmp_path / f"{SPOOLED.name}.block").write_text("00" * 80 + "\n")
        with pytest.raises(SpoolDamaged, match="holds another block"):
            CandidateSpool(tmp_path).read(SPOOLED)

    def test_a_verdict_that_is_no_json_is_named(self, tmp_path: Path) -> None:
        (tmp_path / f"{SPOOLED.name}.verdict").write_text("maybe")
        with pytest.raises(SpoolDamaged, match=r"\.verdict: .*remove it"):
            CandidateSpool(tmp_path).settled(SPOOLED)


def test_what_cannot_be_built_is_kept_for_a_person(tmp_path: Path) -> None:
    candidate = Candidate("1a", b"\x01" * 32, b"\x02" * 80, b"\x03", "alice.rig", 5)
    CandidateSpool(tmp_path).put_unbuildable(candidate, "no template")
    assert (tmp_path / f"{'01' * 32}.unbuildable").read_text() == (
        '{"reason":"no template","job_id":"1a","login":"alice.rig","time_ms":5,'
        f'"header_hex":"{"02" * 80}","coinbase_hex":"03"}}\n'
    )
