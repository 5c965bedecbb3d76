"""An operator's orders on the page, in Debian's Chromium on the whole pool: what is pressed is done, or says why."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from pool.node.private import PrivateNode
from tests.browser.looks import cut, violations
from tests.regtest.test_orders_api import EKIBASTUZ, GANZI, SITE, Keys, Office, stranger
from tests.regtest.test_page import Visit, browser
from tests.regtest.test_page_access import PASSWORD, log_in, steppe
from tests.regtest.whole_pool import WholePool, eventually

__all__ = ["browser"]

EXTRA = """\
[payouts]
enabled = true
wallet = "watcher"
signer = "external"
hour_utc = -1

[region]
name = "sichuan"
"""
SIZES = [(1440, "light"), (390, "dark")]


@pytest.fixture(scope="module")
def idle(regtest_node: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> WholePool:
    made = WholePool(tmp_path_factory.mktemp("pool"), regtest_node, "regtest", EXTRA)
    made.config_path.write_text(made.config_path.read_text() + f'endpoint = "127.0.0.1:{made.stratum_port}"\n')
    return made


@pytest.fixture(scope="module")
def keys(idle: WholePool) -> Iterator[Keys]:
    made = Keys(idle.node)
    yield made
    made.close()


@pytest.fixture(scope="module")
def pool(idle: WholePool, keys: Keys) -> Iterator[WholePool]:
    """Paid into a wallet that only watches, with two sites and a mature block of alice's."""
    made = idle
    address = made.config.pool.payout_address
    text = (
        made.config_path.read_text()
        .replace(address, keys.address())
        .replace("difficulty = 0.0001", "difficulty = 1e-9")
    )
    made.config_path.write_text(text)
    made.add_account("alice", "pplns", 100)
    steppe(made, "operator", "password", "anna", typed=PASSWORD + "\n")
    made.start()
    office = Office(made, "payouts", "moves")
    office.order("fleets/import/site.csv", SITE + GANZI + EKIBASTUZ)
    office.order("accounts/alice/address", {"address": stranger(made.node, 1)})
    made.mine("alice.rig", shares=1, rate_hps=20)
    eventually("a credited block", lambda: made.blocks("immature"))
    made.node.mine(101)
    eventually("maturity", lambda: made.blocks("mature"))
    yield made
    assert made.stop() == 0


@pytest.fixture
def operator(browser: Browser, pool: WholePool) -> Iterator[Visit]:
    visit = entered(browser, pool, 1440, "light")
    yield visit
    assert [text for text in visit.complaints if "Failed to load resource" not in text] == []  # but what was refused
    visit.page.close()


def entered(browser: Browser, pool: WholePool, width: int, scheme: str) -> Visit:
    """An operator who is in."""
    visit = Visit(browser, pool.admin_port, viewport={"width": width, "height": 844}, color_scheme=scheme)
    visit.to("login")
    log_in(visit, "anna", PASSWORD, "Password")
    expect(visit.page.get_by_role("button", name="Log out")).to_be_visible()
    return visit


def opened(page: Page, title: str) -> Locator:
    """The dialog of an order."""
    page.get_by_role("button", name=title, exact=True).click()
    dialog = page.get_by_role("dialog", name=title, exact=True)
    expect(dialog).to_be_visible()
    return dialog


def ordered(page: Page, title: str, **fields: str) -> None:
    """Press, fill in by the beginnings of labels, confirm, and see that it was done."""
    dialog = opened(page, title)
    for label, text in fields.items():
        dialog.get_by_label(label.replace("_", " ")).fill(text)
    dialog.get_by_role("button", name=title, exact=True).click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("status").filter(has_text="Done: ")).to_be_visible()


