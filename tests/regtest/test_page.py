"""The page as people see it: Debian's Chromium on the running pool."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from pool.node.private import PrivateNode
from tests.browser.looks import cut, violations
from tests.regtest.whole_pool import WAIT_SECONDS_MAX, WholePool, eventually

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",  # tests may run as root, in a container of their own
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PAGES = (
    "",
    "workers",
    "workers/alice.rig",
    "workers?by=rack",
    "workers?by=firmware&account=alice",
    "workers?site=",
    "accounts",
    "accounts/alice",
    "fleets",
    "moves",
    "moves/nowhere",
    "explain/balance/alice",
    "explain/credit/nothing",
    "reports/power",
    "blocks",
    "payouts",
    "job",
    "health",
    "nowhere",
)


@pytest.fixture(scope="module")
def the_pool(regtest_node: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholePool]:
    it = WholePool(tmp_path_factory.mktemp("pool"), regtest_node, "regtest")
    it.config_path.write_text(it.config_path.read_text().replace("0.0001", "1e-9"))
    it.add_account("alice", "pplns", 100)
    it.start()
    it.mine("alice.rig", shares=1, rate_hps=20)
    eventually("a block", lambda: it.blocks("immature"))
    yield it
    assert it.stop() == 0


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.fail(f"there is no {CHROMIUM}; `scripts/setup --test` installs it", pytrace=False)
    # What a page is to show it may show late: the browser and the pool share this machine with other tests.
    expect.set_options(timeout=WAIT_SECONDS_MAX * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


class Visit:
    """A page of the pool, with what the browser complained of and where it asked."""

    def __init__(self, browser: Browser, port: int, **context: Any) -> None:
        self.page: Page = browser.new_page(**context)
        self.root = f"http://127.0.0.1:{port}/"
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def to(self, path: str) -> Page:
        self.page.goto(f"{self.root}#/{path}")
        expect(self.page.locator(".freshness")).to_have_text("Live")
        expect(self.page.locator("main .empty", has_text="Loading")).to_have_count(0)
        return self.page


@pytest.fixture
def visit(browser: Browser, the_pool: WholePool) -> Iterator[Visit]:
    visit = Visit(browser, the_pool.http_port, viewport={"width": 1440, "height": 900})
    yield visit
    visit.page.close()


@pytest.fixture(
    scope="module",
    params=[(width, scheme) for width in (1440, 390) for scheme in ("light", "dark")],
    ids=lambda each: f"{each[0]}-{each[1]}",
)
def window(request: pytest.FixtureRequest, browser: Browser, the_pool: WholePool) -> Iterator[Visit]:
    """One that goes from page to page."""
    width, scheme = request.param
    visit = Visit(browser, the_pool.http_port, viewport={"width": width, "height": 844}, color_scheme=scheme)
    yield visit
    visit.page.close()


class TestEveryPage:
    @pytest.mark.parametrize("path", PAGES)
    def test_it_is_accessible_fits_and_asks_nobody_else(self, window: Visit, path: str) -> None:
        page = window.to(path)
        assert violations(page) == []
        assert cut(page) == []
        assert [url for url in window.asked if not url.startswith(window.root)] == []
        assert [text for text in window.complaints if "404" not in text] == []


class TestLive:
    def test_a_block_appears_without_a_reload(self, visit: Visit, the_pool: WholePool) -> None:
        page = visit.to("blocks")
        before = len(the_pool.blocks())
        expect(page.locator(".total")).to_have_text(f"{before} block{'' if before == 1 else 's'}")
        the_pool.mine("alice.rig", shares=1, rate_hps=20)
        expect(page.locator(".total")).to_have_text(f"{before + 1} blocks")

    def test_the_page_says_when_the_web_role_is_gone_and_goes_on_when_it_is_back(
        self, visit: Visit, the_pool: WholePool
    ) -> None:
        page = visit.to("")
        the_pool.kill("web")
        expect(page.get_by_role("alert")).to_contain_text("does not answer")
        expect(page.locator(".freshness")).to_have_text("Live")


class TestWhoIsPaid:
    def test_the_page_names_the_address_of_the_configuration(self, visit: Visit, the_pool: WholePool) -> None:
        page = visit.to("job")
        expect(page.locator("main")).to_contain_text(the_pool.config.pool.payout_address)
        expect(page.locator("main")).to_contain_text("All of it goes to the pool")


class TestGroups:
    def test_machines_are_grouped_by_what_they_run_and_a_group_leads_to_them(self, visit: Visit) -> None:
        page = visit.to("workers")
        page.get_by_label("Group by").select_option("firmware")
        expect(page.get_by_role("heading", name="Workers by firmware")).to_be_visible()
        page.get_by_role("link", name="not known").click()  # its miner was gone before anybody looked
        expect(page.get_by_title("Remove this filter")).to_contain_text("firmware: none")
        expect(page.get_by_role("link", name="alice.rig")).to_be_visible()


class TestStatement:
    def test_the_page_of_an_account_gives_its_statement(self, visit: Visit, the_pool: WholePool) -> None:
        page = visit.to("accounts/alice")
        with page.expect_download() as found:
            page.get_by_role("link", name="statement as CSV").click()
        assert found.value.suggested_filename == "statement-alice.csv"
        assert found.value.path().read_text().startswith("time,kind,")


class TestKeyboard:
    def test_a_worker_is_found_and_opened_without_a_mouse(self, visit: Visit) -> None:
        page = visit.to("workers")
        page.keyboard.press("/")
        page.keyboard.type("RIG")
        expect(page).to_have_url(f"{visit.root}#/workers?q=RIG")
        page.get_by_role("link", name="alice.rig").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Workers / alice.rig")).to_be_visible()

    def test_the_bar_can_be_skipped(self, visit: Visit) -> None:
        page = visit.to("")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.tagName") == "MAIN"
