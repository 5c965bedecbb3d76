"""pool.reports.document and pool.reports.papers."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from pool.reports.document import (
    Chart,
    Document,
    Line,
    Table,
    html,
    is_number,
    text,
    with_columns_that_say_something,
)
from pool.reports.facts import Dark, Span
from pool.reports.losses import downtime
from pool.reports.papers import Made, paper_of
from pool.reports.power import power
from pool.reports.progress import commissioning
from pool.reports.uptime import uptime
from pool.reports.weak import weak
from tests.pool.reports.kazakhstan import DAY_MS, HOUR_MS, LOGINS, ON_MS, known
from tests.pool.reports.test_relocation import NOW_MS, story

HOSTILE = '<script>alert("1")</script>&\' onload="x'
PAPER = Document(
    HOSTILE,
    ((HOSTILE, HOSTILE),),
    (Table(HOSTILE, (HOSTILE, "b"), ((HOSTILE, "12"),), HOSTILE), Table("empty", ("a",), ())),
    (Chart(HOSTILE, HOSTILE, (Line(HOSTILE, ((0, 5), (10, 7))),), ((5, HOSTILE),)),),
)


class Tags(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


class TestHtml:
    def test_hostile_names_stay_words(self) -> None:
        page = Tags(html(PAPER))
        assert "script" not in {tag for tag, _ in page.tags}
        assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
        assert page.words.count(HOSTILE) >= 9

    def test_the_head_of_a_column_of_numbers_stands_on_the_same_side(self) -> None:
        page = html(Document("a", (), (Table("b", ("name", "sat"), (("bit", "12"), ("host", ""))),)))
        assert '<th>Name</th><th class="n">sat</th>' in page
        assert '<td class="n">12</td>' in page

    def test_a_value_holds_until_the_next_and_no_slope_is_drawn(self) -> None:
        (drawn,) = re.findall('<path d="([^"]*)"[^>]* stroke-width="2"', html(PAPER))
        assert re.fullmatch(r"M\d+ \d+(H\d+V\d+)+", drawn)

    def test_times_are_written_for_people(self) -> None:
        page = html(Document("a", (("Off", "planned 2021-06-19T01:00:00Z"),), ()))
        assert "<dd>planned <time>2021-06-19 01:00 UTC</time></dd>" in page

    def test_nothing_comes_from_elsewhere(self) -> None:
        page = Tags(html(PAPER))
        assert {name for _, attributes in page.tags for name in attributes} & {"src", "href", "data", "action"} == set()
        policy = [
            attributes["content"] for tag, attributes in page.tags if tag == "meta" and "http-equiv" in attributes
        ]
        assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]

    def test_every_tag_is_closed(self) -> None:
        page = html(paper_of(story()))
        for tag in ("table", "tr", "td", "svg", "h2", "dl", "text"):
            assert page.count(f"<{tag}") == page.count(f"</{tag}>") > 0

    def test_tables_without_rows_are_named_at_the_end(self) -> None:
        assert "<h2>empty</h2>" not in html(PAPER)
        assert html(PAPER).endswith("<h2>Nothing to list</h2><p>empty.</p>\n</body></html>\n")

    def test_the_scale_of_a_chart_is_in_units_that_people_use(self) -> None:
        lines = (Line("drawn", ((0, 20_000_000),)),)
        page = html(Document("a", (), (), (Chart("Power", "W", lines), Chart("Rate", "GH/s", lines))))
        assert re.findall(r">([\d.,]+ [kP]\S+)</text>", page) == [
            *("0.0 kW", "10,000.0 kW", "20,000.0 kW"),
            *("10.00 PH/s", "20.00 PH/s"),
        ]


class TestText:
    def test_columns_stand_under_each_other(self) -> None:
        paper = Document("t", (), (Table("rows", ("a", "long name"), (("longer", "1"),)),))
        assert list(text(paper))[-2:] == ["  a       long name", "  longer          1"]


class TestColumns:
    @pytest.mark.parametrize(
        "cell",
        [
            *("12", "1,040.0", "±0.04%", "-3", "18.20 PH/s", "18.17 to 18.23 PH/s", "319 to 321"),
            *("7 d 17 h", "0 s", "88,489,355 sat", "0.11% ±0.02%", "10⁻¹⁸⁵"),
        ],
    )
    def test_amounts_and_durations_stand_right(self, cell: str) -> None:
        assert is_number(cell)

    @pytest.mark.parametrize("cell", ["2021-06-19T01:00:00Z", "sc-r00", "12 machines", "move 7 d 17 h", "10", "1 to b"])
    def test_times_names_and_words_stand_left(self, cell: str) -> None:
        assert is_number(cell) == (cell == "10")

    def test_one_that_says_nothing_in_any_row_is_left_out(self) -> None:
        table = Table("t", ("a", "warning", "b"), (("", "", "1"), ("", "", "")), "note")
        assert with_columns_that_say_something(table) == Table("t", ("a", "b"), (("", "1"), ("", "")), "note")
        empty = Table("t", ("a", "b"), ())
        assert with_columns_that_say_something(empty) is empty


class TestPapers:
    def test_each_report_has_one_with_its_main_figures(self) -> None:
        day = Span(ON_MS, ON_MS + DAY_MS)
        made: dict[str, Made] = {
            "88,489,355": story(),
            "18.20 PH/s": commissioning(known(NOW_MS), day),
            "1,040.0": power(known(NOW_MS), [ON_MS, ON_MS + HOUR_MS]),
            "Downtime of bit": downtime(known(NOW_MS), day, "bit", []),
            "The clock ran": uptime(known(NOW_MS), day, "kz-jv", []),
            "0 machines": weak(known(NOW_MS), []),
        }
        for figure, each in made.items():
            assert figure in "\n".join(text(paper_of(each)))
            assert figure in html(paper_of(each))

    def test_a_line_of_a_chart_goes_on_to_the_end_of_the_time(self) -> None:
        (chart,) = paper_of(power(known(NOW_MS), [ON_MS, ON_MS + HOUR_MS])).charts[:1]
        assert chart.lines[0].points == ((ON_MS, 1_040_000), (ON_MS + HOUR_MS, 1_040_000))
        report = story()
        (chart,) = paper_of(report).charts
        assert {line.points[-1][0] for line in chart.lines} == {report.phases[-1].to_ms}

    def test_power_begins_with_all_sites_and_ends_with_the_hours(self) -> None:
        paper = paper_of(power(known(NOW_MS), [ON_MS, ON_MS + HOUR_MS, ON_MS + 2 * HOUR_MS]))
        assert (paper.tables[0].title, paper.tables[-1].title[-7:]) == ("Sites", "by hour")
        told = dict(zip(paper.tables[0].columns, paper.tables[0].rows[0], strict=True))
        assert (told["site"], told["drawn kW"], told["capacity kW"]) == ("almaty", "1,040.0", "20,000.0")
        assert (told["of capacity"], told["stranded kWh"]) == ("5.20%", "1,920")

    def test_one_cause_is_named_without_the_time_that_stands_beside_it(self) -> None:
        day = Span(ON_MS, ON_MS + DAY_MS)
        darks = [Dark(LOGINS[0], ON_MS + HOUR_MS, ON_MS + 4 * HOUR_MS)]
        *_, machines = paper_of(downtime(known(NOW_MS, darks=darks), day, "bit", [])).tables
        assert [row[-1] for row in machines.rows] == ["fault"]

    def test_a_long_list_of_machines_says_how_many_are_left_out(self) -> None:
        report = story()
        (machines,) = [table for table in paper_of(report).tables if table.title == "Machines that were dark"]
        assert len(machines.rows) == 320
