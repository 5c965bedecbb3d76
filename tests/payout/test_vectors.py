"""payout.vectors: the worked examples, and files that are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from payout.vectors import BadFile, Result, Vector, check, read, run

FILE = Path(__file__).parents[1] / "vectors" / "payout_vectors.json"


@pytest.mark.parametrize("vector", read(FILE), ids=lambda vector: vector.id)
def test_a_worked_example_comes_out_as_written(vector: Vector) -> None:
    assert check(vector) == Result(vector.id, passed=True)


def test_every_operation_of_the_format_is_supported() -> None:
    named = json.loads(FILE.read_bytes())["format"]["ops"]
    results = [check(Vector("X", op, {}, {"nothing": 0})) for op in named]
    assert not [result for result in results if "not supported" in result.message]


def test_the_results_come_in_the_order_of_the_file() -> None:
    assert [result.id for result in run(FILE)] == [f"P{number:02}" for number in range(1, 26)]


SOLO = {"finder": "a", "subsidy": 100, "fees": 1, "fee_bps": 100}
REWARD = {"gross": 101, "fee": 1, "net": 100}


def solo(given: dict[str, Any], expected: dict[str, Any]) -> Result:
    return check(Vector("X", "solo", given, expected))


class TestCheck:
    def test_a_wrong_amount_is_named(self) -> None:
        assert solo(SOLO, {**REWARD, "net": 99}).message == "out.net: expected 99, got 100"

    def test_text_is_no_amount(self) -> None:
        assert solo(SOLO, {**REWARD, "net": "100"}).message == 'out.net: expected "100", got 100'

    def test_truth_is_no_amount(self) -> None:
        assert solo(SOLO, {"fee": True}).message == "out.fee: expected true, got 1"

    def test_a_result_that_the_operation_does_not_have_fails(self) -> None:
        assert solo(SOLO, {"tip": 0}).message == "out.tip: expected 0, got nothing"

    def test_an_account_too_many_fails(self) -> None:
        given = {"cases": [{"total": 1, "weights": {"a": "1", "b": "1"}}]}
        result = check(Vector("X", "largest_remainder", given, {"alloc": [{"a": 1}]}))
        assert result.message == "out.alloc[0].b: expected nothing, got 0"

    def test_a_list_of_another_length_fails(self) -> None:
        result = check(Vector("X", "largest_remainder", {"cases": []}, {"alloc": [{}]}))
        assert result.message == "out.alloc: expected 1 items, got 0"

    def test_a_vector_that_expects_nothing_fails(self) -> None:
        assert not solo(SOLO, {}).passed

    def test_an_unknown_operation_fails(self) -> None:
        assert check(Vector("X", "tides", {}, {"a": 1})).message == "op not supported: tides"

    def test_a_missing_input_is_named(self) -> None:
        assert "missing required field `finder`" in solo({"subsidy": 1, "fees": 1, "fee_bps": 1}, REWARD).message

    def test_an_input_of_the_wrong_type_is_named(self) -> None:
        assert "$.fees" in solo({**SOLO, "fees": "1"}, REWARD).message

    def test_an_input_that_the_rules_refuse_says_why(self) -> None:
        result = check(Vector("X", "unit_score", {"pairs": [{"work": "1", "net_work": "0"}]}, {"units": ["0"]}))
        assert result.message == "unit_score refused it: no score for work 1 of 0"

    def test_a_probability_may_differ_by_rounding(self) -> None:
        given = {"rows": [{"expected_blocks": "12", "found": 0}], "alpha": "1/1000"}
        assert check(Vector("X", "poisson_tail", given, {"p": ["6.1442123534E-6"]})).passed

    def test_a_probability_may_not_differ_by_more(self) -> None:
        given = {"rows": [{"expected_blocks": "12", "found": 0}], "alpha": "1/1000"}
        assert not check(Vector("X", "poisson_tail", given, {"p": ["6.14422E-6"]})).passed

    def test_a_result_is_told_in_one_line(self) -> None:
        told = [str(Result("P01", passed=True)), str(Result("P02", passed=False, message="why"))]
        assert told == ["P01 passed", "P02 failed: why"]


class TestBadFile:
    @pytest.mark.parametrize(
        ("content", "why"),
        [
            ("", "Expecting value"),
            ("[]", "Expected `object`, got `array`"),
            ('{"format": {}}', "missing required field `vectors`"),
            ('{"vectors": [{"op": "solo", "in": {}, "out": {}}]}', "missing required field `id` - at `$.vectors[0]`"),
            ('{"vectors": [{"id": "X", "op": "solo", "in": [], "out": {}}]}', "at `$.vectors[0].in`"),
            ('{"vectors": [{"id": "X", "op": "solo", "in": {"fees": 0.5}, "out": {}}]}', "money knows no fractions"),
            ('{"vectors": [{"id": "X", "op": "solo", "in": {"fees": NaN}, "out": {}}]}', "money knows no fractions"),
            ('{"vectors": [], "vectors": []}', "names a key twice"),
            ('{"vectors": [], "format": {"version": "payout-vectors/2"}}', "not 'payout-vectors/1'"),
            ("[" * 100_000, "maximum recursion depth"),
        ],
    )
    def test_it_is_refused_with_where_and_why(self, tmp_path: Path, content: str, why: str) -> None:
        path = tmp_path / "vectors.json"
        path.write_text(content)
        with pytest.raises(BadFile) as refused:
            run(path)
        assert why in str(refused.value)

    def test_bytes_that_are_no_text_are_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "vectors.json"
        path.write_bytes(b'{"vectors": "\xff"}')
        with pytest.raises(BadFile):
            run(path)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(BadFile, match=r"none\.json cannot be read: No such file"):
            run(tmp_path / "none.json")
