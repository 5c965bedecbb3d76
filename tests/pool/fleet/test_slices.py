"""pool.fleet.slices."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pool.fleet.kinds import Assignment, Site
from pool.fleet.patterns import check_pattern, fits, literal
from pool.fleet.slices import NEVER_MS, SliceTable, unmatched
from tests.pool.fleet.rows import HOUR_MS, NOW_MS


def assigned(
    number: int, pattern: str, account: str = "bit", from_: int = 0, to: int | None = None, site: str = "s"
) -> Assignment:
    return Assignment(
        account=account,
        pattern=pattern,
        fleet=f"{account}/f",
        site=site,
        slice_id=number,
        row_id=number,
        valid_from_ms=NOW_MS + from_ * HOUR_MS,
        valid_to_ms=None if to is None else NOW_MS + to * HOUR_MS,
    )


def slice_of(worker: str, *rows: Assignment, account: str = "bit", hour: int = 0) -> int | None:
    return SliceTable(rows).at(NOW_MS + hour * HOUR_MS).slice_of(account, worker)


def test_the_pattern_with_most_literal_characters_counts() -> None:
    rows = assigned(1, "*"), assigned(2, "kz-*"), assigned(3, "kz-rack-1"), assigned(4, "kz-rack-*")
    found = [slice_of(worker, *rows) for worker in ("tx-1", "kz-1", "kz-rack-1", "kz-rack-12", "")]
    assert found == [1, 2, 3, 4, 1]


def test_another_accounts_patterns_do_not_count() -> None:
    assert slice_of("kz-1", assigned(1, "kz-*"), account="other") is None


def test_a_slice_begins_and_ends_to_the_millisecond() -> None:
    table = SliceTable([assigned(1, "*", from_=1, to=2), assigned(2, "*", from_=2)])
    begin, change = NOW_MS + HOUR_MS, NOW_MS + 2 * HOUR_MS
    times = begin - 1, begin, change - 1, change
    assert [table.at(time).slice_of("bit", "a") for time in times] == [None, 1, 1, 2]
    assert [table.at(time).until_ms for time in times] == [begin, change, change, NEVER_MS]


def test_rows_that_are_replaced_or_withdrawn_do_not_count() -> None:
    ended = assigned(1, "*", to=0)
    rows = [
        assigned(1, "*"),
        Assignment(**{n: getattr(ended, n) for n in ended.__struct_fields__} | {"row_id": 2, "replaces": 1}),
    ]
    assert SliceTable(rows).assignments == []


def site(name: str, region: str, from_: int = 0) -> Site:
    return Site(
        name=name,
        country="CN",
        time_zone="UTC",
        region=region,
        row_id=len(name),
        valid_from_ms=NOW_MS + from_ * HOUR_MS,
    )


class TestRegions:
    ROWS = (
        assigned(1, "sc-*", site="ganzi"),
        assigned(2, "sc-*", from_=1, site="almaty"),
        assigned(3, "*", site="almaty"),
    )
    SITES = site("ganzi", "sichuan"), site("almaty", "kz")

    def found(self, region: str, worker: str = "sc-1", hour: int = 2) -> int | None:
        return SliceTable(self.ROWS, self.SITES, region).at(NOW_MS + hour * HOUR_MS).slice_of("bit", worker)

    def test_of_two_equal_patterns_the_one_of_the_region_where_the_share_came_in_counts(self) -> None:
        assert [self.found(region) for region in ("sichuan", "kz")] == [1, 2]
        assert self.found("kz", hour=0) == 1, "the other has not begun"

    def test_elsewhere_the_one_that_was_entered_first_counts(self) -> None:
        assert [self.found(region) for region in ("texas", "")] == [1, 1]

    def test_a_longer_pattern_counts_before_the_region(self) -> None:
        assert self.found("sichuan", worker="tx-1") == 3
        assert self.found("kz") == 2

    def test_a_whole_name_at_two_sites_is_told_apart_alike(self) -> None:
        rows = assigned(1, "sc-1", site="ganzi"), assigned(2, "sc-1", site="almaty")
        tables = [SliceTable(rows, self.SITES, region).at(NOW_MS) for region in ("sichuan", "kz")]
        assert [each.slice_of("bit", "sc-1") for each in tables] == [1, 2]

    def test_so_is_a_whole_name_at_one_and_a_pattern_as_long_at_the_other(self) -> None:
        rows = assigned(1, "sc-1", site="ganzi"), assigned(2, "sc-1*", site="almaty")
        tables = [SliceTable(rows, self.SITES, region).at(NOW_MS) for region in ("sichuan", "kz", "texas")]
        assert [each.slice_of("bit", "sc-1") for each in tables] == [1, 2, 1]

    def test_it_changes_when_a_site_comes_to_a_region(self) -> None:
        rows = assigned(1, "sc-*", site="ganzi"), assigned(2, "sc-*", site="almaty")
        table = SliceTable(rows, [site("almaty", "kz", from_=1)], "kz")
        assert table.at(NOW_MS).until_ms == NOW_MS + HOUR_MS
        assert [table.at(NOW_MS + hour * HOUR_MS).slice_of("bit", "sc-1") for hour in (0, 1)] == [1, 2]


@given(
    st.lists(st.text("ab*", max_size=4).map(check_pattern), unique_by=literal, max_size=5), st.text("ab", max_size=4)
)
def test_names_and_patterns_are_found_alike(patterns: list[str], worker: str) -> None:
    rows = [assigned(number, pattern) for number, pattern in enumerate(patterns, 1)]
    fitting = [row for row in rows if fits(row.pattern, worker)]
    expected = max(fitting, key=lambda row: literal(row.pattern)).slice_id if fitting else None
    assert slice_of(worker, *rows) == expected


@given(
    st.lists(
        st.tuples(st.text("ab*", max_size=3).map(check_pattern), st.sampled_from(["ganzi", "almaty"])), max_size=6
    ),
    st.text("ab", max_size=3),
    st.sampled_from(["sichuan", "kz", "texas"]),
)
def test_length_goes_before_the_region_and_that_before_the_order_of_entry(
    said: list[tuple[str, str]], worker: str, region: str
) -> None:
    rows = [assigned(number, pattern, site=at) for number, (pattern, at) in enumerate(said, 1)]
    near = {"sichuan": "ganzi", "kz": "almaty"}.get(region)
    fitting = [row for row in rows if fits(row.pattern, worker)]
    best = max(fitting, key=lambda row: (literal(row.pattern), row.site == near, -row.slice_id), default=None)
    found = SliceTable(rows, TestRegions.SITES, region).at(NOW_MS).slice_of("bit", worker)
    assert found == (None if best is None else best.slice_id)


def test_workers_that_nothing_fits_are_a_task_only_where_something_is_assigned() -> None:
    table = SliceTable([assigned(1, "kz-*")])
    workers = [("bit", "tx-1"), ("bit", "kz-1"), ("other", "x"), ("bit", "")]
    assert unmatched(table, workers, NOW_MS) == [("bit", ""), ("bit", "tx-1")]
