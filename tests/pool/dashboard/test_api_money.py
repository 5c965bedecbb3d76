"""The endpoints about money: the shape of each answer, and what is left when the database is down."""

from __future__ import annotations

import csv

import pytest

from payout.store.payout_reports import AttemptReport, EntryReport, LineReport, PayoutDetail, PayoutReport
from tests.pool.dashboard.browser import Browser, healthy, without_database, without_redis
from tests.pool.dashboard.fakes import NOW_MS, FakeLive, live_view, worker

BLOCK = f"{0x4A51C08:064x}"


class TestAccounts:
    def test_a_row_joins_the_books_and_the_statistics(self) -> None:
        browser = Browser(live=FakeLive(live_view([worker("texas-2.rig-1"), worker("new.rig-1")])))
        rows = {row["name"]: row for row in browser.ask("/api/v1/accounts").json()["rows"]}
        assert rows["texas-2"]["books"]["scheme"] == "pplns"
        assert rows["texas-2"]["live"]["workers_online"] == 1
        assert rows["new"]["books"] is None
        assert rows["kz-ekibastuz"]["live"] is None

    def test_money_is_in_whole_satoshi(self) -> None:
        account = healthy().ask("/api/v1/accounts/sichuan-fleet").json()["account"]["books"]
        assert (account["immature_sat"], account["available_sat"]) == (804_000_246, 3_216_000_984)

    def test_what_passes_2_to_the_53_is_text(self) -> None:
        account = healthy().ask("/api/v1/accounts/kz-ekibastuz").json()["account"]["books"]
        assert account["pps_psat"] == "50912004551201345"

    def test_one_account_has_its_newest_credits(self) -> None:
        (credit,) = healthy().ask("/api/v1/accounts/sichuan-fleet").json()["credits"]
        assert (credit["ref"], credit["amount_sat"], credit["state"]) == (BLOCK, 402_000_123, "immature")

    @pytest.mark.parametrize("name", ["nobody", "", "a/b", "%00", "..", "%FF", "x" * 65])
    def test_an_unknown_account_is_404(self, name: str) -> None:
        answer = healthy().ask(f"/api/v1/accounts/{name}")
        assert (answer.status, answer.json()["error"]["code"]) == (404, "unknown_account")

    def test_an_account_that_only_the_silent_source_could_know_is_503(self) -> None:
        answer = without_database().ask("/api/v1/accounts/kz-ekibastuz")
        assert (answer.status, answer.json()["error"]["code"]) == (503, "unavailable")

    def test_without_the_database_a_mining_account_is_shown_without_its_books(self) -> None:
        answer = without_database().ask("/api/v1/accounts/acct").json()
        assert (answer["account"]["books"], answer["credits"]) == (None, None)
        assert answer["account"]["live"]["workers"] == 2

    def test_without_both_sources_rows_are_null(self) -> None:
        both = Browser(live=without_redis().live, books_source=without_database().books)
        page = both.ask("/api/v1/accounts").json()
        assert page["rows"] is None
        assert set(page["unavailable"]) == {"redis", "database"}


class TestBlocks:
    def test_the_newest_block_comes_first(self) -> None:
        rows = healthy().ask("/api/v1/blocks").json()["rows"]
        assert [row["height"] for row in rows[:3]] == [689_471, 689_434, 689_397]
        assert set(rows[0]) == {
            "hash_hex", "height", "state", "finder", "reward_sat", "confirmations", "found_ms", "credits",
        }  # fmt: skip

    def test_one_state_can_be_asked_for(self) -> None:
        page = healthy().ask("/api/v1/blocks?state=immature").json()
        assert (page["total"], {row["state"] for row in page["rows"]}) == (2, {"immature"})

    def test_pages_go_on_where_the_last_ended(self) -> None:
        page = healthy().ask("/api/v1/blocks?per_page=5&page=3").json()
        assert (page["total"], len(page["rows"])) == (14, 4)

    def test_one_block_has_its_credits_and_ledger_rows(self) -> None:
        detail = healthy().ask(f"/api/v1/blocks/{BLOCK}").json()
        assert detail["credits"][1] == {
            "account": "sichuan-fleet",
            "scheme": "pplns",
            "window_share": 0.6437,
            "gross_sat": 406_060_730,
            "fee_sat": 4_060_607,
            "amount_sat": 402_000_123,
            "bought_sat": 0,
        }
        assert sum(row["amount_sat"] for row in detail["ledger"]) == 0

    @pytest.mark.parametrize("name", ["0" * 64, "0" * 63, BLOCK.upper(), "latest", "%00"])
    def test_a_block_that_is_not_the_pools_is_404(self, name: str) -> None:
        answer = healthy().ask(f"/api/v1/blocks/{name}")
        assert (answer.status, answer.json()["error"]["code"]) == (404, "unknown_block")

    def test_without_the_database_rows_are_null_with_the_reason(self) -> None:
        page = without_database().ask("/api/v1/blocks").json()
        assert page["rows"] is None
        assert page["unavailable"] == {"database": "The database is locked: stop the other program."}


class TestWithholding:
    def test_every_group_is_told_with_what_it_should_have_found(self) -> None:
        answer = Browser().ask("/api/v1/withholding").json()
        assert answer == {
            "rows": [
                {"kind": "account", "name": "alice", "expected_blocks": "5.125", "blocks": 4, "test": None},
            ],
            "unavailable": {},
        }

    def test_without_the_database_there_are_none(self) -> None:
        answer = without_database().ask("/api/v1/withholding").json()
        assert (answer["rows"], list(answer["unavailable"])) == (None, ["database"])


