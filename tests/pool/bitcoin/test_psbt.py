"""BIP-0174: the unsigned transaction of a PSBT."""

from __future__ import annotations

import base64

import pytest

from pool.bitcoin.psbt import unsigned_transaction
from pool.bitcoin.transaction import parse_transaction

# BIP-0174, test vectors: "PSBT with one P2PKH input. Outputs are empty".
ONE_INPUT = (
    "cHNidP8BAHUCAAAAASaBcTce3/KF6Tet7qSze3gADAVmy7OtZGQXE8pCFxv2AAAAAAD+////AtPf9QUAAAAAGXapFNDFmQPFusKGh2DpD9UhpGZap2"
    "UgiKwA4fUFAAAAABepFDVF5uM7gyxHBQ8k0+65PJwDlIvHh7MuEwAAAQD9pQEBAAAAAAECiaPHHqtNIOA3G7ukzGmPopXJRjr6Ljl/hTPMti+VZ+UB"
    "AAAAFxYAFL4Y0VKpsBIDna89p95PUzSe7LmF/////4b4qkOnHf8USIk6UwpyN+9rRgi7st0tAXHmOuxqSJC0AQAAABcWABT+Pp7xp0XpdNkCxDVZQ6vL"
    "NL1TU/////8CAMLrCwAAAAAZdqkUhc/xCX/Z4Ai7NK9wnGIZeziXikiIrHL++E4sAAAAF6kUM5cluiHv1irHU6m80GfWx6ajnQWHAkcwRAIgJxK+IuAn"
    "DzlPVoMR3HyppolwuAJf3TskAinwf4pfOiQCIAGLONfc0xTnNMkna9b7QPZzMlvEuqFEyADS8vAtsnZcASED0uFWdJQbrUqZY3LLh+GFbTZSYG2YVi/j"
    "nF6efkE/IQUCSDBFAiEA0SuFLYXc2WHS9fSrZgZU327tzHlMDDPOXMMJ/7X85Y0CIGczio4OFyXBl/saiK9Z9R5E5CVbIBZ8hoQDHAXR8lkqASECI7cr"
    "vCWXRC+B3jv7NYfysb3mk6haTkzgHNEZPhPKrMAAAAAAAAAA"
)


def test_the_transaction_of_the_bips_example_is_the_one_that_it_shows() -> None:
    transaction = parse_transaction(unsigned_transaction(ONE_INPUT))
    assert [each.spends.txid.hex() for each in transaction.inputs] == [
        "268171371edff285e937adeea4b37b78000c0566cbb3ad64641713ca42171bf6"
    ]
    assert [output.value_sat for output in transaction.outputs] == [99_999_699, 100_000_000]


def test_white_space_of_a_file_is_no_matter() -> None:
    assert unsigned_transaction(f" {ONE_INPUT[:70]}\n{ONE_INPUT[70:]}\n") == unsigned_transaction(ONE_INPUT)


@pytest.mark.parametrize(
    ("psbt", "why"),
    [
        ("not base64!", "not base64"),
        ("AAAA", "does not begin as a PSBT"),
        (base64.b64encode(b"psbt\xff\x00").decode(), "version 2"),
        (base64.b64encode(b"psbt\xff\x01\x00\x50ab").decode(), "ends in the middle"),
        ("é", "not base64"),
    ],
)
def test_what_is_no_psbt_is_refused_with_the_reason(psbt: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        unsigned_transaction(psbt)
