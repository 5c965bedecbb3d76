"""The journal, folded by the hour."""

from __future__ import annotations

from pool.bitcoin.target import share_work
from pool.journal.reader import groups
from pool.journal.records import decode
from pool.scenario.bit_mining.case import BEGINS_MS, DARK_MS, DAY_MS, HOUR_MS, OWNER
from pool.scenario.bit_mining.measured import Hour, rates_hps
from pool.work.share import Share
from tests.pool.scenario.bit_mining.small import Small


def test_the_hours_have_every_share_and_all_its_work(played: Small) -> None:
    shares = [
        record
        for group in groups(played.played.journal)
        for record in decode(group.count, group.payload)
        if isinstance(record, Share)
    ]
    assert sum(hour.shares for hour in played.hours) == len(shares)
    assert sum(hour.work for hour in played.hours) == sum(share_work(each.difficulty, each.nbits) for each in shares)


def test_a_share_is_in_its_own_hour(played: Small) -> None:
    own = [hour.from_ms for hour in played.hours if hour.account == OWNER]
    assert not [from_ms for from_ms in own if DARK_MS <= from_ms < DARK_MS + 7 * DAY_MS]
    assert {(hour.from_ms - BEGINS_MS) % HOUR_MS for hour in played.hours} == {0}


def test_a_rate_is_work_by_seconds_of_a_step() -> None:
    found = [Hour("a", 1, BEGINS_MS + at * HOUR_MS, 1, 3_600_000 * (at + 1), 1) for at in range(3)]
    assert rates_hps(found, 2 * HOUR_MS, BEGINS_MS + 4 * HOUR_MS) == {("a", 1): [1_500.0, 1_500.0]}


def test_what_is_behind_the_last_whole_step_is_left_out() -> None:
    found = [Hour("a", 1, BEGINS_MS + 2 * HOUR_MS, 1, 7_200_000, 1)]
    assert rates_hps(found, 2 * HOUR_MS, BEGINS_MS + 3 * HOUR_MS) == {}
