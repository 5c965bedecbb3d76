"""JobCheck, on every twin."""

from types import ModuleType
from typing import Any

import pytest

from native import Verdict, reference
from tests.native.blocks import (
    BLOCK_COINB1,
    BLOCK_COINB2,
    BLOCK_EXTRANONCE1,
    BLOCK_EXTRANONCE2,
    BLOCK_HASH,
    BLOCK_HEADER,
    BLOCK_NBITS,
    BLOCK_NONCE,
    BLOCK_NTIME,
    BLOCK_PREV_HASH,
    BLOCK_TXIDS,
    BLOCK_VERSION,
)

BRANCH = BLOCK_TXIDS[1] + reference.sha256d(BLOCK_TXIDS[2] + BLOCK_TXIDS[3])
SUBMISSION = (BLOCK_EXTRANONCE1, BLOCK_EXTRANONCE2, BLOCK_VERSION, BLOCK_NTIME, BLOCK_NONCE)
ANY = b"\xff" * 32
NO = bytes(32)
REGTEST_NBITS = 0x207FFFFF
# One hash in 2**249 meets it: no share in these tests is a block by chance.
HARD_NBITS = 0x02007FFF


def block_100000(twin: ModuleType) -> Any:
    return twin.JobCheck(BLOCK_COINB1, BLOCK_COINB2, BRANCH, BLOCK_PREV_HASH, BLOCK_NBITS)


def job(twin: ModuleType, nbits: int = HARD_NBITS, branch: bytes = BRANCH) -> Any:
    return twin.JobCheck(BLOCK_COINB1, BLOCK_COINB2, branch, BLOCK_PREV_HASH, nbits)


def number(digest: bytes) -> int:
    return int.from_bytes(digest, "little")


class TestVerdict:
    def test_the_submission_that_made_block_100000_is_a_block(self, twin: ModuleType) -> None:
        assert block_100000(twin).check(*SUBMISSION, ANY) == (Verdict.BLOCK, BLOCK_HASH)

    def test_a_block_is_a_block_even_where_it_misses_the_share_target(self, twin: ModuleType) -> None:
        assert block_100000(twin).check(*SUBMISSION, NO)[0] is Verdict.BLOCK

    def test_a_hash_equal_to_the_share_target_is_a_share(self, twin: ModuleType) -> None:
        _, digest = job(twin).check(*SUBMISSION, NO)
        assert job(twin).check(*SUBMISSION, digest) == (Verdict.SHARE, digest)

    def test_a_hash_one_above_the_share_target_is_low(self, twin: ModuleType) -> None:
        _, digest = job(twin).check(*SUBMISSION, NO)
        target = (number(digest) - 1).to_bytes(32, "little")
        assert job(twin).check(*SUBMISSION, target) == (Verdict.LOW, digest)

    def test_on_regtest_half_of_all_hashes_are_blocks(self, twin: ModuleType) -> None:
        regtest = job(twin, REGTEST_NBITS)
        for nonce in range(64):
            verdict, digest = regtest.check(*SUBMISSION[:4], nonce, NO)
            assert verdict is (Verdict.BLOCK if number(digest) <= 0x7FFFFF << 232 else Verdict.LOW)

    def test_the_verdict_is_a_member_of_the_enum(self, twin: ModuleType) -> None:
        assert type(job(twin).check(*SUBMISSION, ANY)[0]) is Verdict


class TestHeaderAndCoinbase:
    def test_the_header_of_block_100000_comes_back(self, twin: ModuleType) -> None:
        assert block_100000(twin).header(*SUBMISSION) == BLOCK_HEADER

    def test_the_coinbase_of_block_100000_comes_back(self, twin: ModuleType) -> None:
        coinbase = block_100000(twin).coinbase(BLOCK_EXTRANONCE1, BLOCK_EXTRANONCE2)
        assert reference.sha256d(coinbase) == BLOCK_TXIDS[0]

    def test_the_digest_is_the_hash_of_the_header(self, twin: ModuleType) -> None:
        submission = (b"\x01\x02\x03\x04", b"\x05" * 8, 0x20000000, 1700000000, 0xDEADBEEF)
        assert job(twin).check(*submission, ANY)[1] == reference.sha256d(job(twin).header(*submission))

    def test_without_a_branch_the_root_is_the_txid_of_the_coinbase(self, twin: ModuleType) -> None:
        assert job(twin, branch=b"").header(*SUBMISSION)[36:68] == BLOCK_TXIDS[0]


