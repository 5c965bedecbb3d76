"""The coinbase: what stands where, and that no template and no tag makes it too long."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool.bitcoin.script import push_height
from pool.bitcoin.transaction import Output, parse_outputs
from pool.work.coinbase import SCRIPT_BYTES_MAX, TAG_BYTES_MAX, Coinbase, halves
from tests.pool.work.templates import COINBASE, PAYOUT_SCRIPT, empty_template, template

SALT = b"\x01\x8f\x00\x00\x00\x01"
EXTRANONCE = bytes(range(12))


def whole(coinbase: Coinbase = COINBASE, height: int = 840_000) -> bytes:
    coinb1, coinb2 = halves(coinbase, empty_template(height), SALT)
    return coinb1 + EXTRANONCE + coinb2


def script(transaction: bytes) -> bytes:
    return transaction[42 : 42 + transaction[41]]


class TestHalves:
    def test_byte_for_byte(self) -> None:
        coinb1, coinb2 = halves(COINBASE, empty_template(840_000), SALT)
        assert coinb1.hex() == (
            "0200000001" + "00" * 32 + "ffffffff" + "21" + "0340d10c" + "082f7374657070652f" + "06018f00000001" + "0c"
        )
        assert coinb2.hex() == (
            "ffffffff02"
            + "00f2052a01000000" + "16" + PAYOUT_SCRIPT.hex()
            + "00" * 8 + "26" + "6a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9"
            + "00000000"
        )  # fmt: skip

    @given(st.integers(1, 2**31 - 1))
    def test_the_height_is_the_first_push_and_in_the_first_half(self, height: int) -> None:
        coinb1, _ = halves(COINBASE, empty_template(height), SALT)
        assert coinb1[42:].startswith(push_height(height))

    def test_the_outputs_pay_the_whole_value_to_the_pool_and_commit_to_the_witnesses(self) -> None:
        coinb1, coinb2 = halves(COINBASE, template(), SALT)
        assert parse_outputs(coinb1 + EXTRANONCE + coinb2) == (
            Output(value_sat=50_0000_1836, script=PAYOUT_SCRIPT),
            Output(value_sat=0, script=template().witness_commitment),
        )

    def test_a_longer_commitment_of_a_signet_is_taken_whole(self) -> None:
        commitment = template().witness_commitment + b"\x04\xec\xc7\xda\xa2"
        signet = msgspec.structs.replace(template(), witness_commitment=commitment)
        coinb1, coinb2 = halves(COINBASE, signet, SALT)
        assert parse_outputs(coinb1 + EXTRANONCE + coinb2)[1].script == commitment

    def test_the_extranonce_is_a_push_so_that_its_bytes_are_no_opcodes(self) -> None:
        assert script(whole()).endswith(b"\x0c" + EXTRANONCE)

    def test_two_salts_make_two_coinbases(self) -> None:
        assert halves(COINBASE, template(), b"\x01")[0] != halves(COINBASE, template(), b"\x02")[0]

    def test_without_a_tag_there_is_no_push_for_it(self) -> None:
        untagged = whole(Coinbase(payout_script=PAYOUT_SCRIPT))
        assert script(untagged) == push_height(840_000) + b"\x06" + SALT + b"\x0c" + EXTRANONCE

    def test_a_salt_of_more_than_12_bytes_is_refused(self) -> None:
        with pytest.raises(ValueError, match="at most 12 bytes"):
            halves(COINBASE, template(), bytes(13))


class TestSize:
    """Stratum conformance 30: 255 bytes; Bitcoin Core, "bad-cb-length": a script of 2 to 100."""

    @given(st.integers(1, 2**31 - 1), st.binary(max_size=TAG_BYTES_MAX), st.binary(min_size=1, max_size=12))
    def test_no_height_tag_or_salt_makes_the_script_too_long(self, height: int, tag: bytes, salt: bytes) -> None:
        coinb1, coinb2 = halves(Coinbase(PAYOUT_SCRIPT, tag), empty_template(height), salt)
        assert 2 <= len(script(coinb1 + EXTRANONCE + coinb2)) <= SCRIPT_BYTES_MAX

    def test_the_longest_one_that_pays_todays_addresses_has_241_bytes(self) -> None:
        longest = Coinbase(payout_script=bytes(34), tag=bytes(TAG_BYTES_MAX))
        coinb1, coinb2 = halves(longest, empty_template(2**31 - 1), bytes(12))
        assert len(coinb1 + EXTRANONCE + coinb2) == 241

    def test_a_longer_tag_is_refused(self) -> None:
        with pytest.raises(ValueError, match=f"at most {TAG_BYTES_MAX} bytes"):
            Coinbase(payout_script=PAYOUT_SCRIPT, tag=bytes(TAG_BYTES_MAX + 1))


def test_a_coinbase_that_pays_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="anybody could take it"):
        Coinbase(payout_script=b"")
