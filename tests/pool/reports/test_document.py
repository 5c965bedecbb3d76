"""pool.reports.document and pool.reports.papers."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from pool.reports.document import Chart, Document, Line, Table, html, text
from pool.reports.facts import Span
from pool.reports.losses import downtime
from pool.reports.papers import Made, paper_of
from pool.reports.power import power
from pool.reports.progress import commissioning
from pool.reports.uptime import uptime
from pool.reports.weak import weak
from tests.pool.reports.kazakhstan import DAY_MS, HOUR_MS, ON_MS, known
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
        assert "<dd>planned 2021-06-19 01:00 UTC</dd>" in page

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

    def test_a_table_without_rows_says_none(self) -> None:
        assert "<p>None.</p>" in html(PAPER)


class TestText:
    def test_columns_stand_under_each_other(self) -> None:
        paper = Document("t", (), (Table("rows", ("a", "long name"), (("longer", "1"),)),))
        assert list(text(paper))[-2:] == ["  a       long name", "  longer  1"]


class TestPapers:
    def test_each_report_has_one_with_its_main_figures(self) -> None:
        day = Span(ON_MS, ON_MS + DAY_MS)
        made: dict[str, Made] = {
            "88,489,355": story(),
            "18,200,000": commissioning(known(NOW_MS), day),
            "1,040,000": power(known(NOW_MS), [ON_MS, ON_MS + HOUR_MS]),
            "Downtime of bit": downtime(known(NOW_MS), day, "bit", []),
            "the clock ran": uptime(known(NOW_MS), day, "kz-jv", []),
            "0 machines": weak(known(NOW_MS), []),
        }
        for figure, each in made.items():
            assert figure in "\n".join(text(paper_of(each)))
            assert figure in html(paper_of(each))

    def test_a_long_list_of_machines_says_how_many_are_left_out(self) -> None:
        report = story()
        (machines,) = [table for table in paper_of(report).tables if table.title == "Machines that were dark"]
        assert len(machines.rows) == 320
