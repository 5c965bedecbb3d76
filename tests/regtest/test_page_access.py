"""Who sees what, in Debian's Chromium on a pool as it is by default: login, lock-out, watcher's link."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from pool.access.lockout import FREE_FAILURES
from pool.demo import EVERY_PART
from pool.node.private import PrivateNode
from tests.browser.looks import cut, violations
from tests.regtest.test_page import Visit, browser
from tests.regtest.whole_pool import WholePool, eventually

__all__ = ["browser"]

PASSWORD = "correct horse battery"
SIZES = [(1440, "light"), (390, "dark")]


def steppe(it: WholePool, *words: str, typed: str = "") -> str:
    """What a command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "pool", *words, "-c", str(it.config_path)],
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def the_pool(regtest_node: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholePool]:
    it = WholePool(tmp_path_factory.mktemp("pool"), regtest_node, "regtest")
    text = it.config_path.read_text().replace("0.0001", "1e-9").replace(f"public = {EVERY_PART}\n", "")
    it.config_path.write_text(text)
    for name in ("alice", "bob"):
        it.add_account(name, "pplns", 100)
    steppe(it, "operator", "password", "anna", typed=PASSWORD + "\n")
    it.start()
    for name in ("alice", "bob"):
        it.mine(f"{name}.rig", shares=1, rate_hps=20)
    eventually("a block", lambda: it.blocks("immature"))
    yield it
    assert it.stop() == 0


@pytest.fixture
def stranger(browser: Browser, the_pool: WholePool) -> Iterator[Visit]:
    visit = Visit(browser, the_pool.http_port)
    yield visit
    visit.page.close()


@pytest.fixture
def operator(browser: Browser, the_pool: WholePool) -> Iterator[Visit]:
    """At the operators' listener, not in yet."""
    visit = Visit(browser, the_pool.admin_port)
    yield visit
    visit.page.close()


def log_in(visit: Visit, name: str, secret: str, field: str) -> None:
    page = visit.page
    page.get_by_label("Name" if field == "Password" else "Account", exact=True).fill(name)
    page.get_by_label(field).fill(secret)
    page.get_by_role("button", name="Log in").click()


class TestStranger:
    def test_sees_the_pool_and_is_told_what_needs_a_login(self, stranger: Visit) -> None:
        stranger.to("")
        page = stranger.to("workers")
        expect(page.get_by_role("heading", name="This needs a login")).to_be_visible()
        assert "alice" not in (page.text_content("body") or "")

    def test_sees_blocks_without_their_finders(self, stranger: Visit) -> None:
        page = stranger.to("blocks")
        expect(page.locator(".total")).to_contain_text("block")
        assert "alice" not in (page.text_content("body") or "")


class TestOperator:
    def test_logs_in_makes_a_watchers_link_and_ends_it(
        self, browser: Browser, the_pool: WholePool, operator: Visit
    ) -> None:
        page = operator.to("login")
        log_in(operator, "anna", PASSWORD, "Password")
        page.get_by_role("link", name="Access").click()
        page.get_by_label("Name, for whom").fill("noc")
        page.get_by_label("Sees").fill("account:alice")
        page.get_by_role("button", name="Make it").click()
        path = page.locator(".made code").text_content()
        assert path is not None

        watcher = Visit(browser, the_pool.http_port)
        watcher.page.goto(watcher.root + path.removeprefix("/"))
        expect(watcher.page).to_have_url(f"{watcher.root}#/workers")
        expect(watcher.page.get_by_role("link", name="alice.rig")).to_be_visible()
        expect(watcher.page.get_by_role("link", name="bob.rig")).to_have_count(0)
        expect(watcher.page.get_by_role("link", name="Access")).to_have_count(0)
        assert "steppe-watch-" not in "".join(watcher.asked)

        page.get_by_role("button", name="Revoke: link noc").click()
        dialog = page.get_by_role("dialog", name="Revoke")
        expect(dialog).to_contain_text("1 browser that is in by it is cut off within seconds")
        expect(watcher.page.get_by_role("link", name="alice.rig")).to_be_visible()
        dialog.get_by_role("button", name="Revoke").click()
        expect(page.get_by_role("button", name="Revoke: link noc")).to_have_count(0)
        expect(watcher.page.get_by_role("heading", name="This needs a login")).to_be_visible(timeout=20_000)
        watcher.page.close()

        page.get_by_role("link", name="Log", exact=True).click()
        expect(page.get_by_role("rowheader", name="link.revoked").first).to_be_visible()

    def test_logs_out(self, operator: Visit) -> None:
        page = operator.to("login")
        log_in(operator, "anna", PASSWORD, "Password")
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("link", name="Log in")).to_be_visible()
        operator.to("workers")
        expect(page.get_by_role("heading", name="This needs a login")).to_be_visible()

    def test_comes_in_by_the_link_that_a_command_prints(self, the_pool: WholePool, operator: Visit) -> None:
        operator.page.goto(steppe(the_pool, "operator", "link").strip())
        expect(operator.page.get_by_role("link", name="Access")).to_be_visible()
        expect(operator.page).to_have_url(f"{operator.root}#/")


class TestOwner:
    def test_sees_the_own_account(self, the_pool: WholePool, stranger: Visit) -> None:
        key = steppe(the_pool, "access", "make", "key", "alice").strip()
        page = stranger.to("accounts")
        log_in(stranger, "alice", key, "Key")
        expect(page.get_by_role("link", name="alice")).to_be_visible()
        page.get_by_role("link", name="alice").click()
        expect(page.get_by_role("heading", name="Accounts / alice")).to_be_visible()
        expect(page.locator("main")).to_contain_text("Immature")
        assert "bob" not in (page.text_content("body") or "")
        stranger.to("payouts")
        expect(page.locator("main")).to_contain_text("this is about more than that")


class TestAccessible:
    @pytest.mark.parametrize(("width", "scheme"), SIZES)
    @pytest.mark.parametrize("path", ["login", "access", "log"])
    def test_every_page_of_access_is(
        self, browser: Browser, the_pool: WholePool, path: str, width: int, scheme: str
    ) -> None:
        size = {"width": width, "height": 844}
        visit = Visit(browser, the_pool.admin_port, viewport=size, color_scheme=scheme)
        page = visit.to("login")
        if path != "login":
            log_in(visit, "anna", PASSWORD, "Password")
            expect(page.get_by_role("button", name="Log out")).to_be_visible()
            visit.to(path)
        assert violations(page) == []
        assert cut(page) == []
        assert visit.complaints == []
        page.close()


class TestLockout:
    def test_after_too_many_failures_the_page_says_how_long_to_wait(self, the_pool: WholePool, operator: Visit) -> None:
        page = operator.to("login")
        for _ in range(FREE_FAILURES):
            log_in(operator, "bert", "wrong password", "Password")
            expect(page.get_by_role("alert")).to_contain_text("wrong")
            expect(page.get_by_role("button", name="Log in")).to_be_enabled()
        log_in(operator, "bert", "wrong password", "Password")
        expect(page.get_by_role("alert")).to_contain_text("Too many wrong attempts: this is locked for")
        expect(page.get_by_role("alert")).to_contain_text("steppe operator link")
