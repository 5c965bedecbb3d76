"""payout.checks: a transaction is exactly what a batch wants, or it is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from payout.checks import FeeCaps, FeeRefused, InputRefused, Wanted, check_transaction
from payout.ledger import LedgerError
from payout.payment import Attempt, Purpose
from pool.bitcoin.transaction import Input, OutPoint, Output, Transaction
from tests.payout.fake_wallet import OUR_CHANGE, script

COIN_A, COIN_B = OutPoint(b"a" * 32, 0), OutPoint(b"b" * 32, 1)
SPENT: dict[OutPoint, Output | None] = {COIN_A: Output(1_000, OUR_CHANGE), COIN_B: Output(500, OUR_CHANGE)}
WANTED = Wanted(Purpose.PAY, {script("alice"): 600, script("bob"): 300})
GOOD = Transaction(
    b"t" * 32,
    (Input(COIN_A, b"", True), Input(COIN_B, b"", True)),
    (Output(600, script("alice")), Output(300, script("bob")), Output(550, OUR_CHANGE)),
    200,
)


def fee(transaction: Transaction = GOOD, **changes: object) -> int:
    arguments: dict[str, object] = {"wanted": WANTED, "spent": SPENT, "ours": {OUR_CHANGE}, **changes}
    return check_transaction(transaction, **arguments)  # type: ignore[arg-type]


def paying(*outputs: Output) -> Transaction:
    return replace(GOOD, outputs=outputs)


class TestWhatIsWanted:
    def test_the_lines_and_change_to_us_cost_what_is_left(self) -> None:
        assert fee() == 50

    def test_change_may_be_missing(self) -> None:
        assert fee(paying(*GOOD.outputs[:2])) == 600

    @given(st.permutations(GOOD.outputs))
    def test_the_order_of_the_outputs_is_no_matter(self, outputs: list[Output]) -> None:
        assert fee(paying(*outputs)) == 50

    @pytest.mark.parametrize(
        "outputs",
        [
            (Output(600, script("alice")), Output(550, OUR_CHANGE)),
            (Output(599, script("alice")), Output(300, script("bob"))),
            (Output(601, script("alice")), Output(300, script("bob"))),
            (Output(600, script("bob")), Output(300, script("alice"))),
            (*GOOD.outputs, Output(1, OUR_CHANGE)),
            (*GOOD.outputs[:2], Output(550, script("thief"))),
            (*GOOD.outputs[:2], Output(300, script("bob"))),
            (),
        ],
        ids=[
            "a line missing",
            "too little",
            "too much",
            "exchanged",
            "change twice",
            "a thief",
            "paid twice",
            "nothing",
        ],
    )
    def test_anything_else_is_refused(self, outputs: tuple[Output, ...]) -> None:
        with pytest.raises(LedgerError):
            fee(paying(*outputs))

    @given(st.integers(0, 2), st.integers(-700, 700).filter(bool))
    def test_no_amount_can_be_altered_but_that_of_our_change(self, which: int, by: int) -> None:
        outputs = list(GOOD.outputs)
        outputs[which] = replace(outputs[which], value_sat=max(0, outputs[which].value_sat + by))
        if which == 2 and outputs[2].value_sat <= 600:
            assert fee(paying(*outputs)) == 600 - outputs[2].value_sat
        else:
            with pytest.raises(LedgerError):
                fee(paying(*outputs))

    def test_change_is_native_segwit_or_it_could_not_be_spent_again(self) -> None:
        legacy = b"\x76\xa9\x14" + bytes(20) + b"\x88\xac"
        with pytest.raises(LedgerError, match="no line does"):
            fee(paying(*GOOD.outputs[:2], Output(550, legacy)), ours={legacy})

    def test_a_cancelling_transaction_pays_us_alone(self) -> None:
        wanted = Wanted(Purpose.CANCEL, {})
        assert fee(paying(Output(1_400, OUR_CHANGE)), wanted=wanted) == 100
        for outputs in ((), (Output(700, OUR_CHANGE), Output(700, OUR_CHANGE)), (Output(1, script("thief")),)):
            with pytest.raises(LedgerError):
                fee(paying(*outputs), wanted=wanted)


class TestInputs:
    def test_one_that_is_gone_makes_it_built_again(self) -> None:
        with pytest.raises(InputRefused, match="is not there to be spent"):
            fee(spent={**SPENT, COIN_B: None})

    def test_one_that_is_no_segwit_is_refused(self) -> None:
        with pytest.raises(InputRefused, match="not native segwit"):
            fee(spent={**SPENT, COIN_B: Output(500, b"\xa9\x14" + bytes(20) + b"\x87")})

    def test_a_script_in_an_input_is_refused(self) -> None:
        with pytest.raises(InputRefused, match="not native segwit"):
            fee(replace(GOOD, inputs=(Input(COIN_A, b"\0", True),)))

    @pytest.mark.parametrize("inputs", [(), (Input(COIN_A, b"", True), Input(COIN_A, b"", True))])
    def test_none_or_one_twice_is_refused(self, inputs: tuple[Input, ...]) -> None:
        with pytest.raises(LedgerError, match="twice, or none"):
            fee(replace(GOOD, inputs=inputs))

    def test_a_replacement_shares_one_with_every_transaction_before_it(self) -> None:
        before = Attempt(1, Purpose.PAY, b"1" * 32, 10, 200, b"", True, (COIN_A,))
        assert fee(before=[before, replace(before, inputs=(COIN_B,))]) == 50
        with pytest.raises(LedgerError, match="both could be in the chain at once"):
            fee(before=[before, replace(before, inputs=(OutPoint(b"c" * 32, 0),))])


class TestFees:
    CAPS = FeeCaps(rate_max_sat_kvb=10_000, total_max_sat=5_000)

    def test_the_caps_themselves_are_allowed(self) -> None:
        self.CAPS.check_rate(10_000)
        self.CAPS.check_total(5_000)
        self.CAPS.check_rate_of(1_410, 141)

    def test_a_satoshi_more_is_not(self) -> None:
        with pytest.raises(FeeRefused, match="fee_rate_max"):
            self.CAPS.check_rate(10_001)
        with pytest.raises(FeeRefused, match="fee_max_sat"):
            self.CAPS.check_total(5_001)
        with pytest.raises(FeeRefused, match="fee_rate_max"):
            self.CAPS.check_rate_of(1_411, 141)
