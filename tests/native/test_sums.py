"""native.SecondSums: the shares of one second by worker; both twins say the same."""

from __future__ import annotations

import itertools
from types import ModuleType
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from native import sums, sums_reference

JOB = [2, "a1", 1_700_000_000_000, [b"\x01", None], {"x": 1.5}, True]


def share(
    worker: str = "rig1", time_ms: int = 1_700_000_000_000, outcome: int = 0, difficulty: float = 64.0, **changes: Any
) -> list[Any]:
    """A share as a list of its fields, its kind first."""
    block_hash, account, nbits = changes.get("block_hash"), changes.get("account", "alice"), changes.get("nbits", 7)
    place = [b"\x01\x02\x03\x04", bytes(8), 0x20000000, 1_700_000_000, 5]
    return [1, time_ms, outcome, "a1", account, worker, *place, difficulty, nbits, 820_000, None, block_hash]


def packed(*records: object) -> tuple[bytes, int]:
    return b"".join(map(msgspec.msgpack.encode, records)), len(records)


@pytest.fixture(params=[sums, sums_reference], ids=["compiled", "reference"])
def twin(request: pytest.FixtureRequest) -> ModuleType:
    module: ModuleType = request.param
    return module


def summed(twin: ModuleType, *records: object) -> Any:
    found = twin.SecondSums()
    assert found.add(*packed(*records), 0) == len(records)
    return found


class TestRows:
    def test_a_worker_has_one_row_with_all_its_shares(self, twin: ModuleType) -> None:
        late = share(time_ms=1_700_000_000_900, outcome=1)
        found = summed(twin, share(), share(time_ms=1_700_000_000_500), late)
        counts = (2, 1, 0, 0, 0, 0, 0, 0, 0, 0)
        row = ("alice", "rig1", 1_700_000_000_000, 1_700_000_000_900, 1_700_000_000_500, counts, 0, ((64.0, 7, 2),))
        assert found.rows() == [row]

    def test_without_an_accepted_share_it_has_no_time_of_one(self, twin: ModuleType) -> None:
        row = summed(twin, share(outcome=3)).rows()[0]
        assert (row[4], row[7]) == (None, ())

    def test_blocks_are_counted_whatever_their_outcome(self, twin: ModuleType) -> None:
        found = summed(twin, share(block_hash=bytes(32)), share(outcome=1, block_hash=bytes(32)), share())
        assert found.rows()[0][6] == 2

    def test_runs_follow_the_difficulty_and_the_network(self, twin: ModuleType) -> None:
        found = summed(twin, share(), share(difficulty=8.0), share(difficulty=8.0), share(nbits=9), share())
        assert found.rows()[0][7] == ((64.0, 7, 1), (8.0, 7, 2), (64.0, 9, 1), (64.0, 7, 1))

    def test_workers_stand_in_the_order_in_which_they_came(self, twin: ModuleType) -> None:
        found = summed(twin, share("b"), share("a"), share("b"), share("", account="bob"))
        assert [row[:2] for row in found.rows()] == [("alice", "b"), ("alice", "a"), ("bob", "")]

    def test_names_that_read_the_same_together_are_two(self, twin: ModuleType) -> None:
        found = summed(twin, share("xy", account="a"), share("y", account="ax"))
        assert len(found.rows()) == 2

    def test_jobs_are_passed_over(self, twin: ModuleType) -> None:
        assert summed(twin, JOB, share(), JOB).rows()[0][5][0] == 1

    def test_fields_of_a_version_to_come_are_passed_over(self, twin: ModuleType) -> None:
        assert summed(twin, [*share(), "x/1", None, "new", [1]]).rows()[0][5][0] == 1

    @pytest.mark.parametrize("length", [31, 32, 255, 256, 70_000])
    def test_names_of_any_length_are_found_again(self, twin: ModuleType, length: int) -> None:
        found = summed(twin, share("w" * length))
        again = twin.SecondSums(found.second, found.rows())
        again.add(*packed(share("w" * length)), 0)
        assert [row[5][0] for row in again.rows()] == [2]

    def test_however_another_writer_spelled_the_length_of_a_name(self, twin: ModuleType) -> None:
        payload, count = packed(share("rig1"), share("rig1"))
        place = payload.rindex(b"\xa4rig1")
        found = twin.SecondSums()
        found.add(payload[:place] + b"\xd9\x04" + payload[place + 1 :], count, 0)
        assert [row[5][0] for row in found.rows()] == [2]


