"""An empty block is offered only where all of its header is certain."""

from __future__ import annotations

import msgspec
import pytest

from pool.bitcoin.network import MAIN, REGTEST, SIGNET, TESTNET4, Network
from pool.bitcoin.transaction import parse_outputs
from pool.work.empty import TipHeader, empty_template
from pool.work.make_job import make_job
from pool.work.template import Template
from tests.pool.work.templates import COINBASE, template

TIP_HASH = bytes(range(32))
LAST = msgspec.structs.replace(template(), height=840_001)
NOW = LAST.time + 5


def made(height: int = 840_001, network: Network = MAIN, last: Template = LAST, **tip: int) -> Template | None:
    """The template on a tip at this height, whose header is as the last template's."""
    header = TipHeader(TIP_HASH, height, nbits=LAST.nbits, median_time=LAST.time_min - 60)
    return empty_template(msgspec.structs.replace(header, **tip), last, network, NOW)


def sure(median_time: int = LAST.time_min - 60) -> Template:
    found = made(median_time=median_time)
    assert found is not None
    return found


class TestCertain:
    def test_it_builds_on_the_new_tip(self) -> None:
        assert (sure().prev_hash, sure().height) == (TIP_HASH, 840_002)

    def test_it_has_no_transactions_and_claims_the_subsidy_alone(self) -> None:
        assert (sure().transactions, sure().coinbase_value_sat) == ((), 3_1250_0000)

    def test_its_coinbase_commits_to_no_witnesses(self) -> None:
        job = make_job(sure(), COINBASE, "1a1fd2f0b84", 0, clean=True)
        outputs = parse_outputs(job.coinb1 + bytes(12) + job.coinb2)
        assert outputs[1].script.hex() == (
            "6a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9"
        )

    def test_version_and_nbits_go_on(self) -> None:
        assert (sure().version, sure().nbits) == (LAST.version, LAST.nbits)

    def test_the_time_is_the_nodes(self) -> None:
        assert (sure().time, sure().time_min) == (NOW, LAST.time_min - 59)

    def test_but_never_before_the_earliest_that_is_valid(self) -> None:
        assert sure(median_time=NOW + 100).time == NOW + 101

    def test_the_subsidy_halves_where_the_chain_does(self) -> None:
        last = msgspec.structs.replace(LAST, height=839_999)
        found = made(839_999, last=last)
        assert found is not None
        assert found.coinbase_value_sat == 3_1250_0000


class TestUncertain:
    def test_where_the_difficulty_changes(self) -> None:
        # 840,672 = 417 * 2016.
        assert made(840_671) is None

    def test_right_behind_that_with_a_template_of_before(self) -> None:
        assert made(840_672) is None

    def test_right_behind_that_with_a_template_of_after_it_is_certain_again(self) -> None:
        assert made(840_672, last=msgspec.structs.replace(LAST, height=840_672)) is not None

    def test_where_the_tips_nbits_are_not_the_last_templates(self) -> None:
        assert made(nbits=LAST.nbits - 1) is None

    def test_on_a_tip_below_the_last_templates(self) -> None:
        assert made(839_990) is None

    @pytest.mark.parametrize("network", [SIGNET, TESTNET4])
    def test_where_blocks_are_signed_or_may_be_of_least_difficulty(self, network: Network) -> None:
        assert made(network=network) is None

    def test_on_regtest_the_version_may_change_every_144_blocks(self) -> None:
        last = msgspec.structs.replace(LAST, height=143)
        assert [made(height, REGTEST, last) is None for height in (142, 143, 144)] == [False, True, True]
