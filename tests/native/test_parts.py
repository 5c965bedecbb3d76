"""native.pack_parts and native.add_counts: the shares of a batch by their worth; both twins say the same."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from native import parts, parts_reference

uint64s = st.integers(0, 300) | st.sampled_from([1 << bits for bits in (15, 16, 31, 32, 63)])


@pytest.fixture(params=[parts, parts_reference], ids=["compiled", "reference"])
def twin(request: pytest.FixtureRequest) -> ModuleType:
    module: ModuleType = request.param
    return module


class TestPackParts:
    def test_each_part_has_its_stake_its_score_and_how_many(self, twin: ModuleType) -> None:
        stakes, scores, counts, _, _ = twin.pack_parts([7, 8, 9], [0, 1, 0], [2, 0], [3, 4])
        assert [msgspec.msgpack.decode(column) for column in (stakes, scores, counts)] == [[9, 7], [0, 0], [3, 4]]

    def test_scores_are_numbered_anew_in_the_order_of_the_parts(self, twin: ModuleType) -> None:
        _, scores, _, there, shares = twin.pack_parts([7, 8, 9], [5, 2, 5], [1, 0, 2], [10, 20, 30])
        assert (msgspec.msgpack.decode(scores), there, shares) == ([0, 1, 1], [2, 5], [10, 50])

    def test_of_no_parts_there_is_nothing(self, twin: ModuleType) -> None:
        assert twin.pack_parts([], [], [], []) == (b"\x90", b"\x90", b"\x90", [], [])

    @pytest.mark.parametrize(("stakes", "score_of"), [([1], [0, 0]), ([1, 1], [0])])
    def test_a_part_without_a_place_is_refused(self, twin: ModuleType, stakes: list[int], score_of: list[int]) -> None:
        with pytest.raises(IndexError):
            twin.pack_parts(stakes, score_of, [1], [1])

    def test_counts_that_do_not_fit_are_refused(self, twin: ModuleType) -> None:
        with pytest.raises(ValueError, match=r"shorter|longer|as many"):
            twin.pack_parts([1], [0], [0, 0], [1])


class TestAddCounts:
    def test_they_are_added_by_place(self, twin: ModuleType) -> None:
        sums = [1, 0, 0]
        twin.add_counts(sums, [2, 0, 2], [5, 6, 7])
        assert sums == [7, 0, 12]

    def test_a_part_without_a_place_is_refused(self, twin: ModuleType) -> None:
        with pytest.raises(IndexError):
            twin.add_counts([0], [1], [1])

    def test_counts_that_do_not_fit_are_refused(self, twin: ModuleType) -> None:
        with pytest.raises(ValueError, match=r"shorter|longer|as many"):
            twin.add_counts([0], [0], [])


class TestTwins:
    @given(st.data())
    def test_on_any_batch(self, data: st.DataObject) -> None:
        worths = data.draw(st.lists(st.tuples(uint64s, st.integers(0, 5)), min_size=1, max_size=40))
        places = st.integers(0, len(worths) - 1)
        batch = data.draw(st.lists(st.tuples(places, uint64s), max_size=300))
        stakes, score_of = [list(column) for column in zip(*worths, strict=True)]
        chosen, counts = [each for each, _ in batch], [count % (1 << 40) for _, count in batch]
        found: list[Any] = []
        for twin in (parts, parts_reference):
            sums = [0] * len(worths)
            twin.add_counts(sums, chosen, counts)
            found.append((twin.pack_parts(stakes, score_of, chosen, counts), sums))
        assert found[0] == found[1]

    def test_on_more_parts_than_a_short_array_has(self) -> None:
        columns = [list(range(70_000)), [0] * 70_000, range(70_000), [1] * 70_000]
        assert parts.pack_parts(*columns) == parts_reference.pack_parts(*columns)
