"""native.share_runs: the accepted shares of batches as runs; both twins say the same."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from native import runs, runs_reference
from tests.native.test_sums import JOB, packed, share

T = 1_700_000_040_000  # a full minute
MINUTE_MS = 60_000


@pytest.fixture(params=[runs, runs_reference], ids=["compiled", "reference"])
def twin(request: pytest.FixtureRequest) -> ModuleType:
    module: ModuleType = request.param
    return module


def at(time_ms: int, account: str = "alice", **changes: Any) -> list[Any]:
    """A share at so many milliseconds after T."""
    slice_id, height = changes.pop("slice_id", None), changes.pop("height", 820_000)
    newer = [changes.pop(name) for name in ("agent", "near") if name in changes]
    fields = share(time_ms=T + time_ms, account=account, **changes)
    fields[13:15] = height, slice_id
    return [*fields, *newer]


def read(twin: ModuleType, *records: object, first: int = 0, period_ms: int = 0, bounds: Sequence[int] = ()) -> Any:
    """The runs, then what is read of the only batch."""
    runs, _, (batch,) = twin.share_runs([(*packed(*records), first)], period_ms, MINUTE_MS, bounds)
    return (runs, *batch)


class TestRuns:
    def test_shares_of_the_same_worth_are_one_run(self, twin: ModuleType) -> None:
        found = read(twin, at(5), at(2, worker="rig2"), at(9))
        assert found[0] == [("alice", 0, 64.0, 7, 820_000, T, 3, T + 5, T + 2, T + 9, "", ())]

    @pytest.mark.parametrize(
        "other",
        [{"account": "bob"}, {"difficulty": 8.0}, {"nbits": 9}, {"height": 820_001}, {"slice_id": 4}],
        ids=lambda other: next(iter(other)),
    )
    def test_shares_of_another_worth_are_another_run(self, twin: ModuleType, other: dict[str, Any]) -> None:
        found = read(twin, at(0), at(0, **other), at(0))
        assert [run[6] for run in found[0]] == [2, 1]

    def test_another_firmware_is_another_run_and_each_says_how_near_it_came(self, twin: ModuleType) -> None:
        found = read(
            twin,
            at(0, agent="x/1", near=0),
            at(0, agent="x/1", near=None),
            at(0, agent="y/2", near=10),
            at(0, agent="x/1", near=3),
            at(0, agent="y/2", near=11),
        )
        assert [(run[10], run[6], run[11]) for run in found[0]] == [
            ("x/1", 3, (1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0)),
            ("y/2", 2, (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)),
        ]

    def test_records_that_do_not_say_how_near_they_came_are_runs_of_their_own(self, twin: ModuleType) -> None:
        found = read(twin, at(0), at(0, agent="", near=None), at(0))
        assert [(run[6], len(run[11])) for run in found[0]] == [(2, 0), (1, 11)]

    def test_no_slice_and_slice_0_are_the_same(self, twin: ModuleType) -> None:
        assert len(read(twin, at(0), at(0, slice_id=0))[0]) == 1

    def test_refused_shares_and_jobs_are_in_none(self, twin: ModuleType) -> None:
        assert read(twin, at(0, outcome=1), JOB) == ([], [], [], b"", [], [], [], T, JOB[2])

    def test_a_bound_parts_what_is_before_from_what_is_not(self, twin: ModuleType) -> None:
        found = read(twin, at(4), at(5), at(6), at(3), bounds=(T + 5, T + 100))
        assert [run[6] for run in found[0]] == [2, 2]

    def test_more_runs_than_a_byte_can_tell(self, twin: ModuleType) -> None:
        found = read(twin, *(at(0, account=f"a{number}") for number in range(300)), at(0, account="a258"))
        assert (len(found[0]), len(found[3]), found[3][-4:]) == (300, 602, b"\x01\x2b\x01\x02")

    def test_more_runs_than_two_bytes_can_tell(self, twin: ModuleType) -> None:
        found = read(twin, *(at(0, height=number) for number in range(65_537)))
        assert (len(found[0]), found[3][-8:]) == (65_537, b"\0\0\xff\xff\0\1\0\0")


class TestOrder:
    def test_picks_say_which_run_each_share_is_of(self, twin: ModuleType) -> None:
        assert read(twin, at(0), at(0, "bob"), at(0), at(0, "carol"))[3] == bytes([0, 1, 0, 2])

    def test_stretches_say_which_records_they_are(self, twin: ModuleType) -> None:
        found = read(twin, JOB, at(0), at(0), at(0, outcome=3), at(0), JOB, JOB, at(0))
        assert found[4] == [(1, 2), (4, 1), (7, 1)]

    def test_records_before_the_first_are_passed_over(self, twin: ModuleType) -> None:
        found = read(twin, at(0), at(0, "bob"), at(0, "bob"), first=1)
        assert ([run[0] for run in found[0]], found[3:5]) == (["bob"], (b"\0\0", [(1, 2)]))

    def test_a_block_knows_its_place(self, twin: ModuleType) -> None:
        stale = at(7, "bob", outcome=1, block_hash=b"\1" * 32)
        found = read(twin, at(0), stale, at(0, block_hash=b"\2" * 32))
        assert found[5] == [
            (1, 1, T + 7, 1, "bob", "rig1", 820_000, b"\1" * 32),
            (2, 2, T, 0, "alice", "rig1", 820_000, b"\2" * 32),
        ]

    def test_the_time_is_that_of_the_last_record(self, twin: ModuleType) -> None:
        assert read(twin, at(9), at(3, outcome=1))[8] == T + 3


class TestBatches:
    def test_they_have_their_runs_in_common(self, twin: ModuleType) -> None:
        one, two = packed(at(0), at(0, "bob")), packed(JOB, at(0, "bob"), at(1, "bob"), at(0, "carol"))
        runs, _, batches = twin.share_runs([(*one, 0), (*two, 0)], 0, MINUTE_MS, ())
        assert [(run[0], run[6]) for run in runs] == [("alice", 1), ("bob", 3), ("carol", 1)]
        assert [batch[:4] for batch in batches] == [
            ([0, 1], [1, 1], bytes([0, 1]), [(0, 2)]),
            ([1, 2], [2, 1], bytes([0, 0, 1]), [(1, 3)]),
        ]

    def test_a_period_that_began_in_one_holds_in_the_next(self, twin: ModuleType) -> None:
        runs, _, batches = twin.share_runs([(*packed(at(MINUTE_MS)), 0), (*packed(at(0)), 0)], 0, MINUTE_MS, ())
        assert [run[5] for run in runs] == [T + MINUTE_MS]
        assert [batch[6] for batch in batches] == [T + MINUTE_MS] * 2

    def test_none_is_nothing(self, twin: ModuleType) -> None:
        assert twin.share_runs([], 0, MINUTE_MS, ()) == ([], [], [])


class TestSlices:
    def test_refused_shares_are_counted_by_slice_and_reason(self, twin: ModuleType) -> None:
        stale, low = at(0, outcome=1, slice_id=7), at(0, outcome=3, slice_id=7)
        found = read(twin, stale, at(0, slice_id=7), low, stale, at(0, outcome=1, slice_id=8), at(0, outcome=1))
        assert found[6] == [(7, 1, 2), (7, 3, 1), (8, 1, 1)]

    def test_each_batch_has_its_own(self, twin: ModuleType) -> None:
        stale = (*packed(at(0, outcome=1, slice_id=7)), 0)
        assert [batch[5] for batch in twin.share_runs([stale, stale], 0, MINUTE_MS, ())[2]] == [[(7, 1, 1)]] * 2

    def test_a_worker_is_seen_once_a_slice_and_day(self, twin: ModuleType) -> None:
        today, day_ms = T - T % 86_400_000, 86_400_000
        first = packed(at(0, slice_id=7), at(1, slice_id=7), at(1, slice_id=8), at(1, worker="rig2", slice_id=7))
        then = packed(at(5, slice_id=7), at(day_ms, slice_id=7), at(5, "bob", slice_id=7), at(5, outcome=1, slice_id=9))
        assert twin.share_runs([(*first, 0), (*then, 0), (*packed(at(0)), 0)], 0, MINUTE_MS, ())[1] == [
            (7, today, "alice", "rig1"),
            (8, today, "alice", "rig1"),
            (7, today, "alice", "rig2"),
            (7, today + day_ms, "alice", "rig1"),
            (7, today, "bob", "rig1"),
        ]

    def test_more_workers_than_there_is_room_for_at_first(self, twin: ModuleType) -> None:
        shares = [at(0, worker=f"rig{number % 700}", slice_id=7) for number in range(2_000)]
        assert len(twin.share_runs([(*packed(*shares), 0)], 0, MINUTE_MS, ())[1]) == 700


class TestPeriods:
    def test_a_later_period_begins_with_the_first_record_of_it(self, twin: ModuleType) -> None:
        refused = at(MINUTE_MS + 5, outcome=1)
        found = read(twin, at(0), refused, at(0))
        assert ([run[5] for run in found[0]], found[7]) == ([T, T + MINUTE_MS], T + MINUTE_MS)

    def test_a_job_begins_one_too(self, twin: ModuleType) -> None:
        job = [2, "a1", T + 3 * MINUTE_MS + 1]
        assert read(twin, job, at(0))[0][0][5] == T + 3 * MINUTE_MS

    def test_what_is_late_counts_in_the_period_that_is_given(self, twin: ModuleType) -> None:
        found = read(twin, at(0), period_ms=T + MINUTE_MS)
        assert (found[0][0][5], found[7]) == (T + MINUTE_MS, T + MINUTE_MS)


class TestRefusal:
    @pytest.mark.parametrize("count", [-1, 0, 1, 3, 2**40])
    def test_another_count_is_refused(self, twin: ModuleType, count: int) -> None:
        with pytest.raises(ValueError, match="cannot be read"):
            twin.share_runs([(packed(at(0), at(0))[0], count, 0)], 0, MINUTE_MS, ())

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            *[(0, 3), (1, -1), (1, 2**63), (2, 10), (4, b"a"), (5, None), (11, 1), (12, 2**32), (13, None)],
            *[(13, 2**63), (14, -1), (14, "a"), (15, "a"), (15, 7)],
        ],
    )
    def test_a_field_that_is_no_share_s_is_refused(self, twin: ModuleType, field: int, value: object) -> None:
        wrong = at(0)
        wrong[field] = value
        with pytest.raises(ValueError, match="cannot be read"):
            read(twin, at(0), wrong)

    @pytest.mark.parametrize("job", [[2, "a"], [2, "a", None], [2, "a", -5]])
    def test_a_job_without_its_time_is_refused(self, twin: ModuleType, job: object) -> None:
        with pytest.raises(ValueError, match="cannot be read"):
            read(twin, job)

    def test_a_name_that_is_no_text_is_refused(self, twin: ModuleType) -> None:
        payload, count = packed(at(0))
        with pytest.raises(ValueError, match=r"read|decode"):
            twin.share_runs([(payload.replace(b"alice", b"al\xffce"), count, 0)], 0, MINUTE_MS, ())

    def test_it_is_refused_wherever_it_is_cut_off(self, twin: ModuleType) -> None:
        payload, count = packed(at(0), JOB)
        for length in range(len(payload)):
            with pytest.raises(ValueError, match="cannot be read"):
                twin.share_runs([(payload[:length], count, 0)], 0, MINUTE_MS, ())


NEWER: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"agent": st.text(max_size=12), "near": st.sampled_from([None, 0, 1, 10, 11])}),
)
SHARES = st.builds(
    lambda newer, time_ms, account, **others: at(time_ms, account, **{**others, **newer}),
    NEWER,
    st.integers(0, 4 * MINUTE_MS),
    st.text(max_size=20),
    worker=st.text(max_size=3),
    outcome=st.sampled_from([0, 0, 0, 1]),
    difficulty=st.sampled_from([0.001, 64.0]),
    nbits=st.sampled_from([7, 0x170E1EF9]),
    height=st.sampled_from([1, 2]),
    slice_id=st.sampled_from([None, 0, 2**40]),
    block_hash=st.sampled_from([None, None, bytes(32)]),
)
RECORDS = st.lists(st.one_of(SHARES, st.just(JOB)), max_size=60)


BATCHES = st.lists(st.tuples(RECORDS, st.integers(0, 5)), max_size=4)


@given(BATCHES, st.integers(0, T + MINUTE_MS), st.lists(st.integers(T, T + 4 * MINUTE_MS)))
def test_the_twins_agree(batches: list[tuple[list[Any], int]], period_ms: int, bounds: list[int]) -> None:
    asked = [(*packed(*records), first) for records, first in batches], period_ms, MINUTE_MS, sorted(bounds)
    assert runs.share_runs(*asked) == runs_reference.share_runs(*asked)