class TestPayouts:
    def test_are_stopped_with_a_reason_and_let_go_on(self, operator: Visit) -> None:
        page = operator.to("payouts")
        ordered(page, "Stop payouts", Why="a wallet is missing")
        expect(page.locator(".notice").first).to_have_text("Payouts are stopped: a wallet is missing")
        expect(page.get_by_role("button", name="Pay now")).to_have_count(0)
        ordered(page, "Let payouts go on", Why="it was found")
        expect(page.get_by_role("button", name="Pay now")).to_be_visible()

    def test_coins_of_the_reserve_are_booked_once_for_a_ticket(self, operator: Visit) -> None:
        page = operator.to("payouts")
        expect(page.locator(".note")).to_have_text("0.00000000 BTC held; nobody is paid per share.")
        for _ in range(2):
            dialog = opened(page, "Fund the reserve")
            dialog.get_by_label("Ticket").fill("R1")
            dialog.get_by_label("Satoshi").fill("5000")
            dialog.get_by_label("They are fees").check()
            dialog.get_by_role("button", name="Fund the reserve").click()
            expect(page.locator(".note")).to_have_text("0.00005000 BTC held; nobody is paid per share.")
        expect(dialog.get_by_role("alert")).to_have_text("ticket R1 was booked before. Nothing was changed.")

    def test_a_batch_goes_out_to_be_signed_and_its_fee_is_raised(
        self, operator: Visit, pool: WholePool, keys: Keys
    ) -> None:
        page = operator.to("payouts")
        dialog = opened(page, "Pay now")
        expect(dialog).to_contain_text("Now 1 account would be paid 49.50000000 BTC")
        expect(dialog.get_by_role("region", name="One by one")).to_contain_text("49.50000000 BTC  alice  bcrt1")
        dialog.get_by_role("button", name="Pay now").click()
        page.get_by_role("link", name="1", exact=True).click()
        dialog = opened(page, "Download the PSBT")
        expect(dialog).to_contain_text("pays 49.50000000 BTC to 1 account. From now on it may be signed")
        with page.expect_download() as found:
            dialog.get_by_role("button", name="Download the PSBT").click()
        assert found.value.suggested_filename == "payout-1.psbt"
        psbt = found.value.path().read_text().strip()
        expect(page.locator("dl.facts")).to_contain_text("exported")

        dialog = opened(page, "Upload the signed PSBT")
        for given, text in ((psbt, "lacks signatures"), (keys.sign(psbt), "")):
            name = "payout-1.psbt"
            dialog.get_by_label("The file that the signer wrote").set_input_files(
                {"name": name, "mimeType": "text/plain", "buffer": given.encode()}
            )
            dialog.get_by_role("button", name="Upload the signed PSBT").click()
            if text:
                expect(dialog.get_by_role("alert")).to_contain_text(text)
        expect(page.get_by_role("status").filter(has_text="Done: payout 1: signed")).to_be_visible()
        expect(page.locator("dl.facts")).to_contain_text("broadcast")
        ordered(page, "Raise the fee", Fee_rate="50")
        expect(page.get_by_role("button", name="Download the PSBT")).to_be_visible()
        newest = pool.get("/api/v1/payouts/1")["attempts"][-1]["txid"]
        log = json.loads(steppe(pool, "access", "log", "--json"))
        assert f"newest={newest}" in next(row["target"] for row in log if row["action"] == "payouts.bump")


class TestBlocks:
    def test_one_is_held_with_a_reason_and_let_go_from_the_list(self, operator: Visit, pool: WholePool) -> None:
        pool.mine("alice.rig", shares=1, rate_hps=20)
        block = eventually("a block that is not mature", lambda: pool.blocks("immature"))[0]
        page = operator.to(f"blocks/{block['hash_hex']}")
        ordered(page, "Hold this block", Why="its fees are too high")
        expect(page.locator(".notice").first).to_have_text("This block is held: its fees are too high")
        page = operator.to("blocks")
        waiting = page.get_by_role("region", name="Blocks that wait for you")
        expect(waiting).to_contain_text("its fees are too high")
        waiting.get_by_role("button").click()
        dialog = page.get_by_role("dialog", name="Let it go")
        dialog.get_by_label("Why").fill("somebody looked")
        dialog.get_by_role("button", name="Let it go").click()
        expect(page.get_by_role("status").filter(has_text="is let go")).to_be_visible()
        expect(waiting).to_have_count(0)


class TestAccounts:
    def test_one_is_added_by_the_keyboard_alone(self, operator: Visit, pool: WholePool) -> None:
        page = operator.to("accounts")
        page.get_by_role("button", name="Add an account").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_label("Name", exact=True)).to_be_focused()
        page.keyboard.type("carol")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status").filter(has_text="account carol is added")).to_be_visible()
        expect(page.get_by_role("button", name="Add an account")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)

    def test_what_is_no_address_is_refused_where_it_was_written_and_a_good_one_is_held(
        self, operator: Visit, pool: WholePool
    ) -> None:
        page = operator.to("accounts/alice")
        dialog = opened(page, "Change the address")
        dialog.get_by_label("New address").fill("hello")
        dialog.get_by_role("button", name="Change the address").click()
        expect(dialog.get_by_role("alert")).to_contain_text("Nothing was changed.")
        dialog.get_by_label("New address").fill(stranger(pool.node, 7))
        dialog.get_by_role("button", name="Change the address").click()
        expect(page.get_by_role("status").filter(has_text="Done: alice: paid to")).to_be_visible()
        addresses = page.get_by_role("region", name="Where it is paid")
        expect(addresses).to_contain_text("on hold")
        ordered(page, "Take back the new address")
        expect(addresses).to_contain_text("taken back")

    def test_its_threshold_and_plan_change(self, operator: Visit) -> None:
        page = operator.to("accounts/alice")
        ordered(page, "Change the threshold", New_threshold="7000")
        expect(page.locator(".note")).to_have_text(
            "It is paid once it has 0.00007000 BTC available: a threshold of its own."
        )
        ordered(page, "Change the plan", Fee_in="50", From="2099-01-01T00:00Z")
        expect(page.get_by_role("region", name="Plans")).to_contain_text("planned")
        ordered(page, "Take back the planned change")
        expect(page.get_by_role("button", name="Change the plan")).to_be_visible()


