"""payout.fee_days: which blocks are of a day, when it is whole, and what it comes to."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from payout.accounts import Scheme
from payout.fee_days import DAY_MS, DayReader, day_name, day_of
from payout.ports import FeeDay
from payout.pps import DayBlock
from pool.ports import BlockHeader, NodeUnavailable
from tests.payout.scene import START_MS, FakeChain, Scene, block_hash, job, share

DAY = day_of(START_MS)
DAY_S = DAY // 1000


def chain_of(*times_s: tuple[int, int]) -> FakeChain:
    """Blocks by (time, median time) from the day's beginning, the first at height 1; each has its height in fees."""
    made = FakeChain()
    for height, (time_s, median_s) in enumerate(times_s, 1):
        own = block_hash(f"network {height}")
        before = block_hash(f"network {height - 1}")
        made.headers[own] = BlockHeader(own, before, height, DAY_S + time_s, DAY_S + median_s)
        made.fees[own] = height
        made.ours[height] = own
    made.tip = len(times_s) + 5
    return made


EARLY, LATE = (-200_000, -200_000), (86_400, 86_400)


def read(chain: FakeChain, steps: int = 100) -> FeeDay | None:
    reader = DayReader(chain, lambda height: 1000)
    return next((day for _ in range(steps) if (day := reader.step(DAY)) is not None), None)


def heights(chain: FakeChain) -> list[int]:
    day = read(chain)
    assert day is not None
    return [block.height for block in day.blocks]


class TestReader:
    def test_a_day_has_the_blocks_whose_time_lies_in_it(self) -> None:
        chain = chain_of(EARLY, (-1, -9), (0, -8), (5, 0), (86_399, 7), LATE)
        assert heights(chain) == [3, 4, 5]

    def test_a_block_that_runs_ahead_of_others_is_of_the_day_of_its_time(self) -> None:
        chain = chain_of(EARLY, (3_600, -7_200), (-60, -7_000), (86_400, 80_000), (86_399, 80_001), LATE)
        assert heights(chain) == [2, 5]

    def test_each_has_its_fees_the_subsidy_of_its_height_and_its_hash(self) -> None:
        day = read(chain_of(EARLY, (1, 0), LATE))
        assert day == FeeDay(DAY, (DayBlock(2, 2, 1000, block_hash("network 2")),))

    def test_a_day_whose_last_block_may_still_come_is_not_whole(self) -> None:
        assert read(chain_of(EARLY, (1, 0), (86_400, 86_399))) is None

    def test_a_day_that_is_not_six_deep_is_not_whole(self) -> None:
        chain = chain_of(EARLY, (1, 0), LATE)
        chain.tip -= 1
        assert read(chain) is None

    def test_the_chain_may_begin_within_the_day(self) -> None:
        chain = chain_of((1, 0), LATE)
        genesis = block_hash("network 0")
        chain.headers[genesis] = BlockHeader(genesis, bytes(32), 0, 0, 0)
        assert heights(chain) == [1]

    def test_a_long_day_is_read_a_few_blocks_at_a_time(self) -> None:
        chain = chain_of(EARLY, *((at, at) for at in range(60)), LATE)
        assert read(chain, 10) is None
        assert heights(chain) == list(range(2, 62))

    def test_a_chain_that_is_left_meanwhile_is_read_again(self) -> None:
        chain = chain_of(EARLY, *((at, at) for at in range(9)), LATE)
        reader = DayReader(chain, lambda height: 1000)
        assert reader.step(DAY) is None
        top, other = chain.headers[block_hash("network 11")], block_hash("another")
        chain.headers[other] = BlockHeader(other, block_hash("network 9"), 10, DAY_S + 86_400, DAY_S + 86_400)
        chain.ours = {10: other}
        chain.tip = 15
        days = [day for _ in range(20) if (day := reader.step(DAY)) is not None]
        assert [block.height for block in days[0].blocks] == list(range(2, 10))
        assert top.block_hash not in {block.block_hash for block in days[0].blocks}

    def test_a_block_that_the_node_has_lost_is_no_answer(self) -> None:
        chain = chain_of(EARLY, (1, 0), LATE)
        lost = chain.headers.pop(block_hash("network 2"))
        reader = DayReader(chain, lambda height: 1000)
        with pytest.raises(NodeUnavailable, match="read once more"):
            reader.step(DAY)
        chain.headers[lost.block_hash] = lost
        assert reader.step(DAY) is not None

    def test_while_nothing_is_new_the_node_is_asked_for_two_things(self) -> None:
        chain = chain_of(EARLY, (1, 0))
        reader = DayReader(chain, lambda height: 1000)
        reader.step(DAY)
        chain.asked = 0
        assert reader.step(DAY) is None
        assert chain.asked == 2