class TestPayouts:
    """Rows and details are those of payout.store.payout_reports."""

    def browser(self, stopped: str | None = None) -> Browser:
        row = PayoutReport(7, "broadcast", 900, 1, 2, 2, "ab", 5, None, None, 0, None)
        detail = PayoutDetail(
            row,
            (LineReport("alice", "address", "00", 900),),
            (AttemptReport(1, "pay", "ab", 5, 140, True, ("cd:0",), "00"),),
            (EntryReport("payout:7:reserved", "payout.reserved", 1, "liab:alice:available", 900),),
        )
        browser = healthy()
        browser.books.paid, browser.books.stopped = [detail], stopped
        return browser

    def test_the_table_has_a_row_for_each_and_says_whether_they_go_on(self) -> None:
        page = self.browser().ask("/api/v1/payouts").json()
        assert (page["total"], page["stopped"], page["unavailable"]) == (1, None, {})
        assert (page["rows"][0]["id"], page["rows"][0]["state"]) == (7, "broadcast")

    def test_why_they_are_stopped_is_told(self) -> None:
        assert self.browser("wrong").ask("/api/v1/payouts").json()["stopped"] == "wrong"

    def test_one_has_its_lines_transactions_and_ledger(self) -> None:
        detail = self.browser().ask("/api/v1/payouts/7").json()
        assert detail["lines"] == [{"account": "alice", "address": "address", "script": "00", "amount_sat": 900}]
        assert detail["attempts"][0]["inputs"] == ["cd:0"]
        assert detail["ledger"][0]["account"] == "liab:alice:available"

    @pytest.mark.parametrize("number", ["8", "0", "-1", "seven", "1" * 17, "%EF%BC%97"])
    def test_one_that_is_not_there_is_a_404(self, number: str) -> None:
        answer = self.browser().ask(f"/api/v1/payouts/{number}")
        assert (answer.status, answer.json()["error"]["code"]) == (404, "unknown_payout")

    def test_without_the_database_the_table_is_empty_and_says_why(self) -> None:
        page = without_database().ask("/api/v1/payouts").json()
        assert (page["rows"], page["total"]) == (None, None)
        assert "database" in page["unavailable"]
        assert without_database().ask("/api/v1/payouts/7").status == 503


class TestStatement:
    def test_it_is_json_of_all_time_unless_asked_otherwise(self) -> None:
        found = healthy().ask("/api/v1/accounts/sichuan-fleet/statement").json()
        assert (found["account"], found["from_ms"], found["to_ms"]) == ("sichuan-fleet", 0, NOW_MS)
        assert found["lines"][0]["amount_sat"] == found["closing"]["available_sat"] == 7

    def test_a_time_is_given_as_a_date_or_in_milliseconds(self) -> None:
        found = healthy().ask(f"/api/v1/accounts/sichuan-fleet/statement?from=2020-01-01&to={NOW_MS}&row=2").json()
        assert (found["from_ms"], found["to_ms"], found["ledger_row"]) == (1_577_836_800_000, NOW_MS, 2)

    def test_csv_is_a_file_without_formulas(self) -> None:
        answer = healthy().ask("/api/v1/accounts/sichuan-fleet/statement?format=csv")
        assert answer.headers["content-type"].startswith("text/csv")
        assert answer.headers["content-disposition"] == 'attachment; filename="statement-sichuan-fleet.csv"'
        rows = list(csv.DictReader(answer.body.decode().splitlines()))
        assert [(row["kind"], row["ref"], row["balance_sat"]) for row in rows] == [
            ("opening", "sichuan-fleet", "0"),
            ("adjust", "'=1+1", "7"),
            ("closing", "sichuan-fleet", "7"),
        ]

    @pytest.mark.parametrize(
        ("query", "name"),
        [
            ("from=yesterday", "from"),
            (f"to={NOW_MS + 1}", "to"),
            ("format=xml", "format"),
            ("row=x", "row"),
            ("rows=1", "rows"),
        ],
    )
    def test_what_is_not_understood_is_refused_by_name(self, query: str, name: str) -> None:
        answer = healthy().ask(f"/api/v1/accounts/sichuan-fleet/statement?{query}")
        assert answer.status == 400
        assert f"'{name}'" in answer.json()["error"]["message"]

    @pytest.mark.parametrize("name", ["nobody", "%0d%0aSet-Cookie:x", "a%2fb"])
    def test_an_unknown_account_is_404(self, name: str) -> None:
        assert healthy().ask(f"/api/v1/accounts/{name}/statement").status == 404

    def test_without_the_database_it_cannot_be_answered(self) -> None:
        assert without_database().ask("/api/v1/accounts/sichuan-fleet/statement").status == 503


class TestSolvency:
    def test_what_is_owed_and_what_is_there_are_told(self) -> None:
        found = healthy().ask("/api/v1/solvency").json()
        assert (found["block_height"], found["coverage_bps"]) == (100, 12_500)

    def test_without_an_answer_of_the_wallet_it_cannot_be_told(self) -> None:
        answer = without_database().ask("/api/v1/solvency")
        assert answer.status == 503
        assert "wallet: " in answer.json()["error"]["message"]
