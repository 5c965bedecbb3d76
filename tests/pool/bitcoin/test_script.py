"""Addresses with known scripts, the height of BIP-0034, and the scripts of a coinbase."""

from __future__ import annotations

import pytest

from pool.bitcoin.network import MAIN, REGTEST, SIGNET, TESTNET4, Network
from pool.bitcoin.script import (
    legacy_sigops,
    output_script,
    push,
    push_height,
    witness_commitment_script,
)


class TestOutputScript:
    @pytest.mark.parametrize(
        ("address", "script_hex"),
        [
            # Genesis block.
            ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac"),
            # BIP-0016.
            ("3P14159f73E4gFr7JterCCQh9QjiTjiZrG", "a914e9c3dd0c07aac76179ebc76a6c78d4d67c6c160a87"),
            # BIP-0173.
            ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "0014751e76e8199196d454941c45d1b3a323f1433bd6"),
            # BIP-0350.
            (
                "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
                "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
            ),
        ],
    )
    def test_every_kind_of_address_has_its_script(self, address: str, script_hex: str) -> None:
        assert output_script(address, MAIN).hex() == script_hex

    def test_an_address_of_another_network_is_named_as_such(self) -> None:
        with pytest.raises(ValueError, match="is an address of main, not of regtest"):
            output_script("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", REGTEST)

    def test_the_test_networks_that_share_a_form_are_both_named(self) -> None:
        with pytest.raises(ValueError, match="of testnet4 or signet, not of main"):
            output_script("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", MAIN)

    @pytest.mark.parametrize("network", [TESTNET4, SIGNET])
    def test_the_public_test_networks_share_their_form(self, network: Network) -> None:
        assert len(output_script("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", network)) == 22

    @pytest.mark.parametrize(
        "address",
        [
            "",
            "somebody",
            "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4 ",
            "\u0661A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        ],
    )
    def test_what_is_no_address_is_refused(self, address: str) -> None:
        with pytest.raises(ValueError, match="is no Bitcoin address"):
            output_script(address, MAIN)


class TestHeight:
    """BIP-0034; Bitcoin Core, `CScript() << nHeight`."""

    @pytest.mark.parametrize(
        ("height", "script_hex"),
        [
            (0, "00"),
            (1, "51"),
            (16, "60"),
            (17, "0111"),
            (127, "017f"),
            (128, "028000"),
            (255, "02ff00"),
            (256, "020001"),
            (32767, "02ff7f"),
            (32768, "03008000"),
            # The first block of the main chain that the rule applied to.
            (227_931, "035b7a03"),
            (8_388_607, "03ffff7f"),
            (8_388_608, "0400008000"),
        ],
    )
    def test_it_is_written_as_the_node_expects_it(self, height: int, script_hex: str) -> None:
        assert push_height(height).hex() == script_hex

    def test_a_negative_height_is_refused(self) -> None:
        with pytest.raises(ValueError, match="not negative"):
            push_height(-1)


class TestCoinbaseScripts:
    def test_a_push_has_its_length_in_front(self) -> None:
        assert push(b"/steppe/") == b"\x08/steppe/"

    @pytest.mark.parametrize("length", [0, 76])
    def test_a_push_of_a_length_that_needs_another_opcode_is_refused(self, length: int) -> None:
        with pytest.raises(ValueError, match="a push has 1 to 75 bytes"):
            push(bytes(length))

    def test_a_witness_commitment_begins_as_bip141_says(self) -> None:
        assert witness_commitment_script(bytes(32)).hex() == "6a24aa21a9ed" + "00" * 32


class TestSigops:
    """Bitcoin Core, `CScript::GetSigOpCount(false)`."""

    @pytest.mark.parametrize(
        ("script_hex", "sigops"),
        [
            ("", 0),
            ("76a914" + "00" * 20 + "88ac", 1),  # to a key's hash
            ("21" + "02" * 33 + "ac", 1),  # to a key
            ("a914" + "00" * 20 + "87", 0),  # to a script's hash
            ("0014" + "00" * 20, 0),  # to a witness
            ("5121" + "02" * 33 + "51ae", 20),  # one of one key
            ("adaf", 21),
            ("02acac", 0),  # pushed, not run
            ("02ac", 0),  # a push beyond the end
            ("4c02acacac", 1),
            ("4d0200acacac", 1),
            ("4e02000000acacac", 1),
            ("4d02", 0),
            ("6aac", 1),  # what never runs counts too
        ],
    )
    def test_checks_count_wherever_they_stand_but_in_a_push(self, script_hex: str, sigops: int) -> None:
        assert legacy_sigops(bytes.fromhex(script_hex)) == sigops