class TestSettling:
    @pytest.fixture
    def scene(self, engine: Engine) -> Scene:
        made = Scene(engine)
        made.account("kz", Scheme.FPPS, 0)
        return made

    def booked(self, scene: Scene) -> list[str]:
        return [row.posting.key for row in scene.rows() if row.posting.kind == "fpps"]

    def test_the_key_names_the_day_and_the_account(self, scene: Scene) -> None:
        scene.take(share("kz", "1"))
        assert scene.end_day([90_000]) is not None
        assert self.booked(scene) == [f"fpps:{day_name(DAY)}:kz"]
        assert day_name(DAY) == "2023-11-14"

    def test_a_day_that_the_journals_have_not_left_is_not_settled(self, scene: Scene) -> None:
        scene.take(share("kz", "1"))
        scene.chain.add_day(DAY, [90_000])
        assert scene.accounting.settle_day() is None

    def test_shares_of_two_days_in_one_batch_are_of_their_days(self, scene: Scene) -> None:
        minutes = (DAY + DAY_MS - START_MS) // 60_000
        scene.take(share("kz", "1", minute=minutes - 1), share("kz", "1/2", minute=minutes))
        with scene.ledger.read() as books:
            one, two = (books.fee_days.bases(day_ms) for day_ms in (DAY, DAY + DAY_MS))
        assert [row[:2] for row in (*one, *two)] == [("kz", 0), ("kz", 0)]
        assert abs(one[0][2] - 2 * two[0][2]) < 10**12

    def test_a_late_share_is_of_the_day_that_is_open(self, scene: Scene) -> None:
        scene.take(share("kz", "1"))
        scene.end_day([90_000])
        scene.take(share("kz", "1"))
        with scene.ledger.read() as books:
            assert len(books.fee_days.bases(DAY + DAY_MS)) == 1
        scene.end_day([180_000])
        amounts_sat = [row.posting.entries[0].amount_sat for row in scene.rows() if row.posting.kind == "fpps"]
        assert amounts_sat == [90_000, 180_000]

    def test_a_day_without_a_block_adds_nothing_and_is_settled(self, scene: Scene) -> None:
        scene.take(share("kz", "1"))
        settled = scene.end_day([])
        assert settled is not None
        assert (settled.day.blocks, settled.accounts, self.booked(scene)) == ((), 0, [])

    def test_each_fee_of_a_day_keeps_to_its_shares(self, scene: Scene) -> None:
        scene.change_plan("kz", Scheme.FPPS, 5000, 1)
        scene.take(share("kz", "1"), share("kz", "1", minute=1))
        scene.end_day([90_000])
        (posting,) = (row.posting for row in scene.rows() if row.posting.kind == "fpps")
        assert posting.entries[0].amount_sat == 135_000

    def test_fractions_go_on_to_the_next_day(self, scene: Scene) -> None:
        for _ in range(3):
            with scene.ledger.read() as books:
                minute = max(0, (books.accruals.period_ms() - START_MS) // 60_000)
            scene.take(job(minute), share("kz", "1/3", minute=minute))
            scene.end_day([100])
        # Three times 33 and a third of 100 satoshi, each a little less for the share's target.
        amounts_sat = [row.posting.entries[0].amount_sat for row in scene.rows() if row.posting.kind == "fpps"]
        assert amounts_sat == [33, 33, 33]
        with scene.ledger.read() as books:
            assert 0.99 < books.fee_days.carries_psat()["kz"] / 10**12 < 1
