"""What takes away something for good asks first, and what is shown on demand, in Debian's Chromium on the preview."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.looks import cut, small, violations
from tests.browser.screens import HEIGHT, entered, previewed
from tests.regtest.test_page import browser

__all__ = ["browser"]

SHOW_PAYMENTS = "Show the payments of the last 90 days"
LINK = "Revoke: link noc-almaty, 2"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """The page of access, as an operator has it."""
    with previewed("full") as preview:
        page = browser.new_page(viewport={"width": 1440, "height": HEIGHT})
        entered(page, preview.root("operator"), "operator", preview.link)
        page.get_by_role("link", name="Access").click()
        expect(page.get_by_role("button", name=LINK)).to_be_visible()
        yield page
        page.close()


def asked(page: Page) -> Locator:
    """The dialog, opened by keyboard."""
    page.get_by_role("button", name=LINK).focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Revoke", exact=True)
    expect(dialog).to_be_visible()
    return dialog


class TestRevoke:
    def test_says_what_it_is_and_who_is_cut_off(self, page: Page) -> None:
        dialog = asked(page)
        for words in (
            "watcher's link, number 2",
            "noc-almaty",
            "site:ekibastuz",
            "Last used",
            "No browser is in by it",
        ):
            expect(dialog).to_contain_text(words)

    @pytest.mark.parametrize("keys", [["Escape"], ["Enter"]], ids=["Escape", "Enter, where the focus is at first"])
    def test_leaves_it_and_gives_the_focus_back(self, page: Page, keys: list[str]) -> None:
        dialog = asked(page)
        expect(dialog.get_by_role("button", name="Leave it")).to_be_focused()
        for key in keys:
            page.keyboard.press(key)
        expect(dialog).to_have_count(0)
        expect(page.get_by_role("button", name=LINK)).to_be_focused()

    def test_is_done_once_it_is_confirmed_and_the_focus_is_on_no_other_button(self, page: Page) -> None:
        dialog = asked(page)
        dialog.get_by_role("button", name="Revoke", exact=True).press("Enter")
        said = page.get_by_role("status").filter(has_text="Done: watcher's link noc-almaty is revoked.")
        expect(said).to_be_focused()
        expect(page.get_by_role("button", name=LINK)).to_have_count(0)

    @pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
    def test_is_accessible_and_nothing_is_cut(self, page: Page, width: int, scheme: str) -> None:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        asked(page)
        assert violations(page) == []
        assert cut(page) == []
        assert small(page) == []


class TestNames:
    def suggested(self, field: Locator) -> list[str]:
        """The names that a field suggests."""
        expect(field).to_have_role("combobox")
        names = "each => [...each.list.options].map(option => option.value)"
        field.page.wait_for_function("each => each.list.options.length > 0", arg=field.element_handle())
        return list(field.evaluate(names))

    def test_that_the_page_knows_are_suggested_for_a_move(self, page: Page) -> None:
        page.goto(page.url.partition("#")[0] + "#/moves")
        page.get_by_role("button", name="Plan a move").click()
        dialog = page.get_by_role("dialog")
        for label, name in {
            "Account: whose machines": "texas-2",
            "Which workers": "rack-*",
            "From site or region": "ganzi",
            "To site or region": "ekibastuz",
        }.items():
            assert name in self.suggested(dialog.get_by_label(label)), label

    def test_are_suggested_for_what_lets_others_in(self, page: Page) -> None:
        sees = self.suggested(page.get_by_label("Sees:"))
        assert {"pool", "account:texas-2", "site:ganzi", "fleet:sichuan-fleet/main"} <= set(sees)
        page.locator("form.wide select").select_option("key")
        assert "texas-2" in self.suggested(page.get_by_label("Account", exact=True))


def test_workers_that_came_on_elsewhere_are_confirmed_once_for_each_account(browser: Browser) -> None:
    with previewed("trouble") as preview:
        page = browser.new_page(viewport={"width": 1440, "height": HEIGHT})
        entered(page, preview.root("operator"), "operator", preview.link)
        page.goto(f"{preview.root('operator')}#/moves")
        accounts = page.get_by_role("region", name="Came on elsewhere without a move")
        expect(accounts.get_by_role("button")).to_have_text(["Confirm texas-2", "Confirm sichuan-fleet"])
        expect(accounts.get_by_role("row", name="All")).to_contain_text("6")
        workers = page.get_by_role("region", name="Which workers these are")
        expect(workers.get_by_role("rowheader")).to_have_count(6)
        expect(workers.get_by_role("button")).to_have_count(0)
        accounts.get_by_role("button", name="Confirm texas-2").click()
        expect(page.get_by_role("dialog")).to_contain_text("all 3 that are told of")
        page.close()


def test_payments_of_an_account_are_shown_when_they_are_asked_for(page: Page) -> None:
    page.goto(page.url.partition("#")[0] + "#/accounts/texas-2")
    page.get_by_role("button", name=SHOW_PAYMENTS).click()
    shown = page.get_by_role("region", name="Payments")
    expect(shown.get_by_role("rowheader")).to_have_text(["2", "1"])
    expect(shown).to_contain_text("9.60099546")
    expect(page.locator("main")).to_contain_text("Together 19.20199091 BTC since")
    expect(shown.get_by_role("link", name="2")).to_have_attribute("href", "#/payouts/2")


def test_every_button_of_an_operator_that_changes_something_opens_a_dialog(page: Page) -> None:
    """Those that do not ask: Make it, which takes nothing from anybody; Log out; what sorts, turns pages and shows."""
    harmless = ("Make it", "Log out", "Skip to the content", "1 hour", "24 hours", "7 days", "30 days", SHOW_PAYMENTS)
    root = page.url.partition("#")[0]
    for path in ("", "accounts", "accounts/texas-2", "moves", "moves/ganzi-out", "blocks", "payouts", "payouts/4"):
        page.goto(f"{root}#/{path}")
        expect(page.locator("main .empty", has_text="Loading")).to_have_count(0)
        for button in page.locator("button:not([aria-haspopup=dialog]):not(thead button, .pager button)").all():
            assert button.inner_text() in harmless, (path, button.inner_text())
