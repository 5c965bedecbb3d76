"""What the books know of the fleet, at each time."""

from __future__ import annotations

from pool.fleet.kinds import Assignment, Batch, Count, SiteEvent
from pool.fleet.register import Register
from pool.fleet.times import parse_time
from pool.scenario.bit_mining.case import BOUGHT_MS, DARK_MS, GANZI, HOUR_MS, LOTS, NOTICE_MS, OWNER
from pool.store.fleets import SqlFleets
from pool.store.sql import reading
from tests.pool.scenario.bit_mining.small import Small


def register(played: Small) -> Register:
    with reading(played.played.books[0].engine) as connection:
        return SqlFleets(connection).register()


def test_two_sources_disagree_about_the_hour_and_the_second_is_heard_of_later(played: Small) -> None:
    found = register(played)
    at_the_notice = found.known(SiteEvent, NOTICE_MS)
    assert [event.wording for event in at_the_notice] == ["9:00"]
    assert sorted(event.wording for event in found.known(SiteEvent)) == ["9:00", "9:00 pm"]


def test_a_worker_is_at_the_old_site_then_at_the_new_one_and_never_at_two(played: Small) -> None:
    for lot in LOTS:
        rows = [each for each in register(played).known(Assignment) if each.pattern == lot.pattern]
        sites = [each.site for each in sorted(rows, key=lambda each: each.valid_from_ms)]
        assert sites == ([] if lot.stood is None else [lot.stood.name]) + [lot.goes.name]
        standing = played.table.at(lot.on_ms + HOUR_MS)
        numbers = {each.slice_id for each in rows if each.site == lot.goes.name}
        assert standing.slice_of(OWNER, f"{lot.key}-r001-01") in numbers


def test_the_purchase_is_not_known_before_it_was_made(played: Small) -> None:
    bought = LOTS[-1].name
    assert bought not in [batch.name for batch in register(played).known(Batch, BOUGHT_MS - 1)]
    assert bought in [batch.name for batch in register(played).known(Batch, BOUGHT_MS)]


def test_counts_add_up_and_go_from_the_old_site_over_the_road_to_the_new_one(played: Small) -> None:
    found = register(played)
    for lot in LOTS[:2]:
        counts = {each.valid_from_ms: each for each in found.known(Count) if each.batch == lot.name}
        machines = counts[DARK_MS].in_transit
        assert {count.machines for count in counts.values()} == {machines}
        last = counts[max(counts)]
        assert (last.hashing + last.installed, last.in_transit) == (machines, 0)


def test_on_28_july_two_batches_are_in_place_and_one_is_on_the_way(played: Small) -> None:
    at = {each.batch: each for each in register(played).holding(Count, parse_time("2021-07-28T12:00Z"))}
    first, second, third, on_its_way, bought = (at[lot.name] for lot in LOTS)
    for there in (first, second, third):
        assert there.at_least("installed") == there.machines
    assert on_its_way.in_transit == on_its_way.machines
    assert bought.ordered == bought.machines
    assert GANZI.name not in {
        each.site for each in register(played).holding(Assignment, parse_time("2021-07-28T12:00Z"))
    }
