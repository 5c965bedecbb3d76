"""No block of ours has more weight or sigops than it may, and no transaction changes its place."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from native import JobCheck, sha256d
from pool.bitcoin.merkle import witness_commitment
from pool.bitcoin.script import witness_commitment_script
from pool.bitcoin.transaction import parse_outputs
from pool.work.block import assemble, body_of
from pool.work.coinbase import Coinbase, halves
from pool.work.limits import block_cost, coinbase_cost, fitted
from pool.work.make_job import make_job
from pool.work.template import Template, TemplateError, TemplateTransaction
from tests.pool.work.templates import COINBASE, empty_template, template

# An old address type: its output script checks a signature, which costs four.
P2PKH = Coinbase(bytes.fromhex("76a914") + bytes(20) + bytes.fromhex("88ac"), b"/steppe/")


def with_transactions(costs: list[tuple[int, int, int]], weight_max: int, sigops_max: int) -> Template:
    """A template whose transactions have these fees, sigops and weights; what is in them does not matter here."""
    transactions = tuple(
        TemplateTransaction(
            data=number.to_bytes(4, "big"),
            txid=sha256d(b"txid%d" % number),
            wtxid=sha256d(b"wtxid%d" % number),
            fee_sat=fee_sat,
            sigops=sigops,
            weight=weight,
        )
        for number, (fee_sat, sigops, weight) in enumerate(costs)
    )
    return msgspec.structs.replace(
        empty_template(840_000),
        transactions=transactions,
        coinbase_value_sat=50_0000_0000 + sum(each.fee_sat for each in transactions),
        witness_commitment=commitment([each.wtxid for each in transactions]),
        weight_max=weight_max,
        sigops_max=sigops_max,
    )


def commitment(wtxids: list[bytes]) -> bytes:
    return witness_commitment_script(witness_commitment(wtxids))


costs = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 500), st.integers(240, 4000)), max_size=60)
templates = st.builds(with_transactions, costs, st.integers(2_000, 100_000), st.integers(100, 9_000))
coinbases = st.sampled_from([COINBASE, P2PKH])


class TestFitted:
    @given(templates, coinbases)
    def test_the_block_has_no_more_than_it_may(self, offered: Template, coinbase: Coinbase) -> None:
        cost = block_cost(fitted(offered, coinbase), coinbase)
        assert cost.weight <= offered.weight_max
        assert cost.sigops <= offered.sigops_max

    @given(templates, coinbases)
    def test_the_transactions_stay_in_their_order_and_only_the_last_go(
        self, offered: Template, coinbase: Coinbase
    ) -> None:
        """Block 809478, September 2023: a pool sorted by fee and set a child before its parent."""
        kept = fitted(offered, coinbase).transactions
        assert kept == offered.transactions[: len(kept)]

    @given(templates, coinbases)
    def test_no_more_go_than_have_to(self, offered: Template, coinbase: Coinbase) -> None:
        kept = len(fitted(offered, coinbase).transactions)
        if kept < len(offered.transactions):
            # The count of transactions may be a byte or two shorter than was reckoned with.
            cost = block_cost(offered.first(kept + 1), coinbase)
            assert cost.weight + 8 > offered.weight_max or cost.sigops > offered.sigops_max

    @given(templates, coinbases)
    def test_the_coinbase_claims_the_subsidy_and_the_fees_that_are_left(
        self, offered: Template, coinbase: Coinbase
    ) -> None:
        """Block 584802, July 2019: a pool's coinbase claimed 13.26 bitcoins, more than it might."""
        chosen = fitted(offered, coinbase)
        job = make_job(chosen, coinbase, "1a1fd2f0b84", 0, clean=True)
        outputs = parse_outputs(job.coinb1 + bytes(12) + job.coinb2)
        fees_sat = sum(each.fee_sat for each in chosen.transactions)
        assert sum(output.value_sat for output in outputs) == 50_0000_0000 + fees_sat
        assert (job.subsidy_sat, job.fees_sat) == (50_0000_0000, fees_sat)

    @given(templates, coinbases)
    def test_the_commitment_is_to_the_transactions_that_are_left(self, offered: Template, coinbase: Coinbase) -> None:
        chosen = fitted(offered, coinbase)
        assert chosen.witness_commitment == commitment([each.wtxid for each in chosen.transactions])

    def test_a_template_of_a_node_that_keeps_room_is_left_as_it_is(self) -> None:
        assert fitted(template(), COINBASE) == template()

    def test_what_a_signet_has_behind_its_commitment_stays(self) -> None:
        signed = msgspec.structs.replace(template(), witness_commitment=template().witness_commitment + b"\x04\xec\xc7")
        assert signed.first(0).witness_commitment.endswith(b"\x04\xec\xc7")

    def test_three_sigops_too_many_cost_one_transaction_and_not_the_block(self) -> None:
        """Block 783426, April 2023: 80,003 of 80,000 sigops, the last of them in the coinbase."""
        offered = with_transactions([(1_000, 1, 400)] * 79_999, weight_max=40_000_000, sigops_max=80_000)
        chosen = fitted(offered, P2PKH)
        assert (len(chosen.transactions), block_cost(chosen, P2PKH).sigops) == (79_996, 80_000)

    def test_without_room_for_the_coinbase_there_is_no_block(self) -> None:
        with pytest.raises(
            TemplateError,
            match="header and coinbase need 1044 weight and 4 sigops, and a whole block may have 1000 and",
        ):
            fitted(with_transactions([], weight_max=1_000, sigops_max=80_000), P2PKH)


class TestCoinbaseCost:
    def test_its_weight_is_that_of_the_block_it_is_alone_in(self) -> None:
        first, second = halves(COINBASE, empty_template(), bytes(12))
        stripped = first + bytes(12) + second
        assert coinbase_cost(empty_template(), COINBASE).weight == 4 * len(stripped) + 36

    def test_no_real_block_weighs_more_than_was_reckoned(self) -> None:
        job = make_job(template(), COINBASE, "1a1fd2f0b84", 0, clean=True)
        coinbase = job.coinb1 + bytes(12) + job.coinb2
        stripped_bytes = 80 + 1 + len(coinbase)
        witness_bytes = 36
        weight = 4 * stripped_bytes + witness_bytes + sum(each.weight for each in template().transactions)
        # The salt of this job is five bytes short of the longest.
        assert 0 <= block_cost(template(), COINBASE).weight - weight <= 4 * 8

    def test_an_old_address_costs_four_sigops_and_a_new_one_none(self) -> None:
        assert [coinbase_cost(empty_template(), each).sigops for each in (P2PKH, COINBASE)] == [4, 0]


def test_a_trimmed_template_still_makes_a_block() -> None:
    chosen = template().first(1)
    job = make_job(chosen, COINBASE, "1a1fd2f0b84", 0, clean=True)
    check = JobCheck(job.coinb1, job.coinb2, b"".join(job.branch), job.prev_hash, job.nbits)
    header, coinbase = (check.header(bytes(4), bytes(8), job.version, job.ntime, 0), check.coinbase(bytes(4), bytes(8)))
    assert assemble(body_of(chosen), header, coinbase).data.endswith(template().transactions[0].data)
