"""stratum.judge: the block test first, then whether the share counts."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from pool.work.share import Outcome, Share
from stratum.difficulty import judged_target
from stratum.events import ShareSubmitted
from stratum.jobs import JobBook, LiveJob
from stratum.judge import Terms, candidate, forget, judge
from stratum.login import Login
from stratum.messages import Submission, decode_submission
from tests.native import blocks
from tests.stratum.scene import (
    ANY_HASH,
    BLOCK_EXTRANONCE1,
    BLOCK_EXTRANONCE2,
    NTIME,
    block_job,
    block_params,
    make_job,
)

ALICE = Login("alice", "rig1")
MASK = 0x1FFFE000
EXTRANONCE2_HEX = "0000000000000001"


def live_job(**changes: Any) -> LiveJob:
    live = JobBook().add(make_job(**changes), 0.0)
    assert live is not None
    return live


def claim(
    extranonce2: str = EXTRANONCE2_HEX,
    ntime: str = f"{NTIME:08x}",
    nonce: str = "00000001",
    version_bits: str | None = None,
    authorized: bool = True,
) -> ShareSubmitted:
    bits = () if version_bits is None else (version_bits,)
    return ShareSubmitted(b"4", ALICE, authorized, submission("alice.rig1", "a1", extranonce2, ntime, nonce, *bits))


def submission(*params: str) -> Submission:
    return decode_submission(Raw(msgspec.json.encode(params)))


def terms(difficulty: float | None = ANY_HASH, mask: int = MASK) -> Terms:
    return Terms(b"\x07\x00\x00\x00", difficulty, mask, judged_target(difficulty or 1.0, make_job().nbits))


def block_terms(difficulty: float | None = 1.0, mask: int = 0) -> Terms:
    return Terms(BLOCK_EXTRANONCE1, difficulty, mask, judged_target(difficulty or 1.0, blocks.BLOCK_NBITS))


def judged(share: ShareSubmitted, live: LiveJob | None = None, stale: bool = False, **told: Any) -> Share:
    return judge(share, terms(**told), live or live_job(), stale, NTIME * 1000)


def block_share(authorized: bool = True) -> ShareSubmitted:
    return ShareSubmitted(b"4", ALICE, authorized, submission(*block_params()))


def live_block_job(**changes: Any) -> LiveJob:
    live = JobBook().add(block_job(**changes), 0.0)
    assert live is not None
    return live


class TestRecord:
    def test_an_accepted_share_can_be_recomputed_from_it(self) -> None:
        share = judged(claim(version_bits="00002000"), difficulty=ANY_HASH)
        assert share == Share(
            time_ms=NTIME * 1000,
            outcome=Outcome.ACCEPTED,
            job_id="a1",
            account="alice",
            worker="rig1",
            extranonce1=b"\x07\x00\x00\x00",
            extranonce2=bytes.fromhex(EXTRANONCE2_HEX),
            version=0x20002000,
            ntime=NTIME,
            nonce=1,
            difficulty=ANY_HASH,
            nbits=make_job().nbits,
            height=820_000,
        )

    def test_an_unknown_job_leaves_what_is_not_known_empty(self) -> None:
        share = judge(claim(), terms(), None, False, 5)
        assert (share.outcome, share.job_id, share.difficulty, share.extranonce2) == (
            Outcome.UNKNOWN_JOB,
            "a1",
            0.0,
            b"",
        )

    @pytest.mark.parametrize("job_id", ["x" * 65, "a\n", "\u00e9", "<b>", ""])
    def test_a_job_id_that_is_none_of_ours_is_not_kept(self, job_id: str) -> None:
        share = ShareSubmitted(b"4", ALICE, True, submission("alice.rig1", job_id, "", "", ""))
        assert judge(share, terms(), None, False, 5).job_id == ""

    def test_a_submission_without_its_params_is_malformed(self) -> None:
        assert judged(ShareSubmitted(b"4", ALICE, True, None)).outcome is Outcome.MALFORMED


class TestOutcome:
    def test_a_share_above_its_target_has_low_difficulty(self) -> None:
        assert judged(claim(), difficulty=1.0).outcome is Outcome.LOW_DIFFICULTY

    def test_the_same_header_again_is_a_duplicate(self) -> None:
        live = live_job()
        judged(claim(), live)
        assert judged(claim(), live).outcome is Outcome.DUPLICATE

    @pytest.mark.parametrize(
        "again",
        [
            claim(nonce="1"),
            claim(nonce="0001"),
            claim(ntime=f"{NTIME:x}".upper()),
            claim(version_bits="00000000"),
            claim(version_bits="0"),
        ],
    )
    def test_however_it_is_spelled(self, again: ShareSubmitted) -> None:
        live = live_job()
        judged(claim(), live)
        assert judged(again, live).outcome is Outcome.DUPLICATE

    @pytest.mark.parametrize(
        "other",
        [
            claim(nonce="00000002"),
            claim(ntime=f"{NTIME + 1:08x}"),
            claim(extranonce2="0000000000000002"),
            claim(version_bits="00002000"),
        ],
    )
    def test_another_header_is_none(self, other: ShareSubmitted) -> None:
        live = live_job()
        judged(claim(), live)
        assert judged(other, live).outcome is Outcome.ACCEPTED

    def test_a_refused_share_is_not_remembered(self) -> None:
        live = live_job()
        judged(claim(), live, difficulty=1.0)
        assert judged(claim(), live).outcome is Outcome.ACCEPTED

    def test_a_share_that_the_journal_lost_may_come_again(self) -> None:
        live = live_job()
        forget(judged(claim(), live), live)
        assert judged(claim(), live).outcome is Outcome.ACCEPTED

    def test_a_duplicate_that_the_journal_lost_changes_nothing(self) -> None:
        live = live_job()
        judged(claim(), live)
        forget(judged(claim(), live), live)
        assert judged(claim(), live).outcome is Outcome.DUPLICATE

    def test_a_share_for_a_former_tip_is_stale(self) -> None:
        assert judged(claim(), stale=True).outcome is Outcome.STALE

    def test_a_job_that_the_session_never_got_is_unknown(self) -> None:
        assert judged(claim(), difficulty=None).outcome is Outcome.UNKNOWN_JOB

    def test_a_worker_that_is_not_authorized_gets_no_share(self) -> None:
        assert judged(claim(authorized=False)).outcome is Outcome.UNAUTHORIZED

    @pytest.mark.parametrize("extranonce2", ["", "00", "00000000000000000001", "0x00000000000001", "zz"])
    def test_extranonce2_has_its_agreed_length(self, extranonce2: str) -> None:
        assert judged(claim(extranonce2=extranonce2)).outcome is Outcome.BAD_EXTRANONCE

    @pytest.mark.parametrize("field", ["ntime", "nonce", "version_bits"])
    @pytest.mark.parametrize("text", ["", "0x1", "+1", "-1", " 1", "1_0", "\uff11", "123456789", "xyz"])
    def test_a_number_is_hex_and_nothing_else(self, field: str, text: str) -> None:
        fields: dict[str, Any] = {field: text}
        assert judged(claim(**fields)).outcome is Outcome.MALFORMED

    @pytest.mark.parametrize("ntime", [NTIME - 600, NTIME, NTIME + 7200])
    def test_ntime_may_roll_within_what_the_node_takes(self, ntime: int) -> None:
        assert judged(claim(ntime=f"{ntime:08x}")).outcome is Outcome.ACCEPTED

    @pytest.mark.parametrize("ntime", [0, NTIME - 601, NTIME + 7201, 0xFFFFFFFF])
    def test_but_not_beyond(self, ntime: int) -> None:
        assert judged(claim(ntime=f"{ntime:08x}")).outcome is Outcome.BAD_NTIME


class TestVersionRolling:
    def test_the_masked_bits_are_replaced(self) -> None:
        assert judged(claim(version_bits="1fffe000")).version == 0x3FFFE000

    def test_bits_outside_the_mask_are_refused(self) -> None:
        assert judged(claim(version_bits="00000001")).outcome is Outcome.BAD_VERSION

    def test_without_a_mask_every_bit_is(self) -> None:
        assert judged(claim(version_bits="00002000"), mask=0).outcome is Outcome.BAD_VERSION

    def test_a_sixth_parameter_of_zeros_is_fine_without_a_mask(self) -> None:
        assert judged(claim(version_bits="00000000"), mask=0).outcome is Outcome.ACCEPTED

    def test_five_parameters_are_fine_with_one(self) -> None:
        assert judged(claim()).version == 0x20000000

    @given(st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF))
    def test_or_xor_and_replacing_agree_on_what_is_accepted(self, version: int, bits: int) -> None:
        mask = MASK & ~version
        share = judged(claim(version_bits=f"{bits:x}"), live_job(version=version), mask=mask)
        if share.outcome is Outcome.ACCEPTED:
            assert share.version == version | bits == version ^ bits == version & ~mask | bits & mask


class TestBlock:
    def test_block_100000_is_found(self) -> None:
        share = judge(block_share(), block_terms(), live_block_job(), False, 5)
        assert (share.outcome, share.block_hash) == (Outcome.ACCEPTED, blocks.BLOCK_HASH)

    @pytest.mark.parametrize("difficulty", [1.0, 14484.0, 1e12])
    def test_a_block_is_a_share_at_any_difficulty(self, difficulty: float) -> None:
        share = judge(block_share(), block_terms(difficulty), live_block_job(), False, 5)
        assert share.outcome is Outcome.ACCEPTED

    @pytest.mark.parametrize(
        ("outcome", "share", "difficulty", "stale", "changes"),
        [
            (Outcome.STALE, block_share(), 1.0, True, {}),
            (Outcome.UNAUTHORIZED, block_share(authorized=False), 1.0, False, {}),
            (Outcome.UNKNOWN_JOB, block_share(), None, False, {}),
            (Outcome.BAD_NTIME, block_share(), 1.0, False, {"ntime_max": blocks.BLOCK_NTIME - 1}),
        ],
    )
    def test_a_block_is_found_whatever_becomes_of_its_share(
        self, outcome: Outcome, share: ShareSubmitted, difficulty: float | None, stale: bool, changes: dict[str, int]
    ) -> None:
        record = judge(share, block_terms(difficulty), live_block_job(**changes), stale, 5)
        assert (record.outcome, record.block_hash) == (outcome, blocks.BLOCK_HASH)

    def test_also_when_it_was_rolled_outside_the_mask(self) -> None:
        share = ShareSubmitted(b"4", ALICE, True, submission(*block_params(), "00000001"))
        record = judge(share, block_terms(mask=MASK), live_block_job(version=0), False, 5)
        assert (record.outcome, record.block_hash) == (Outcome.BAD_VERSION, blocks.BLOCK_HASH)

    def test_also_when_it_comes_twice(self) -> None:
        live = live_block_job()
        told = block_terms()
        judge(block_share(), told, live, False, 5)
        again = judge(block_share(), told, live, False, 6)
        assert (again.outcome, again.block_hash) == (Outcome.DUPLICATE, blocks.BLOCK_HASH)

    def test_its_candidate_is_the_block(self) -> None:
        live = live_block_job()
        share = judge(block_share(), block_terms(), live, False, 5)
        found = candidate(share, live, "alice.rig1")
        assert found.header == blocks.BLOCK_HEADER
        assert found.coinbase == (
            blocks.BLOCK_COINB1 + blocks.BLOCK_EXTRANONCE1 + blocks.BLOCK_EXTRANONCE2 + blocks.BLOCK_COINB2
        )

    def test_a_share_that_is_no_block_has_no_candidate(self) -> None:
        live = live_job()
        with pytest.raises(ValueError, match="no block"):
            candidate(judged(claim(), live), live, "alice.rig1")

    def test_the_extranonces_of_the_vector_are_its_own(self) -> None:
        assert (len(BLOCK_EXTRANONCE1), len(BLOCK_EXTRANONCE2)) == (4, 8)