class TestMoves:
    def test_one_is_tried_planned_started_paused_resumed_rolled_back_and_closed(
        self, operator: Visit, pool: WholePool
    ) -> None:
        page = operator.to("moves")
        dialog = opened(page, "Plan a move")
        for label, text in {
            "Name of the move": "ganzi-out",
            "Account: whose machines": "alice",
            "From site or region": "ganzi",
            "To site or region": "ekibastuz",
            "Pace": "20/min",
            "When the old site goes dark": "2099-01-01T09:00+08:00",
            "New endpoint": "kz.pool.example:3333",
        }.items():
            dialog.get_by_label(label).fill(text)
        dialog.get_by_role("button", name="Dry run").click()
        expect(dialog.get_by_role("region", name="Dry run")).to_contain_text("alice.rig")
        assert pool.get("/api/v1/moves")["rows"] == []
        dialog.get_by_role("button", name="Plan a move").click()
        expect(page.get_by_role("status").filter(has_text="move ganzi-out: 1 machines; planned")).to_be_visible()

        page.get_by_role("link", name="ganzi-out").click()
        dialog = opened(page, "Start the move")
        expect(dialog).to_contain_text("1 machine would be told to go")
        dialog.get_by_label("Why").fill("the notice")
        dialog.get_by_role("button", name="Start the move").click()
        expect(page.locator("dl.facts")).to_contain_text("running")
        for title, state in (("Pause", "paused"), ("Resume", "running")):
            ordered(page, title, Why="a test")
            expect(page.locator("dl.facts")).to_contain_text(state)
        dialog = opened(page, "Close it")
        dialog.get_by_role("button", name="Close it").click()
        expect(dialog.get_by_role("alert")).to_contain_text("have not arrived")
        dialog.get_by_role("button", name="Leave it").click()
        expect(page.get_by_role("alert")).to_contain_text("Close it: 1 of 1 machines have not arrived")
        dialog = opened(page, "Close it")
        dialog.get_by_label("Though machines are missing").check()
        dialog.get_by_role("button", name="Close it").click()
        expect(page.locator("dl.facts")).to_contain_text("closed")
        expect(page.get_by_role("region", name="What was done")).to_contain_text("operator:anna")


class TestAccessible:
    @pytest.mark.parametrize(("width", "scheme"), SIZES)
    @pytest.mark.parametrize(
        ("path", "title"),
        [
            ("payouts", "Stop payouts"),
            ("accounts", "Add an account"),
            ("accounts/alice", "Change the plan"),
            ("moves", "Plan a move"),
        ],
    )
    def test_every_dialog_is_and_fits(
        self, browser: Browser, pool: WholePool, path: str, title: str, width: int, scheme: str
    ) -> None:
        visit = entered(browser, pool, width, scheme)
        page = visit.to(path)
        expect(page.get_by_role("button", name=title, exact=True)).to_be_visible()
        assert violations(page) == []
        dialog = opened(page, title)
        assert violations(page) == []
        box = dialog.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert cut(page) == []
        assert visit.complaints == []
        page.close()


class TestWatcher:
    def test_sees_no_button(self, browser: Browser, pool: WholePool) -> None:
        link = steppe(pool, "access", "make", "link", "noc", "--days", "7").strip()
        visit = Visit(browser, pool.admin_port)
        visit.page.goto(visit.root + link[link.index("#") :])
        expect(visit.page.get_by_role("button", name="Log out")).to_be_visible()
        for path in ("payouts", "payouts/1", "accounts/alice", "moves", "blocks"):
            page = visit.to(path)
            expect(page.get_by_role("group", name="Orders")).to_have_count(0)
        visit.page.close()
