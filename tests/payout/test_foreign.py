"""What a wallet sent that restored books do not know."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from payout.foreign import CannotAdopt, Foreign, SentOutput, adoption, foreign

OWNERS = {"addr-a": ["alice"], "addr-b": ["bob"], "addr-both": ["alice", "bob"]}


def sent(number: int, address: str, amount_sat: int, confirmations: int = 3) -> SentOutput:
    return SentOutput(bytes([number]) * 32, address, amount_sat, 150, confirmations)


def found(*outputs: SentOutput) -> list[Foreign]:
    return foreign(outputs, known={b"\x01" * 32}, booked={"02" * 32}, owners=OWNERS)


def test_transactions_of_batches_and_those_that_a_person_booked_are_known() -> None:
    assert found(sent(1, "addr-a", 5), sent(2, "addr-a", 6)) == []


def test_others_are_told_with_whom_they_pay() -> None:
    [payment] = found(sent(3, "addr-a", 5), sent(3, "addr-b", 6), sent(3, "nobody", 7))
    assert (payment.txid, payment.paid_sat, payment.fee_sat) == ("03" * 32, 18, 150)
    assert payment.outputs == (("addr-a", 5, ("alice",)), ("addr-b", 6, ("bob",)), ("nobody", 7, ()))


def test_the_oldest_comes_first() -> None:
    payments = found(sent(3, "addr-a", 5, 1), sent(4, "addr-a", 6, 9))
    assert [each.confirmations for each in payments] == [9, 1]


def test_a_payment_is_booked_as_what_its_payees_had_and_what_the_wallet_lost() -> None:
    [payment] = found(sent(3, "addr-a", 5), sent(3, "addr-b", 6), sent(3, "addr-a", 7))
    posted = adoption(payment, 1)
    assert posted.key == f"adjust:{'03' * 32}"
    assert {each.account: each.amount_sat for each in posted.entries} == {
        "asset:wallet": -168,
        "expense:network_fee": 150,
        "liab:alice:available": 12,
        "liab:bob:available": 6,
    }


@pytest.mark.parametrize(("address", "whose"), [("nobody", "of no account"), ("addr-both", "of alice and bob")])
def test_whose_it_was_is_not_guessed(address: str, whose: str) -> None:
    [payment] = found(sent(3, address, 5))
    with pytest.raises(CannotAdopt, match=rf"{whose}.*fund {'03' * 32} -155"):
        adoption(payment, 1)


def test_what_is_in_no_block_may_still_not_happen() -> None:
    [payment] = found(sent(3, "addr-a", 5))
    with pytest.raises(CannotAdopt, match="in no block yet"):
        adoption(replace(payment, confirmations=0), 1)
