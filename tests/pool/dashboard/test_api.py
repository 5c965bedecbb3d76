"""The endpoints: the shape of each answer, parameters by name, and what is left when a source is down."""

from __future__ import annotations

import csv

import pytest
from msgspec.structs import replace

from payout.store.payout_reports import AttemptReport, EntryReport, LineReport, PayoutDetail, PayoutReport
from pool.dashboard.rows import Reject, Roles
from tests.pool.dashboard.browser import Browser, healthy, without_database, without_redis
from tests.pool.dashboard.fakes import HOSTILE_NAMES, NETWORK_DIFFICULTY, NOW_MS, FakeLive, farm, live_view, worker

BLOCK = f"{0x4A51C08:064x}"


class TestPool:
    def test_hashrate_comes_in_four_windows_with_their_error(self) -> None:
        rates = healthy().ask("/api/v1/pool").json()["activity"]["hashrate"]
        assert list(rates) == ["1m", "5m", "1h", "24h"]
        assert all(rate["hps"] > 0 and 0 < rate["error"] < 1 for rate in rates.values())

    def test_it_tells_presence_tip_blocks_luck_and_health(self) -> None:
        pool = healthy().ask("/api/v1/pool").json()
        assert pool["presence"] == {"workers": 3, "workers_online": 3, "sessions": 3, "accounts": 2}
        assert pool["roles"]["work"]["job"]["height"] == 689_472
        assert pool["roles"]["work"]["job"]["network_difficulty"] == NETWORK_DIFFICULTY
        assert pool["books"]["blocks"] == {"candidate": 1, "immature": 2, "mature": 10, "orphaned": 1}
        assert pool["luck"]["effort"] == 0.42
        assert pool["health"]["ready"] is True
        assert pool["unavailable"] == {}

    def test_it_names_the_pool_and_where_miners_connect(self) -> None:
        about = healthy().ask("/api/v1/pool").json()["pool"]
        assert about == {"name": "Steppe", "version": "0.1.0", "chain": "regtest", "stratum_port": 3333}

    def test_without_redis_the_books_are_still_there(self) -> None:
        pool = without_redis().ask("/api/v1/pool").json()
        assert (pool["activity"], pool["presence"], pool["roles"]) == (None, None, None)
        assert pool["books"]["accounts"] == 3
        assert pool["unavailable"] == {"redis": "Redis is not running: start it."}

    def test_without_the_database_the_statistics_are_still_there(self) -> None:
        pool = without_database().ask("/api/v1/pool").json()
        assert pool["books"] is None
        assert pool["presence"]["workers"] == 3
        assert pool["unavailable"] == {"database": "The database is locked: stop the other program."}


class TestWorkers:
    def test_a_row_has_everything_that_redis_knows(self) -> None:
        (row, *_) = healthy().ask("/api/v1/workers").json()["rows"]
        assert (row["login"], row["account"], row["worker"]) == ("acct.rig-1", "acct", "rig-1")
        assert (row["sessions"], row["difficulty"]) == (1, 262_144.0)
        assert set(row["activity"]) == {"hashrate", "accepted", "rejected", "last_share_ms"}
        assert row["activity"]["rejected"] == {"stale": 9}

    def test_pages_together_have_every_row_once(self) -> None:
        browser = Browser(live=FakeLive(live_view(farm(120))))
        pages = [browser.ask(f"/api/v1/workers?per_page=50&page={page}").json() for page in (1, 2, 3)]
        logins = [row["login"] for page in pages for row in page["rows"]]
        assert len(logins) == len(set(logins)) == 120
        assert {page["total"] for page in pages} == {120}

    def test_a_page_behind_the_last_is_empty_and_says_how_many_there_are(self) -> None:
        page = healthy().ask("/api/v1/workers?page=9").json()
        assert (page["rows"], page["total"]) == ([], 3)

    def test_account_takes_exactly_one_account(self) -> None:
        rows = healthy().ask("/api/v1/workers?account=acct").json()["rows"]
        assert [row["login"] for row in rows] == ["acct.rig-1", "acct.rig-2"]

    def test_without_redis_rows_are_null_with_the_reason(self) -> None:
        page = without_redis().ask("/api/v1/workers").json()
        assert (page["rows"], page["total"]) == (None, None)
        assert page["unavailable"] == {"redis": "Redis is not running: start it."}

    @pytest.mark.parametrize("name", HOSTILE_NAMES)
    def test_a_hostile_name_is_a_json_string_and_nothing_else(self, name: str) -> None:
        answer = Browser(live=FakeLive(live_view([worker(f"acct.{name}")]))).ask("/api/v1/workers")
        assert answer.json()["rows"][0]["login"] == f"acct.{name}"
        assert answer.headers["content-type"] == "application/json"
        assert b"\n" not in answer.body


