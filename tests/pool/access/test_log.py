"""pool.access.log."""

from __future__ import annotations

from msgspec.structs import replace

from pool.access import log
from pool.access.log import Row


def chain(count: int) -> list[Row]:
    rows: list[Row] = []
    previous = log.FIRST
    for number in range(1, count + 1):
        said = log.entry(number, "cli:root", "payout run", "", "this machine", "done")
        previous = log.chained(previous, number, said)
        rows.append(Row(number, said, previous))
    return rows


def test_a_log_as_it_was_written_is_whole() -> None:
    assert log.broken([]) is None
    assert log.broken(chain(5)) is None


def test_a_row_that_was_changed_shows() -> None:
    rows = chain(5)
    rows[2] = replace(rows[2], entry=replace(rows[2].entry, who="cli:bob"))
    assert log.broken(rows) == 3


def test_a_row_that_was_taken_out_shows_and_so_does_the_first() -> None:
    rows = chain(5)
    assert log.broken(rows[:2] + rows[3:]) == 3
    assert log.broken(rows[1:]) == 1


def test_a_row_that_was_changed_together_with_its_hash_shows_at_the_next() -> None:
    rows = chain(5)
    said = replace(rows[2].entry, who="cli:bob")
    rows[2] = Row(3, said, log.chained(rows[1].hash, 3, said))
    assert log.broken(rows) == 4


def test_texts_are_cut_to_their_room() -> None:
    assert len(log.entry(1, "w" * 999, "a", "t", "o", "r").who) == log.TEXT_MAX
