"""The genesis coinbase taken apart, and a coinbase with its witness."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool.bitcoin.transaction import (
    Output,
    compact_size,
    parse_outputs,
    parse_transaction,
    serialise_outputs,
    txid,
    with_coinbase_witness,
)

GENESIS_SCRIPT = bytes.fromhex(
    "4104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d"
    "578a4c702b6bf11d5fac"
)
GENESIS_COINBASE = (
    bytes.fromhex("0100000001" + "00" * 32 + "ffffffff4d04ffff001d010445")
    + b"The Times 03/Jan/2009 Chancellor on brink of second bailout for banks"
    + bytes.fromhex("ffffffff0100f2052a0100000043")
    + GENESIS_SCRIPT
    + bytes(4)
)

INPUTS = GENESIS_COINBASE[:123]


class TestCompactSize:
    """Bitcoin Core, `serialize.h`."""

    @pytest.mark.parametrize(
        ("number", "encoded_hex"),
        [
            (0, "00"),
            (252, "fc"),
            (253, "fdfd00"),
            (0xFFFF, "fdffff"),
            (0x10000, "fe00000100"),
            (0xFFFFFFFF, "feffffffff"),
            (0x100000000, "ff0000000001000000"),
        ],
    )
    def test_a_length_takes_as_few_bytes_as_it_can(self, number: int, encoded_hex: str) -> None:
        assert compact_size(number).hex() == encoded_hex


def test_the_genesis_coinbase_has_its_known_id() -> None:
    assert txid(GENESIS_COINBASE)[::-1].hex() == "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"


class TestOutputs:
    def test_the_genesis_coinbase_pays_50_bitcoins_to_one_key(self) -> None:
        assert parse_outputs(GENESIS_COINBASE) == (Output(value_sat=50_0000_0000, script=GENESIS_SCRIPT),)

    def test_a_witness_changes_nothing_of_them(self) -> None:
        assert parse_outputs(with_coinbase_witness(GENESIS_COINBASE)) == parse_outputs(GENESIS_COINBASE)

    @given(st.lists(st.tuples(st.integers(0, 2**63 - 1), st.binary(max_size=300)), max_size=300))
    def test_what_is_written_is_read_back(self, pairs: list[tuple[int, bytes]]) -> None:
        outputs = tuple(Output(value_sat=value, script=script) for value, script in pairs)
        transaction = INPUTS + serialise_outputs(outputs) + bytes(4)
        assert parse_outputs(transaction) == outputs

    @pytest.mark.parametrize("length", [0, 3, 4, 5, 30, 100, 130, 190])
    def test_a_transaction_that_breaks_off_is_refused(self, length: int) -> None:
        with pytest.raises(ValueError, match="ends in the middle"):
            parse_outputs(GENESIS_COINBASE[:length])


class TestWhole:
    """A transaction that Bitcoin Knots made: 1 P2WPKH input, 2 outputs; 144 vB by its `decoderawtransaction`."""

    RAW = bytes.fromhex(
        "02000000000101c861c0793ea3166923b2526d51a51b4b16c12a9402ffc89e6422b5498cae90090000000000fdffffff029e1d152101000000"
        "160014d98c5cbf941d11f7fe816fe85917101888c737f980d1f008000000001976a9148512bc1a647b188957880156447304577c8e589b88ac"
        "0247304402206e83a9611dfc94457b74ec23c38c7f880aba254fc38c8616259943f18d919635022016a0c58e9e20c21544acac6c73e6465c80"
        "7764a09a2783dc9a10136d1e43845101210371800d33731c592e86d6fba2d53025787a696aab70de8765c44a7b22f6865b1e00000000"
    )

    def test_its_id_size_inputs_and_outputs_are_those_that_the_node_says(self) -> None:
        whole = parse_transaction(self.RAW)
        assert whole.txid[::-1].hex() == "33cf4fed412de0c28ebb3e21d57208745bd8e6d9dc8fd4877943c7903dfe9834"
        assert whole.vbytes == 144
        [spent] = whole.inputs
        assert str(spent.spends) == "0990ae8c49b522649ec8ff02942ac1164b1ba5516d52b2236916a33e79c061c8:0"
        assert (spent.script, spent.is_signed) == (b"", True)
        assert [output.value_sat for output in whole.outputs] == [4_849_999_262, 150_000_000]

    def test_without_its_witness_it_has_the_same_id_and_no_signature(self) -> None:
        whole = parse_transaction(self.RAW)
        stripped = self.RAW[:4] + self.RAW[6:-111] + self.RAW[-4:]
        assert parse_transaction(stripped).txid == whole.txid
        assert not parse_transaction(stripped).inputs[0].is_signed

    def test_what_follows_it_is_refused(self) -> None:
        with pytest.raises(ValueError, match="1 bytes follow"):
            parse_transaction(self.RAW + b"\0")

    @pytest.mark.parametrize("length", [0, 4, 5, 6, 50, 120, 222])
    def test_a_part_of_it_is_refused(self, length: int) -> None:
        with pytest.raises(ValueError, match="ends in the middle"):
            parse_transaction(self.RAW[:length])


class TestWitness:
    """BIP-0141, BIP-0144."""

    def test_mark_and_reserved_value_are_put_into_a_coinbase(self) -> None:
        whole = with_coinbase_witness(GENESIS_COINBASE)
        assert whole == (
            GENESIS_COINBASE[:4] + b"\x00\x01" + GENESIS_COINBASE[4:-4] + b"\x01\x20" + bytes(32) + bytes(4)
        )
