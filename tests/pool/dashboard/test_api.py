"""The endpoints: the shape of each answer, parameters by name, and what is left when a source is down."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pool.dashboard.role_rows import Roles
from pool.dashboard.rows import Reject
from tests.pool.dashboard.browser import Browser, healthy, without_database, without_redis
from tests.pool.dashboard.fakes import HOSTILE_NAMES, NETWORK_DIFFICULTY, FakeLive, farm, live_view, worker

BLOCK = f"{0x4A51C08:064x}"


class TestPool:
    def test_hashrate_comes_in_four_windows_with_their_error(self) -> None:
        rates = healthy().ask("/api/v1/pool").json()["activity"]["hashrate"]
        assert list(rates) == ["1m", "5m", "1h", "24h"]
        assert all(rate["hps"] > 0 and 0 < rate["error"] < 1 for rate in rates.values())

    def test_it_tells_presence_tip_blocks_luck_and_health(self) -> None:
        pool = healthy().ask("/api/v1/pool").json()
        assert pool["presence"] == {"workers": 3, "workers_online": 3, "sessions": 3, "accounts": 2}
        assert pool["roles"]["work"]["main"]["job"]["height"] == 689_472
        assert pool["roles"]["work"]["main"]["job"]["network_difficulty"] == NETWORK_DIFFICULTY
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
        silent = replace(live_view([]), roles=Roles({}, (), None))
        answer = Browser(live=FakeLive(silent)).ask("/readyz")
        states = {check["name"]: check["state"] for check in answer.json()["checks"]}
        assert answer.status == 503
        assert states == {
            "redis": "ok",
            "database": "ok",
            "work": "down",
            "blocks": "unknown",
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
