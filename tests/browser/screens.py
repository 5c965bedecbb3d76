"""Pictures of every page in both colour schemes, on a desk and on a phone, to be looked at: the preview's pool as it is
when all is well, in trouble, before its first miner, without Redis and SQL, and behind a login.

`python -m tests.browser.screens FOLDER [WORD]...` writes FOLDER/NAME-light-1440.png and so on; with words, only of
screens whose names have one of them. Prints what axe finds, what is cut, and what a finger would miss.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Literal

from msgspec import Struct
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.looks import cut, small, violations
from tests.browser.sample import PASSWORD
from tests.regtest.test_page import CHROMIUM, FLAGS

WORKERS = 400
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTHS = (1440, 390)
HEIGHT = 900
DRAWN_MS = 250  # what a chart and a transition take
# Preact's come behind the next frame: one has the open part of the bar pushed into sight.
_EFFECTS_DONE = "() => new Promise(done => setTimeout(() => requestAnimationFrame(() => setTimeout(done))))"


class Screen(Struct, frozen=True):
    """A page in a scene. who: nobody, watcher, operator, or stranger at the operators' door. press: the button
    whose dialog is open."""

    name: str
    path: str
    scene: str = "full"
    who: str = "nobody"
    press: str = ""


def _pages() -> Iterator[Screen]:
    worker = "workers/sichuan-fleet.rack-01-2"
    block = f"blocks/{1 + 0x4A51C07:064x}"
    for name, path in {
        "overview": "",
        "workers": "workers",
        "workers-found": "workers?q=rack-03&sort=hashrate_5m&order=desc",
        "workers-none": "workers?q=nothing-like-this",
        "workers-by-site": "workers?by=site",
        "workers-by-rack": "workers?by=rack",
        "workers-by-firmware": "workers?by=firmware&account=sichuan-fleet",
        "worker": worker,
        "worker-unknown": "workers/nobody.rig",
        "accounts": "accounts",
        "account": "accounts/sichuan-fleet",
        "account-unknown": "accounts/nobody",
        "fleets": "fleets",
        "moves": "moves",
        "move": "moves/ganzi-out",
        "move-draft": "moves/almaty-out",
        "move-closed": "moves/liangshan-out",
        "move-unknown": "moves/nowhere",
        "report-relocation": "reports/relocation?move=ganzi-out",
        "report-commissioning": "reports/commissioning",
        "report-power": "reports/power",
        "report-downtime": "reports/downtime",
        "report-sla": "reports/sla?contract=kz-jv",
        "report-weak": "reports/weak",
        "blocks": "blocks",
        "blocks-orphaned": "blocks?state=orphaned",
        "block": block,
        "block-unknown": "blocks/" + "00" * 32,
        "payouts": "payouts",
        "payout": "payouts/3",
        "explain-credit": f"explain/credit/{1 + 0x4A51C07:064x}:texas-2",
        "explain-payout": "explain/payout/3",
        "explain-balance": "explain/balance/texas-2",
        "explain-reject": "explain/reject/0123456789abcdef:4711",
        "job": "job",
        "health": "health",
        "login": "login",
        "nowhere": "nowhere",
    }.items():
        yield Screen(name, path)
    for name, path in {"overview": "", "health": "health", "moves": "moves", "payouts": "payouts"}.items():
        yield Screen(f"trouble-{name}", path, "trouble")
    yield Screen("trouble-fleets", "fleets", "trouble")
    yield Screen("trouble-job", "job", "trouble")
    parts = ("", "workers", "accounts", "fleets", "moves", "blocks", "payouts", "job", "health")
    for path in parts:
        yield Screen(f"empty-{path or 'overview'}", path, "empty")
        yield Screen(f"away-{path or 'overview'}", path, "away")
    yield Screen("empty-workers-by-rack", "workers?by=rack", "empty")
    yield Screen("closed-workers", "workers", "closed")
    yield Screen("closed-blocks", "blocks", "closed")
    for path in ("", "workers", "accounts", "blocks", "payouts"):
        yield Screen(f"watcher-{path or 'overview'}", path, "closed", "watcher")
    yield Screen("watcher-block", block, "closed", "watcher")
    yield Screen("watcher-worker", "workers/kz-ekibastuz.rack-12-4", "closed", "watcher")
    yield Screen("operator-first-login", "login", "empty", "stranger")
    for name, path, press in (
        ("overview", "", ""),
        ("accounts", "accounts", ""),
        ("account", "accounts/texas-2", ""),
        ("account-plan", "accounts/texas-2", "Change the threshold"),
        ("account-add", "accounts", "Add an account"),
        ("move", "moves/ganzi-out", ""),
        ("move-paused", "moves/aba-out", ""),
        ("move-close", "moves/ganzi-out", "Close it"),
        ("move-plan", "moves", "Plan a move"),
        ("block", block, ""),
        ("payouts", "payouts", ""),
        ("payouts-pay", "payouts", "Pay now"),
        ("payout", "payouts/4", ""),
        ("access", "access", ""),
        ("access-revoke", "access", "Revoke: link noc-almaty, 2"),
        ("log", "log", ""),
        ("in", "login", ""),
    ):
        yield Screen(f"operator-{name}", path, "full", "operator", press)
    yield Screen("operator-trouble-blocks", "blocks", "trouble", "operator")
    yield Screen("operator-trouble-moves", "moves", "trouble", "operator")
    yield Screen("operator-trouble-payouts", "payouts", "trouble", "operator")


SCREENS = tuple(_pages())


class Preview(Struct, frozen=True):
    """Where a preview listens, for everybody and for operators. link: of a watcher."""

    port: int
    admin_port: int
    link: str

    def root(self, who: str) -> str:
        return f"http://127.0.0.1:{self.admin_port if who in ('operator', 'stranger') else self.port}/"


@contextmanager
def previewed(scene: str) -> Iterator[Preview]:
    """A preview that runs."""
    words = [sys.executable, "-m", "tests.browser.preview", "0", str(WORKERS), scene]
    with Popen(words, stdout=PIPE, text=True) as process:
        assert process.stdout is not None
        port, admin_port, *link = process.stdout.readline().split()
        try:
            yield Preview(int(port), int(admin_port), "".join(link))
        finally:
            process.terminate()


def taken(browser: Browser, screens: list[Screen], preview: Preview, folder: Path) -> None:
    """Pictures of screens of one scene and one who looks."""
    who = screens[0].who
    for scheme in SCHEMES:
        for width in WIDTHS:
            page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": HEIGHT})
            root = preview.root(who)
            entered(page, root, who, preview.link)
            for screen in screens:
                shown(page, root, screen)
                page.wait_for_timeout(DRAWN_MS)
                path = folder / f"{screen.name}-{scheme}-{width}.png"
                page.screenshot(path=path, full_page=not screen.press)
                for fault in (*violations(page), *cut(page), *small(page)):
                    print(f"{path.name}: {fault}")
                if screen.press:
                    page.keyboard.press("Escape")
            page.close()


def shown(page: Page, root: str, screen: Screen) -> None:
    """A screen, with everything on it that is asked for."""
    page.goto(f"{root}#/{screen.path}")
    expect(page.locator(".freshness")).to_have_text("Live")
    expect(page.locator("main .empty", has_text="Loading")).to_have_count(0)
    page.evaluate(_EFFECTS_DONE)
    if screen.press:
        page.get_by_role("button", name=screen.press, exact=True).click()
        expect(page.get_by_role("dialog")).to_be_visible()


def entered(page: Page, root: str, who: str, link: str) -> None:
    """Somebody with what they may see."""
    if who == "watcher":
        page.goto(root + link)
        page.get_by_role("button", name="Log out").wait_for()
    if who == "operator":
        page.goto(root + "#/login")
        page.get_by_label("Name", exact=True).fill("operator")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("button", name="Log out").wait_for()


def main(folder: Path, words: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [each for each in SCREENS if not words or any(word in each.name for word in words)]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for scene in dict.fromkeys(each.scene for each in wanted):
            with previewed(scene) as preview:
                for who in dict.fromkeys(each.who for each in wanted if each.scene == scene):
                    chosen = [each for each in wanted if (each.scene, each.who) == (scene, who)]
                    taken(browser, chosen, preview, folder)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
