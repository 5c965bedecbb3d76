"""Counts and hashrates per worker, account and pool; pool/stats/tally.py."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pool.bitcoin.target import share_work
from pool.ports import Record
from pool.stats.tally import FORGET_SECONDS, State, Tallies, Tally, login
from pool.work.share import Outcome, Share
from tests.pool.journal.samples import JOB, NBITS, fold, share

T0 = 1_700_000_000_000
WORK = share_work(1024.0, NBITS)


def folded(*records: Record) -> Tallies:
    tallies = Tallies()
    fold(tallies, records)
    return tallies


def refused(outcome: Outcome, *, time_ms: int = T0) -> Share:
    return replace(share(0, time_ms=time_ms), outcome=outcome, difficulty=0.0, nbits=0)


def worker(tallies: Tallies, name: str = "aisulu.rack-17") -> Tally:
    return tallies.snapshot().workers[name]


class TestCounts:
    def test_accepted_shares_are_counted_with_their_work(self) -> None:
        tally = worker(folded(share(1), share(2)))
        assert (tally.accepted, tally.work) == (2, 2 * WORK)

    def test_the_work_of_a_share_is_that_of_its_announced_difficulty(self) -> None:
        tally = worker(folded(replace(share(1), difficulty=0.5)))
        assert tally.work == share_work(0.5, NBITS)

    def test_rejected_shares_are_counted_by_reason_and_bring_no_work(self) -> None:
        tally = worker(folded(refused(Outcome.STALE), refused(Outcome.STALE), refused(Outcome.DUPLICATE)))
        assert (tally.rejected, tally.accepted, tally.work) == ({"stale": 2, "duplicate": 1}, 0, 0)

    def test_a_block_is_counted_whatever_became_of_the_share(self) -> None:
        late = replace(share(1), outcome=Outcome.STALE, block_hash=bytes(32))
        assert worker(folded(late)).blocks == 1

    def test_expected_blocks_add_up(self) -> None:
        assert worker(folded(share(1), share(2))).expected_blocks == pytest.approx(2 * WORK / share_work(1e-9, NBITS))

    def test_first_and_last_times_are_those_of_the_records(self) -> None:
        tally = worker(folded(share(1), share(2, time_ms=T0 + 5000), refused(Outcome.STALE, time_ms=T0 + 9000)))
        assert (tally.first_ms, tally.last_share_ms, tally.last_ms) == (T0, T0 + 5000, T0 + 9000)

    def test_the_difficulty_is_that_of_the_newest_accepted_share(self) -> None:
        newest = replace(share(2, time_ms=T0 + 1), difficulty=0.25)
        assert worker(folded(share(1), newest, refused(Outcome.STALE, time_ms=T0 + 2))).difficulty == 0.25

    def test_jobs_are_passed_over(self) -> None:
        assert folded(JOB).snapshot().workers == {}

    def test_before_the_first_record_there_is_nothing(self) -> None:
        assert folded().snapshot().pool is None


class TestSums:
    def test_workers_of_an_account_add_up(self) -> None:
        tallies = folded(share(1, worker="a"), share(2, worker="b"), share(3, account="other"))
        assert tallies.snapshot().accounts["aisulu"].accepted == 2

    def test_accounts_add_up_to_the_pool(self) -> None:
        pool = folded(share(1), share(2, account="other"), refused(Outcome.BAD_NTIME)).snapshot().pool
        assert pool is not None
        assert (pool.accepted, pool.rejected) == (2, {"bad_ntime": 1})

    def test_a_worker_without_a_name_goes_by_its_account(self) -> None:
        assert login("aisulu", "") == "aisulu"

    def test_two_frontends_see_parts_of_the_same_worker(self) -> None:
        one, two = worker(folded(share(1))), worker(folded(share(2, time_ms=T0 + 3000), refused(Outcome.STALE)))
        both = one.plus(two)
        assert (both.accepted, both.rejected, both.work) == (2, {"stale": 1}, 2 * WORK)
        assert (both.first_ms, both.last_share_ms) == (T0, T0 + 3000)

    def test_a_row_has_the_hashrate_of_its_moment(self) -> None:
        row = worker(folded(share(1))).row("aisulu.rack-17", T0 + 10_000)
        assert row.estimates[3].hashrate_hps == pytest.approx(WORK / 10, rel=0.001)


class TestChanges:
    def test_only_what_changed_is_reported(self) -> None:
        tallies = folded(share(1, worker="a"), share(2, worker="b"))
        tallies.changes()
        fold(tallies, [share(3, worker="b", time_ms=T0 + 1000)])
        assert tallies.changes().workers.keys() == {"aisulu.b"}

    def test_changes_show_the_same_as_a_snapshot(self) -> None:
        tallies = folded(share(1, worker="a"), share(2, worker="b", time_ms=T0 + 1000))
        assert tallies.changes() == tallies.snapshot()

    def test_a_worker_that_was_silent_for_a_week_is_forgotten(self) -> None:
        tallies = folded(share(1, worker="gone"))
        fold(tallies, [share(2, worker="here", time_ms=T0 + (FORGET_SECONDS + 86400) * 1000)])
        assert tallies.snapshot().workers.keys() == {"aisulu.here"}
        assert tallies.changes().forgotten == ("aisulu.gone",)

    def test_its_shares_stay_in_its_account(self) -> None:
        tallies = folded(share(1, worker="gone"))
        fold(tallies, [share(2, worker="here", time_ms=T0 + (FORGET_SECONDS + 86400) * 1000)])
        assert tallies.snapshot().accounts["aisulu"].accepted == 2


records = st.lists(
    st.builds(
        lambda step_ms, name, outcome, difficulty, block: (step_ms, name, outcome, difficulty, block),
        st.integers(-1500, 4000),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(list(Outcome)),
        st.floats(1e-6, 1e12),
        st.booleans(),
    ),
    max_size=40,
)


def journal_of(steps: list[tuple[int, str, Outcome, float, bool]]) -> list[Record]:
    """Records whose clock mostly goes forward."""
    found: list[Record] = []
    time_ms = T0
    for step_ms, name, outcome, difficulty, block in steps:
        time_ms += step_ms
        found.append(
            replace(
                share(len(found), time_ms=time_ms, worker=name),
                outcome=outcome,
                difficulty=difficulty,
                block_hash=bytes(32) if block else None,
            )
        )
    return found


class TestDeterminism:
    @settings(max_examples=100, deadline=None)
    @given(records, st.data())
    def test_the_same_records_give_the_same_bytes_however_they_are_cut(
        self, steps: list[tuple[int, str, Outcome, float, bool]], data: st.DataObject
    ) -> None:
        journal = journal_of(steps)
        whole = folded(*journal)
        cut = Tallies()
        start = 0
        while start < len(journal):
            end = data.draw(st.integers(start + 1, len(journal)))
            fold(cut, journal[start:end])
            cut.changes()
            start = end
        assert msgspec.json.encode(cut.snapshot()) == msgspec.json.encode(whole.snapshot())

    @settings(max_examples=100, deadline=None)
    @given(records, st.data())
    def test_a_fold_that_was_put_down_and_taken_up_ends_at_the_same_bytes(
        self, steps: list[tuple[int, str, Outcome, float, bool]], data: st.DataObject
    ) -> None:
        journal = journal_of(steps)
        middle = data.draw(st.integers(0, len(journal)))
        kept = msgspec.json.encode(folded(*journal[:middle]).state())
        resumed = Tallies(msgspec.json.decode(kept, type=State))
        fold(resumed, journal[middle:])
        assert msgspec.json.encode(resumed.snapshot()) == msgspec.json.encode(folded(*journal).snapshot())

    def test_a_state_does_not_change_with_the_fold_it_was_taken_from(self) -> None:
        tallies = folded(share(1))
        state = tallies.state()
        fold(tallies, [share(2)])
        assert worker(Tallies(state)).accepted == 1