class TestSeconds:
    def test_it_stops_at_the_first_share_of_another_second(self, twin: ModuleType) -> None:
        records = packed(share(), JOB, share(time_ms=1_700_000_001_000), share())
        found = twin.SecondSums()
        assert (found.add(*records, 0), found.second, len(found.rows())) == (2, 1_700_000_000, 1)

    def test_and_goes_on_from_there_once_it_was_cleared(self, twin: ModuleType) -> None:
        records = packed(share("a"), share("b", time_ms=1_700_000_001_000), share("c", time_ms=1_700_000_001_999))
        found = twin.SecondSums()
        first = found.add(*records, 0)
        found.clear()
        assert (found.add(*records, first), found.second) == (3, 1_700_000_001)
        assert [row[1] for row in found.rows()] == ["b", "c"]

    def test_a_clock_set_back_begins_another_second(self, twin: ModuleType) -> None:
        assert twin.SecondSums().add(*packed(share(), share(time_ms=1_699_999_999_999)), 0) == 1

    def test_jobs_alone_begin_none(self, twin: ModuleType) -> None:
        assert summed(twin, JOB).second == 0

    def test_a_worker_that_comes_again_in_another_second_begins_anew(self, twin: ModuleType) -> None:
        found = summed(twin, share("a"), share("b", outcome=1))
        found.clear()
        found.add(*packed(share("b", 1_700_000_001_000)), 0)
        assert [(row[1], row[5][:2], row[6]) for row in found.rows()] == [("b", (1, 0), 0)]

    def test_more_names_than_are_remembered_are_summed_all_the_same(self) -> None:
        # Beyond 2**17 the compiled twin forgets them between two seconds.
        found, number = sums.SecondSums(), 140_000
        for second in range(2):
            names = packed(*(share(f"rig{each}", 1_700_000_000_000 + 1000 * second) for each in range(number)))
            assert found.add(*names, 0) == number
            assert [row[1] for row in found.rows()[:: number - 1]] == ["rig0", f"rig{number - 1}"]
            found.clear()
        assert found.add(*packed(share("rig5")), 0) == 1
        assert [row[5][0] for row in found.rows()] == [1]


class TestErrors:
    @pytest.mark.parametrize(
        "broken",
        [
            [],
            [3, 1],
            ["1"],
            "text",
            7,
            share()[:15],
            share(time_ms=-1),
            share(outcome=10),
            share(outcome=-1),
            share(nbits=1 << 32),
            share(worker=b"rig1"),  # type: ignore[arg-type]
            share(account=None),
            share(difficulty=64),
            share(block_hash="text"),
        ],
    )
    def test_records_that_are_none_are_refused_whole(self, twin: ModuleType, broken: object) -> None:
        found = twin.SecondSums()
        with pytest.raises(ValueError, match="record"):
            found.add(*packed(share(), broken), 0)
        assert found.rows() == []

    def test_text_that_is_none_is_refused(self, twin: ModuleType) -> None:
        payload, count = packed(share("\u00e4"))
        with pytest.raises(ValueError, match=r"record|decode"):
            twin.SecondSums().add(payload.replace("\u00e4".encode(), b"\xc3\x28"), count, 0)

    @pytest.mark.parametrize("count", [0, 1, 3, 1 << 33])
    def test_there_must_be_as_many_as_it_says(self, twin: ModuleType, count: int) -> None:
        with pytest.raises(ValueError, match="record"):
            twin.SecondSums().add(packed(share(), share())[0], count, 0)

    def test_a_payload_that_is_cut_off_anywhere_is_refused(self, twin: ModuleType) -> None:
        payload, count = packed(share(block_hash=bytes(32)), JOB)
        for end in range(len(payload)):
            with pytest.raises(ValueError, match="record"):
                twin.SecondSums().add(payload[:end], count, 0)

    @given(st.binary(max_size=60), st.integers(0, 140), st.integers(0, 3))
    def test_no_bytes_do_harm(self, noise: bytes, place: int, count: int) -> None:
        payload = packed(share(), JOB)[0]
        for data in (noise, payload[:place] + noise, payload[:place] + noise + payload[place + len(noise) :]):
            try:
                sums.SecondSums().add(data, count, 0)
            except ValueError:
                continue


shares = st.lists(
    st.builds(
        share,
        worker=st.sampled_from(["", "a", "b", "\u00e4" * 20]),
        account=st.sampled_from(["alice", "bob"]),
        time_ms=st.integers(0, 4000),
        outcome=st.integers(0, 9),
        difficulty=st.sampled_from([0.5, 64.0]) | st.floats(),
        nbits=st.integers(0, 0xFFFFFFFF),
        block_hash=st.none() | st.binary(max_size=40),
    )
    | st.just(JOB),
    max_size=20,
)


class TestTwins:
    @given(shares, st.data())
    def test_on_any_records_however_cut_and_put_down(self, records: list[Any], data: st.DataObject) -> None:
        both = [sums.SecondSums(), sums_reference.SecondSums()]
        cuts = sorted(data.draw(st.lists(st.integers(0, len(records)), max_size=4)))
        for start, end in itertools.pairwise([0, *cuts, len(records)]):
            payload, count = packed(*records[start:end])
            first = 0
            while True:
                stops = [each.add(payload, count, first) for each in both]
                assert stops[0] == stops[1]
                # repr: a difficulty may be no number, which is not equal to itself.
                assert repr(both[0].rows()) == repr(both[1].rows())
                assert both[0].second == both[1].second
                first = stops[0]
                if first == count:
                    break
                for each in both:
                    each.clear()
            both = [type(each)(each.second, each.rows()) for each in both]
