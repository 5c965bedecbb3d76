"""pool.rebuild.comparison: what is told of what was compared."""

from __future__ import annotations

from pool.rebuild.comparison import DIFFERENCES_MAX, Check, Report


def test_what_is_the_same_is_counted() -> None:
    check = Check("balances").mappings({"a": 1, "b": 2}, {"a": 1, "b": 2})
    assert (check.live, check.rebuilt, check.different) == (2, 2, 0)


def test_what_differs_is_told_with_both_values() -> None:
    check = Check("balances").mappings({"a": 1, ("b", 7): 2}, {"a": 3, "c": 4})
    assert check.differences == ["b 7: 2 live, none rebuilt", "a: 1 live, 3 rebuilt", "c: none live, 4 rebuilt"]


def test_all_differences_are_counted_and_the_first_told() -> None:
    check = Check("rows")
    for number in range(DIFFERENCES_MAX + 5):
        check.differs(str(number))
    assert (check.different, len(check.differences)) == (DIFFERENCES_MAX + 5, DIFFERENCES_MAX)
    assert f"DIFFERENT rows: and {5} more" in "\n".join(_report(check).lines())


def _report(*checks: Check) -> Report:
    report = Report([], [])
    report.add(checks)
    return report


def test_a_report_is_identical_until_something_differs() -> None:
    report = _report(Check("a"))
    assert (report.identical, list(report.lines())[-1]) == (True, "identical")
    report.add([Check("b").mappings({"x": 1}, {})])
    assert (report.identical, list(report.lines())[-1]) == (False, "NOT identical")


def test_what_was_taken_over_is_told() -> None:
    report = _report(Check("a", "its order is the ledger's"))
    report.taken_over.append("3 rows of plan")
    text = "\n".join(report.lines())
    assert "taken over: 3 rows of plan" in text
    assert "its order is the ledger's" in text