class TestWorker:
    REJECT = Reject(1_700_000_000_000, "stale", "stale: a new block has come", "a1", 31_000, "0123456789abcdef:7")

    def browser(self) -> Browser:
        live = FakeLive(live_view([worker("acct.rig-1")]))
        live.refused = {"acct.rig-1": (self.REJECT,), "gone.rig": (self.REJECT,)}
        return Browser(live=live)

    def test_it_has_its_row_and_its_refused_shares(self) -> None:
        answer = self.browser().ask("/api/v1/workers/acct.rig-1").json()
        assert answer["worker"]["login"] == "acct.rig-1"
        assert answer["rejects"] == [
            {
                "time_ms": 1_700_000_000_000,
                "reason": "stale",
                "text": "stale: a new block has come",
                "job_id": "a1",
                "job_age_ms": 31_000,
                "id": "0123456789abcdef:7",
            }
        ]

    def test_also_if_it_has_only_these(self) -> None:
        answer = self.browser().ask("/api/v1/workers/gone.rig").json()
        assert (answer["worker"], len(answer["rejects"])) == (None, 1)

    @pytest.mark.parametrize("name", ["nobody", "", "a/b", "%00", "..", "%FF", "x" * 200])
    def test_an_unknown_one_is_404(self, name: str) -> None:
        answer = self.browser().ask(f"/api/v1/workers/{name}")
        assert (answer.status, answer.json()["error"]["code"]) == (404, "unknown_worker")

    def test_without_redis_it_is_503(self) -> None:
        answer = without_redis().ask("/api/v1/workers/acct.rig-1")
        assert (answer.status, answer.json()["error"]["code"]) == (503, "unavailable")

    def test_its_refused_shares_alone_are_a_file(self) -> None:
        answer = self.browser().ask("/api/v1/workers/acct.rig-1/rejects?format=csv")
        assert answer.headers["content-disposition"] == 'attachment; filename="rejects-acct.rig-1.csv"'
        assert [line.split(",")[2] for line in answer.body.decode().splitlines()] == ["reason", "stale"]
        assert self.browser().ask("/api/v1/workers/acct.rig-1/rejects").json()[0]["job_id"] == "a1"

    def test_a_name_that_is_none_reaches_neither_redis_nor_a_header(self) -> None:
        answer = self.browser().ask("/api/v1/workers/a%22%0d%0ab/rejects?format=csv")
        assert answer.headers["content-disposition"] == "attachment"
        assert answer.body.count(b"\n") == 1

    def test_without_redis_there_is_no_file(self) -> None:
        assert without_redis().ask("/api/v1/workers/acct.rig-1/rejects").status == 503


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


class TestMachines:
    def test_healthz_is_200_whatever_is_down(self) -> None:
        answer = without_redis().ask("/healthz")
        assert (answer.status, answer.json()) == (200, {"alive": True})

    def test_readyz_is_200_when_all_is_well(self) -> None:
        answer = healthy().ask("/readyz")
        assert (answer.status, answer.json()["ready"]) == (200, True)

    def test_readyz_is_503_with_the_reason_when_something_is_down(self) -> None:
        answer = without_database().ask("/readyz")
        reasons = {check["name"]: check["text"] for check in answer.json()["checks"] if check["state"] != "ok"}
        assert answer.status == 503
        assert reasons == {"database": "The database is locked: stop the other program."}

    def test_readyz_is_503_while_no_role_gives_a_sign_of_life(self) -> None:
        silent = replace(live_view([]), roles=Roles(None, (), None))
        answer = Browser(live=FakeLive(silent)).ask("/readyz")
        states = {check["name"]: check["state"] for check in answer.json()["checks"]}
        assert answer.status == 503
        assert states == {
            "redis": "ok",
            "database": "ok",
            "work": "down",
            "stratum": "down",
            "accounting": "down",
            "ledger": "unknown",
            "luck": "unknown",
            "reserve": "unknown",
            "nodes": "unknown",
            "chain": "unknown",
            "proposals": "unknown",
            "template": "unknown",
            "moves": "unknown",
            "fleet": "unknown",
            "disk": "unknown",
        }


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


class TestParameters:
    @pytest.mark.parametrize(
        ("target", "name"),
        [
            ("/api/v1/workers?page=0", "page"),
            ("/api/v1/workers?page=-1", "page"),
            ("/api/v1/workers?page=1_0", "page"),
            ("/api/v1/workers?page=%EF%BC%91", "page"),
            ("/api/v1/workers?page=99999999999999999999", "page"),
            ("/api/v1/workers?per_page=501", "per_page"),
            ("/api/v1/workers?per_page=", "per_page"),
            ("/api/v1/workers?sort=password", "sort"),
            ("/api/v1/workers?order=down", "order"),
            ("/api/v1/workers?page=1&page=2", "page"),
            ("/api/v1/workers?serach=rack", "serach"),
            ("/api/v1/workers?q=%FF", "q"),
            (f"/api/v1/workers?q={'x' * 131}", "q"),
            ("/api/v1/accounts?sort=login", "sort"),
            ("/api/v1/blocks?state=lost", "state"),
            ("/api/v1/blocks?sort=height", "sort"),
            ("/api/v1/pool?verbose=1", "verbose"),
        ],
    )
    def test_a_bad_parameter_is_400_and_named(self, target: str, name: str) -> None:
        answer = healthy().ask(target)
        error = answer.json()["error"]
        assert (answer.status, error["code"]) == (400, "bad_parameter")
        assert f"'{name}'" in error["message"]
        assert error["hint"]


class TestCost:
    def test_a_thousand_page_views_within_a_second_cost_one_read_of_each_question(self) -> None:
        browser = healthy()
        for _ in range(1_000):
            for path in ("/api/v1/pool", "/api/v1/workers", "/api/v1/accounts", "/api/v1/blocks"):
                browser.ask(path)
        questions_to_the_books = len(("totals", "accounts", "blocks"))
        assert (browser.live.reads, browser.books.reads) == (1, questions_to_the_books)

    def test_after_a_second_the_sources_are_read_again(self) -> None:
        browser = healthy()
        browser.ask("/api/v1/workers")
        browser.clock.seconds += 1.0
        browser.ask("/api/v1/workers")
        assert browser.live.reads == 2


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