class TestRememberedRoots:
    def test_the_same_submission_gets_the_same_answer_again(self, twin: ModuleType) -> None:
        check = job(twin)
        assert check.check(*SUBMISSION, ANY) == check.check(*SUBMISSION, ANY)

    def test_many_sessions_in_turn_each_keep_their_own_root(self, twin: ModuleType) -> None:
        shared = job(twin)
        # More than the compiled twin remembers, so that roots also take each other's place.
        extranonces = [value.to_bytes(4, "big") for value in range(6000)]
        roots = [shared.header(extranonce1, b"", 1, 1, 1)[36:68] for extranonce1 in extranonces]
        again = [shared.header(extranonce1, b"", 1, 1, 1)[36:68] for extranonce1 in extranonces]
        assert roots == again
        assert len(set(roots)) == len(roots)

    def test_a_zero_byte_more_is_another_extranonce(self, twin: ModuleType) -> None:
        shared = job(twin)
        roots = {shared.header(b"", bytes(length), 1, 1, 1)[36:68] for length in range(101)}
        assert len(roots) == 101

    @pytest.mark.parametrize("length", [0, 1, 15, 30, 31, 32, 33, 64, 100])
    def test_an_extranonce_of_any_length_gets_the_root_of_its_coinbase(self, twin: ModuleType, length: int) -> None:
        extranonce = bytes(range(length))
        shared = job(twin)
        for _ in range(2):
            txid = reference.sha256d(BLOCK_COINB1 + extranonce + BLOCK_COINB2)
            assert shared.header(extranonce, b"", 1, 1, 1)[36:68] == reference.merkle_root(txid, BRANCH)

    def test_where_extranonce1_ends_does_not_matter(self, twin: ModuleType) -> None:
        shared = job(twin)
        assert shared.header(b"ab", b"cd", 1, 1, 1) == shared.header(b"a", b"bcd", 1, 1, 1)


class TestRefusals:
    def test_a_prev_hash_of_another_length(self, twin: ModuleType) -> None:
        with pytest.raises(ValueError, match=r"^prev_hash must be 32 bytes$"):
            twin.JobCheck(b"", b"", b"", bytes(31), REGTEST_NBITS)

    def test_a_branch_of_broken_hashes(self, twin: ModuleType) -> None:
        with pytest.raises(ValueError, match=r"^branch must be a multiple of 32 bytes$"):
            job(twin, branch=bytes(33))

    def test_an_nbits_of_zero(self, twin: ModuleType) -> None:
        with pytest.raises(ValueError, match=r"^nbits 0x00000000 is a target of zero$"):
            job(twin, 0)

    def test_a_share_target_of_another_length(self, twin: ModuleType) -> None:
        with pytest.raises(ValueError, match=r"^share_target must be 32 bytes$"):
            job(twin).check(*SUBMISSION, bytes(31))

    @pytest.mark.parametrize("value", [-1, 1 << 32])
    @pytest.mark.parametrize(("position", "name"), [(2, "version"), (3, "ntime"), (4, "nonce")])
    def test_an_integer_that_does_not_fit(self, twin: ModuleType, position: int, name: str, value: int) -> None:
        submission: list[bytes | int] = [*SUBMISSION]
        submission[position] = value
        with pytest.raises(ValueError, match=rf"^{name} must be from 0 to 2\*\*32 - 1$"):
            job(twin).check(*submission, ANY)

    @pytest.mark.parametrize("method", ["check", "header", "coinbase"])
    def test_extranonces_that_no_coinbase_script_can_hold(self, twin: ModuleType, method: str) -> None:
        arguments = {"check": (1, 1, 1, ANY), "header": (1, 1, 1), "coinbase": ()}
        with pytest.raises(ValueError, match=r"^extranonces must be 100 bytes at most$"):
            getattr(job(twin), method)(bytes(51), bytes(50), *arguments[method])
