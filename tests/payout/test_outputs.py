"""payout.outputs: dust and cost by type of script. Source: docs/payouts.md 3.6."""

from __future__ import annotations

import pytest

from payout.accounts import AccountRefused
from payout.outputs import P2PKH, P2TR, P2WPKH, OutputKind, fee_sat, is_native_segwit, output_kind, payout_min_sat
from pool.bitcoin.network import REGTEST
from pool.bitcoin.script import output_script

ADDRESSES = [
    ("mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "P2PKH", 546, 34),
    ("2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc", "P2SH", 540, 32),
    ("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", "P2WPKH", 294, 31),
    ("bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry", "P2WSH", 330, 43),
    ("bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6", "P2TR", 330, 43),
]


@pytest.mark.parametrize(("address", "name", "dust_sat", "vbytes"), ADDRESSES, ids=[row[1] for row in ADDRESSES])
def test_every_type_of_address_has_its_dust_and_its_size(address: str, name: str, dust_sat: int, vbytes: int) -> None:
    assert output_kind(output_script(address, REGTEST)) == OutputKind(name, dust_sat, vbytes)


@pytest.mark.parametrize("script", [b"", b"\x6a\x01\x00", b"\x52\x02\x4e\x73", b"\x00\x14" + bytes(19), b"\x51\x20"])
def test_a_script_of_another_kind_is_not_paid(script: bytes) -> None:
    with pytest.raises(AccountRefused, match="P2PKH, P2SH, P2WPKH, P2WSH, P2TR"):
        output_kind(script)


def test_spending_native_segwit_leaves_the_id_as_it_is() -> None:
    native = [name for address, name, _, _ in ADDRESSES if is_native_segwit(output_script(address, REGTEST))]
    assert native == ["P2WPKH", "P2WSH", "P2TR"]


@pytest.mark.parametrize(
    ("kind", "rate", "least"), [(P2PKH, 1_000, 54_600), (P2WPKH, 1_000, 29_400), (P2TR, 100_000, 86_000)]
)
def test_the_least_is_a_hundred_times_dust_or_twenty_times_the_cost(kind: OutputKind, rate: int, least: int) -> None:
    assert payout_min_sat(kind, rate) == least


def test_a_fee_rounds_up() -> None:
    assert [fee_sat(141, 1_001), fee_sat(141, 1_000), fee_sat(0, 5_000)] == [142, 141, 0]
