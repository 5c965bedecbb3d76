"""payout.scoring."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from payout.ledger import LedgerError
from payout.rewards import UNIT
from payout.scoring import Work, network_work, price_of, work_of
from pool.work.runs import Payload, read_shares
from tests.payout.scene import MINUTE_MS, START_MS, batch, share


class TestWork:
    def test_difficulty_1_is_4295032833_hashes(self) -> None:
        assert work_of(share("a", "1")) == Work(4295032833, 4295032833, UNIT)

    def test_a_share_of_the_networks_difficulty_is_a_block(self) -> None:
        assert work_of(share("a", "1")).units == UNIT

    def test_on_regtest_every_share_is_half_a_block_or_more(self) -> None:
        assert work_of(replace(share("a", "1/1000000000"), nbits=0x207FFFFF)).units >= UNIT // 2

    @pytest.mark.parametrize("difficulty", ["nan", "inf", "-1", "0"])
    def test_a_difficulty_that_is_none_cannot_be_scored(self, difficulty: str) -> None:
        with pytest.raises(LedgerError, match=f"the share of a at {START_MS} was accepted, but cannot be scored"):
            work_of(replace(share("a"), difficulty=float(difficulty)))

    def test_a_run_is_worth_what_each_of_its_shares_is(self) -> None:
        records = batch([share("a"), share("a")])
        [run] = read_shares([Payload(records.payload, records.count)], 0, MINUTE_MS).runs
        assert work_of(run) == work_of(share("a"))

    def test_a_price_is_after_the_fee(self) -> None:
        assert price_of(Work(1, 4, 0), 100, 1000).net_psat == 100 * 10**12 // 4 * 9 // 10

    def test_the_networks_work_is_that_of_its_target(self) -> None:
        assert network_work(0x170E1EF9) == 85611991915421578432521
