"""The genesis coinbase taken apart, and a coinbase with its witness."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool.bitcoin.transaction import (
    Output,
    compact_size,
    parse_outputs,
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


class TestWitness:
    """BIP-0141, BIP-0144."""

    def test_mark_and_reserved_value_are_put_into_a_coinbase(self) -> None:
        whole = with_coinbase_witness(GENESIS_COINBASE)
        assert whole == (
            GENESIS_COINBASE[:4] + b"\x00\x01" + GENESIS_COINBASE[4:-4] + b"\x01\x20" + bytes(32) + bytes(4)
        )
