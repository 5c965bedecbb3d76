"""payout.scoring."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from payout.ledger import LedgerError
from payout.rewards import UNIT
from payout.scoring import Work, network_work, price_of, records_of, work_of
from pool.ports import Record
from tests.payout.scene import batch, job, share


class TestRecords:
    def test_they_come_back_typed_and_in_order(self) -> None:
        records: list[Record] = [job(0), share("alice"), share("bob", block="B1"), share("carol", slice_id=3)]
        assert records_of(batch(records)) == records

    def test_a_batch_may_be_empty(self) -> None:
        assert records_of(batch([])) == []

    def test_a_field_that_a_later_version_adds_is_ignored(self) -> None:
        longer = msgspec.msgpack.encode([*msgspec.msgpack.decode(msgspec.msgpack.encode(share("alice"))), "new"])
        assert records_of(replace(batch([share("x")]), payload=longer)) == [share("alice")]

    def test_a_record_of_an_unknown_kind_is_refused(self) -> None:
        unknown = replace(batch([share("x")]), payload=msgspec.msgpack.encode([99]))
        with pytest.raises(LedgerError, match="records 1 to 1 of journal f1 cannot be read"):
            records_of(unknown)


class TestWork:
    def test_difficulty_1_is_4295032833_hashes(self) -> None:
        assert work_of(share("a", "1")) == Work(4295032833, 4295032833)

    def test_a_share_of_the_networks_difficulty_is_a_block(self) -> None:
        assert work_of(share("a", "1")).units == UNIT

    def test_on_regtest_every_share_is_half_a_block_or_more(self) -> None:
        assert work_of(replace(share("a", "1/1000000000"), nbits=0x207FFFFF)).units >= UNIT // 2

    @pytest.mark.parametrize("difficulty", ["nan", "inf", "-1", "0"])
    def test_a_difficulty_that_is_none_cannot_be_scored(self, difficulty: str) -> None:
        with pytest.raises(LedgerError, match="cannot be scored"):
            work_of(replace(share("a"), difficulty=float(difficulty)))

    def test_a_price_is_after_the_fee(self) -> None:
        assert price_of(Work(1, 4), 100, 1000) == 100 * 10**12 // 4 * 9 // 10

    def test_the_networks_work_is_that_of_its_target(self) -> None:
        assert network_work(0x170E1EF9) == 85611991915421578432521
