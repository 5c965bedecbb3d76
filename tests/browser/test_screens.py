"""Every screen of the preview, in Debian's Chromium: accessible, nothing cut, nothing too small for a finger."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Literal

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Page, expect

from pool.reports.document import Document, html
from pool.reports.facts import Span
from pool.reports.progress import commissioning
from pool.reports.tables import batches_table
from tests.browser.looks import cut, small, violations
from tests.browser.screens import HEIGHT, SCREENS, Preview, Screen, entered, previewed, shown
from tests.pool.reports.kazakhstan import DAY_MS, ON_MS, known
from tests.regtest.test_page import browser

__all__ = ["browser"]

SCHEMES: dict[int, Literal["light", "dark"]] = {1440: "light", 390: "dark"}
"""By the width of a window."""


@pytest.fixture(scope="module")
def preview_of() -> Iterator[Callable[[str], Preview]]:
    """A preview by its scene, started when it is first asked for."""
    started: dict[str, Preview] = {}
    with ExitStack() as stack:

        def preview(scene: str) -> Preview:
            if scene not in started:
                started[scene] = stack.enter_context(previewed(scene))
            return started[scene]

        yield preview


PAPER_PX = 718
"""A4, 210 mm at 96 px an inch, between margins of 10 mm."""

BAR_PX = 100
"""Two lines of a bar, and not three."""

Visited = Callable[[Screen, int], Page]

_SEEN = """seen => {
  Object.defineProperty(document, 'hidden', { value: !seen, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
}"""


@pytest.fixture(scope="module")
def visited(browser: Browser, preview_of: Callable[[str], Preview]) -> Iterator[Visited]:
    """A screen in a window of a width. Who came in once, with a window, stays; a browser without a screen takes every
    window for one that is looked at, and all would be drawn each second."""
    pages: dict[tuple[str, str, int], Page] = {}
    in_sight: list[Page] = []

    def visit(screen: Screen, width: int) -> Page:
        preview, key = preview_of(screen.scene), (screen.scene, screen.who, width)
        if key not in pages:
            scheme = SCHEMES.get(width, "light")
            pages[key] = browser.new_page(viewport={"width": width, "height": HEIGHT}, color_scheme=scheme)
            entered(pages[key], preview.root(screen.who), screen.who, preview.link)
        if in_sight != [pages[key]]:
            for page in in_sight:
                page.evaluate(_SEEN, False)
            pages[key].evaluate(_SEEN, True)
            in_sight[:] = [pages[key]]
        if pages[key].get_by_role("dialog").count():
            pages[key].keyboard.press("Escape")
        shown(pages[key], preview.root(screen.who), screen)
        return pages[key]

    yield visit
    for page in pages.values():
        page.close()


@pytest.mark.parametrize("screen", SCREENS, ids=[each.name for each in SCREENS])
def test_it_is_accessible_and_nothing_is_cut_or_too_small(visited: Visited, screen: Screen) -> None:
    for width in SCHEMES:
        page = visited(screen, width)
        assert violations(page) == []
        assert cut(page) == []
        assert small(page) == []


# Between a phone and a desk nothing else is tested; a bar of eleven parts has to go somewhere.
@pytest.mark.parametrize("width", [320, 600, 700, 820, 1024, 1180, 1264, 1265])
def test_an_operators_bar_fits_any_width(visited: Visited, width: int) -> None:
    assert cut(visited(Screen("account", "accounts/texas-2", "full", "operator"), width)) == []


class TestWords:
    @pytest.mark.parametrize("screen", [each for each in SCREENS if each.scene == "away"], ids=lambda each: each.name)
    def test_what_cannot_be_known_is_not_told_as_none(self, visited: Visited, screen: Screen) -> None:
        text = visited(screen, 1440).locator("main").inner_text()
        for told in ("No miner", "No account", "No block", "No site", "No share", "Nothing was paid", "every worker"):
            assert told not in text

    def test_the_open_part_is_in_sight_on_a_phone(self, visited: Visited) -> None:
        for screen in [each for each in SCREENS if each.name in ("overview", "fleets", "payout", "health")]:
            page = visited(screen, 390)
            box = page.locator("nav [aria-current]").bounding_box()
            assert box is not None
            assert 0 <= box["x"] <= 390 - box["width"], screen.name

    def test_the_bar_has_two_lines_on_a_phone_whatever_stands_in_it(self, visited: Visited) -> None:
        for screen in [
            each for each in SCREENS if each.name in ("overview", "operator-trouble-moves", "watcher-blocks")
        ]:
            box = visited(screen, 390).locator("header").bounding_box()
            assert box is not None
            assert box["height"] < BAR_PX, screen.name

    def test_a_watcher_has_only_what_is_theirs_in_the_bar(self, visited: Visited) -> None:
        page = visited(Screen("workers", "workers", "closed", "watcher"), 1440)
        titles = page.locator("nav a").all_inner_texts()
        assert titles == ["Overview", "Workers", "Blocks", "Who is paid", "Health"]

    def test_a_watcher_of_a_site_is_not_told_that_a_block_has_no_credits_nor_led_to_accounts(
        self, visited: Visited
    ) -> None:
        for screen in [each for each in SCREENS if each.name in ("watcher-block", "watcher-worker")]:
            main = visited(screen, 1440).locator("main")
            if screen.name == "watcher-block":
                expect(main).to_contain_text(re.compile(r"It has \d+ credits, told to whose they are"))
            else:
                expect(main).to_contain_text("Account")
            expect(main.locator("a[href*=accounts]")).to_have_count(0)

    def test_a_maintenance_is_told_where_trouble_is(self, visited: Visited) -> None:
        for path in ("", "health"):
            page = visited(Screen("trouble", path, "trouble"), 1440)
            expect(page.locator("main .notice").first).to_contain_text("messages and alerts are silent")

    def test_a_new_pool_says_how_its_first_miner_connects(self, visited: Visited) -> None:
        hint = visited(Screen("empty", "", "empty"), 1440).locator("main .notice.calm")
        expect(hint).to_contain_text("No share has come yet. Miners connect to stratum+tcp://")
        expect(visited(Screen("overview", "", "full"), 1440).locator("main .notice.calm")).to_have_count(0)

    def test_names_of_checks_lead_to_more(self, visited: Visited) -> None:
        for path in ("", "health"):
            page = visited(Screen("trouble", path, "trouble"), 1440)
            page.get_by_role("link", name="Fleet", exact=True).click()
            expect(page.get_by_role("heading", name="Dark, and should hash")).to_be_visible()


class TestTables:
    @pytest.mark.parametrize(
        "path", ["workers?by=site", "workers?by=firmware", "workers?by=rack&q=rack-1&per_page=250"]
    )
    def test_groups_have_a_sum_of_all_that_are_found(self, visited: Visited, path: str) -> None:
        groups = visited(Screen("groups", path, "full"), 1440).locator("main table")
        cells = groups.locator("td:nth-child(6)").all_inner_texts()  # shares accepted
        *parts, total = [int(cell.replace(",", "")) for cell in cells]
        assert len(parts) > 1
        assert total == sum(parts)
        expect(groups.locator("tfoot")).to_contain_text("PH/s")

    def test_one_group_has_no_sum(self, visited: Visited) -> None:
        page = visited(Screen("groups", "workers?by=site&q=ganzi", "full"), 1440)
        expect(page.locator("main tbody tr")).to_have_count(1)
        expect(page.locator("main tfoot")).to_have_count(0)

    def test_on_a_phone_the_names_stay_in_sight_while_the_numbers_are_pushed_aside(self, visited: Visited) -> None:
        page = visited(Screen("workers", "workers", "full"), 390)
        frame = page.get_by_role("region", name="Workers", exact=True)
        names = page.locator("main tbody th").first
        before = names.evaluate("each => each.getBoundingClientRect().x")
        frame.focus()
        frame.evaluate("each => { each.scrollLeft = each.scrollWidth }")
        expect(page.get_by_role("columnheader", name="Last share")).to_be_in_viewport()
        assert names.evaluate("each => each.getBoundingClientRect().x") == before

    def test_the_log_is_searched_by_keyboard_and_its_address_says_for_what(self, visited: Visited) -> None:
        page = visited(Screen("log", "log", "full", "operator"), 1440)
        page.locator("body").press("/")
        expect(page.get_by_role("searchbox", name="Search the log")).to_be_focused()
        page.keyboard.type("anna ganzi")
        expect(page.locator("main tbody tr")).to_have_count(1)
        expect(page.locator(".total")).to_have_text(re.compile(r"^1 of \d+ entries$"))
        expect(page).to_have_url(re.compile(r"#/log\?q=anna\+ganzi$"))
        page.get_by_role("searchbox").fill("")
        page.get_by_role("combobox", name="Result").select_option("refused")
        expect(page.locator("main tbody tr")).to_have_count(1)
        expect(page.locator("main tbody tr")).to_contain_text("refused: name or password is wrong")
        expect(page).to_have_url(re.compile(r"#/log\?result=refused$"))


class TestReports:
    @pytest.fixture
    def power(self, visited: Visited) -> Page:
        return visited(Screen("power", "reports/power", "full"), 1440)

    def test_a_chart_says_what_its_lines_have_where_one_points(self, power: Page) -> None:
        power.locator(".plot .u-over").first.hover()
        expect(power.locator(".keys").first).to_contain_text("capacity 20.0 MW")
        expect(power.locator(".keys").first).to_contain_text("at 2021-06-27")

    def test_of_what_and_of_which_time_a_report_is_stands_in_its_address(self, power: Page) -> None:
        time = power.get_by_role("combobox", name="Time")
        power.get_by_role("combobox", name="Site").select_option("ganzi")
        expect(power).to_have_url(re.compile(r"\?site=ganzi$"))
        time.select_option("Last month")
        expect(time).to_have_value("chosen")
        expect(power).to_have_url(re.compile("site=ganzi&from=20"))
        to_print = power.get_by_role("link", name="To print")
        expect(to_print).to_have_attribute("href", re.compile("site=ganzi&from=20"))
        time.select_option("Last day")
        expect(time).to_have_value("")
        expect(power).to_have_url(re.compile(r"\?site=ganzi$"))

    def test_power_of_all_sites_is_summed_up(self, power: Page) -> None:
        sites = power.get_by_role("region", name="Sites", exact=True)
        expect(sites.get_by_role("row", name="all")).to_contain_text("60,000.0")

    def test_a_machine_leads_to_its_own_page(self, visited: Visited) -> None:
        page = visited(Screen("weak", "reports/weak", "full"), 1440)
        expect(page.get_by_role("link", name="bit.sc-r00-07")).to_have_attribute("href", "#/workers/bit.sc-r00-07")


class TestCards:
    @pytest.mark.parametrize("title", ["Sites", "Batches", "Contracts", "Assignments"])
    def test_on_a_phone_a_short_table_needs_no_scrolling_and_stays_a_table(self, visited: Visited, title: str) -> None:
        page = visited(Screen("fleets", "fleets", "full"), 390)
        frame = page.get_by_role("region", name=title, exact=True)
        assert frame.evaluate("each => each.scrollWidth <= each.clientWidth")
        assert frame.get_by_role("rowheader").count() == frame.get_by_role("row").count() - 1
        assert frame.get_by_role("columnheader").count() >= 4

    def test_a_site_has_what_works_there_now_and_all_have_a_sum(self, visited: Visited) -> None:
        page = visited(Screen("fleets", "fleets", "full"), 1440)
        sites = page.get_by_role("region", name="Sites", exact=True)
        expect(sites.get_by_role("link", name="ganzi")).to_have_attribute("href", "#/workers?site=ganzi")
        expect(sites.get_by_role("row", name="ganzi")).to_contain_text("of 134")
        expect(sites.get_by_role("row", name="All")).to_contain_text("of 400")


class TestPaper:
    @pytest.mark.parametrize("name", ["overview", "workers", "workers-by-rack", "account", "move", "block", "payout"])
    def test_a_page_prints_light_and_whole_and_without_its_bar(
        self, browser: Browser, preview_of: Callable[[str], Preview], name: str
    ) -> None:
        (screen,) = [each for each in SCREENS if each.name == name]
        page = browser.new_page(viewport={"width": PAPER_PX, "height": HEIGHT}, color_scheme="dark")
        shown(page, preview_of("full").root("nobody"), screen)
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(27, 33, 30)"
        expect(page.get_by_role("navigation")).to_be_hidden()
        assert cut(page) == []
        page.close()

    @pytest.mark.parametrize("path", ["relocation?move=ganzi-out&", "commissioning?", "power?", "downtime?", "weak?"])
    def test_a_report_to_print_fits_its_paper(
        self, browser: Browser, preview_of: Callable[[str], Preview], path: str
    ) -> None:
        page = browser.new_page(viewport={"width": PAPER_PX, "height": HEIGHT})
        page.goto(f"{preview_of('full').root('nobody')}api/v1/reports/{path}form=html")
        page.emulate_media(media="print")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.close()

    def test_the_widest_table_fits_its_paper_with_all_its_columns(self, browser: Browser) -> None:
        measured = commissioning(known(ON_MS + DAY_MS), Span(ON_MS, ON_MS + DAY_MS)).batches
        batches = [
            replace(
                each,
                batch="kz-ekibastuz/main/2021-q2",
                low_ghs=18_170_000,
                high_ghs=18_230_000,
                planned_ms=ON_MS,
                forecast_ms=ON_MS,
            )
            for each in measured
        ]
        page = browser.new_page(viewport={"width": PAPER_PX, "height": HEIGHT})
        page.set_content(html(Document("Commissioning", (), (batches_table(batches),))))
        page.emulate_media(media="print")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.close()


class TestCut:
    @pytest.fixture
    def page(self, browser: Browser) -> Iterator[Page]:
        page = browser.new_page(viewport={"width": 390, "height": HEIGHT})
        yield page
        page.close()

    def test_words_that_do_not_fit_are_found(self, page: Page) -> None:
        page.set_content(
            '<div id="page"><p style="width:2em;overflow:hidden;white-space:nowrap">eight hundred</p></div>'
        )
        assert cut(page) == ["P : eight hundred"]

    def test_a_page_that_is_wider_than_its_window_is_found(self, page: Page) -> None:
        page.set_content('<div id="page" style="width:500px">wide</div>')
        assert cut(page) == ["the page, by 118 px"]

    def test_a_button_that_a_finger_misses_is_found(self, page: Page) -> None:
        page.set_content(
            '<button style="height:12px;padding:0">small</button><button style="height:30px">good</button>'
        )
        assert small(page) == ["BUTTON small"]
