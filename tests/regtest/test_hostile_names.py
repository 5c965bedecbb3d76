"""Names from strangers: a corpus through real Stratum connections into every page, answer, file, log and metric.

Nothing of it runs, no line breaks, and each name is shown as text or was refused with a reason.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from msgspec import Struct
from playwright.sync_api import Browser, expect
from prometheus_client.parser import text_string_to_metric_families

from pool.node.private import PrivateNode
from stratum.limits import AGENT_CHARACTERS_MAX
from tests.regtest.test_page import Visit, browser
from tests.regtest.whole_pool import WholePool, eventually

__all__ = ["browser"]

CORPUS: list[dict[str, str]] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "hostile_names.json").read_text(encoding="ascii")
)
NAMES = [each["name"] for each in CORPUS]
TAKEN = re.compile(r"[A-Za-z0-9_.:-]{0,64}", re.ASCII)
"""The worker names that the door takes."""

REPLY_SECONDS = 20.0
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Heard(Struct, frozen=True):
    """What the pool answered to one name. errors: texts, by what the name was given as; "" if it was taken. closed: it
    ended the connection. lines: all that came, undecoded."""

    name: str
    login: str
    errors: dict[str, str]
    closed: bool
    lines: list[bytes]


class Stranger:
    """A machine with such a name and such firmware; its connection stays open."""

    def __init__(self, port: int, number: int, name: str) -> None:
        self.login = f"alice.h{number:03}"
        self._name = name
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=REPLY_SECONDS)
        self._file = self._socket.makefile("rwb")

    def introduce(self) -> Heard:
        """Firmware, account and worker in one go, then an honest worker name, so that the firmware is in the table."""
        asked: list[tuple[int, str, list[str]]] = [
            (1, "mining.subscribe", [self._name]),
            (2, "mining.authorize", [self._name, "x"]),
            (3, "mining.authorize", [f"alice.{self._name}", "x"]),
            (4, "mining.authorize", [self.login, "x"]),
        ]
        answers: dict[int, Any] = {}
        lines: list[bytes] = []
        try:
            for number, method, params in asked:
                self._file.write(json.dumps({"id": number, "method": method, "params": params}).encode() + b"\n")
            self._file.flush()
            job = None
            while len(answers) < len(asked) or job is None:
                line = self._file.readline()
                if not line:
                    raise ConnectionResetError
                lines.append(line)
                message = json.loads(line)
                if message.get("method") == "mining.notify":
                    job = message["params"]
                elif message.get("id") is not None:
                    answers[message["id"]] = message
            self._mine(job, answers[1]["result"][2])
        except ConnectionError:
            return Heard(self._name, self.login, {}, True, lines)
        errors = {"account": _error(answers[2]), "worker": _error(answers[3])}
        return Heard(self._name, self.login, errors, False, lines)

    def _mine(self, job: list[Any], extranonce2_bytes: int) -> None:
        """Some shares, of which every fourth is good by chance: so the firmware is in the journal too."""
        for nonce in range(24):
            params = [self.login, job[0], "00" * extranonce2_bytes, job[7], f"{nonce:08x}"]
            self._file.write(
                json.dumps({"id": 100 + nonce, "method": "mining.submit", "params": params}).encode() + b"\n"
            )
        self._file.flush()

    def leave(self) -> None:
        with contextlib.suppress(OSError):  # what was not read any more
            self._file.close()
        self._socket.close()


def _error(answer: dict[str, Any]) -> str:
    return "" if answer["error"] is None else str(answer["error"][1])


def shown(name: str) -> str:
    """Firmware as the pool keeps it."""
    return "".join(each if " " <= each <= "~" else "?" for each in name[:AGENT_CHARACTERS_MAX])


@pytest.fixture(scope="module")
def the_pool(signet_node: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholePool]:
    it = WholePool(tmp_path_factory.mktemp("pool"), signet_node, "signet")
    text = it.config_path.read_text().replace("difficulty = 0.0001", "difficulty = 1e-9")
    it.config_path.write_text(text.replace("[stratum]\n", '[stratum]\nnever_banned = ["127.0.0.0/8"]\n'))
    it.add_account("alice", "pplns", 100)
    it.start()
    yield it
    assert it.stop() == 0


@pytest.fixture(scope="module")
def heard(the_pool: WholePool) -> Iterator[list[Heard]]:
    """All of the corpus, connected and in the table."""
    strangers: list[Stranger] = []
    found: list[Heard] = []
    for number, name in enumerate(NAMES):  # one by one: who connects and says nothing is sent away
        strangers.append(Stranger(the_pool.stratum_port, number, name))
        found.append(strangers[-1].introduce())
    there = {each.login for each in found if not each.closed}
    eventually("all machines are in the table", lambda: there <= set(rows_by_login(the_pool)))
    eventually("their shares are in the table", lambda: _mined(the_pool, there))
    yield found
    for stranger in strangers:
        stranger.leave()


def rows_by_login(the_pool: WholePool) -> dict[str, dict[str, Any]]:
    return {row["login"]: row for row in the_pool.get("/api/v1/workers.json")["rows"]}


def _mined(the_pool: WholePool, there: set[str]) -> bool:
    rows = rows_by_login(the_pool)
    activities = [rows[login]["activity"] for login in there]
    return all(each["accepted"] + sum(each["rejected"].values()) > 0 for each in activities)


def test_the_corpus_has_two_hundred_names_and_more_each_once() -> None:
    assert len(set(NAMES)) == len(NAMES) >= 200


class TestStratum:
    def test_a_name_is_taken_or_refused_with_a_reason(self, heard: list[Heard]) -> None:
        for each in heard:
            if not each.closed:
                assert bool(each.errors["worker"]) != bool(TAKEN.fullmatch(each.name)), each
                assert all(text == "" or len(text) > 10 for text in each.errors.values()), each

    def test_what_ends_the_connection_has_a_reason_that_is_counted(
        self, heard: list[Heard], the_pool: WholePool
    ) -> None:
        ended = [each.name for each in heard if each.closed]
        assert all(len(name) > 4096 or _is_no_text(name) for name in ended)
        eventually("all of them are counted", lambda: sum(_closed(the_pool).values()) >= len(ended))

    def test_no_answer_sends_a_name_back(self, heard: list[Heard]) -> None:
        for each in heard:
            if len(each.name) > 12:
                assert not any(each.name.encode("utf-8", "replace") in line for line in each.lines), each


def _closed(the_pool: WholePool) -> dict[str, int]:
    """How many connections were ended for what."""
    counts: dict[str, int] = the_pool.get("/api/v1/pool")["roles"]["stratum"][0]["closed"]
    return counts


def _is_no_text(name: str) -> bool:
    """Half a pair of surrogates: JSON allows it, Unicode does not."""
    return any("\ud800" <= each <= "\udfff" for each in name)


class TestAnswers:
    def test_firmware_is_shown_as_it_is_but_for_what_does_not_print(
        self, heard: list[Heard], the_pool: WholePool
    ) -> None:
        rows = rows_by_login(the_pool)
        assert {each.login: rows[each.login]["agent"] for each in heard if not each.closed} == {
            each.login: shown(each.name) for each in heard if not each.closed
        }

    def test_only_names_of_plain_characters_are_there(self, heard: list[Heard], the_pool: WholePool) -> None:
        assert heard
        for login in rows_by_login(the_pool):
            assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_.:-]{1,64})?", login)

    @pytest.mark.parametrize(
        "path",
        ["workers?q={}", "workers/{}", "workers/{}/rejects", "accounts/{}", "accounts/{}/statement", "blocks/{}",
         "groups?by=firmware&q={}", "workers?firmware={}", "workers?account={}&site={}", "moves/{}", "{}"],
    )  # fmt: skip
    def test_asked_by_such_a_name_every_endpoint_answers_in_one_json_line(
        self, heard: list[Heard], the_pool: WholePool, path: str
    ) -> None:
        assert heard
        for name in NAMES:
            asked = quote(name.encode("utf-8", "surrogatepass"), safe="")[:2000]
            text = the_pool.text("/api/v1/" + path.format(asked, asked))
            assert "\n" not in text, name
            assert isinstance(json.loads(text), (dict, list)), name

    def test_every_firmware_is_a_group_of_its_own(self, heard: list[Heard], the_pool: WholePool) -> None:
        groups = {row["name"] for row in the_pool.get("/api/v1/groups?by=firmware&per_page=500")["rows"]}
        assert groups >= {shown(each.name) for each in heard if not each.closed}

    def test_events_have_each_a_line_of_data(self, heard: list[Heard], the_pool: WholePool) -> None:
        assert heard
        with socket.create_connection(("127.0.0.1", the_pool.http_port), timeout=REPLY_SECONDS) as reader:
            reader.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: pool\r\n\r\n")
            read = b""
            while b"data: " not in read or not read.endswith(b"\n\n\r\n"):
                read += reader.recv(65536)
        names = [line.partition(b":")[0] for line in read.split(b"\n") if b": " in line]
        assert {name for name in names if name in (b"event", b"id", b"data", b"retry")} == {
            b"event", b"id", b"data", b"retry",
        }  # fmt: skip


class TestFiles:
    def test_a_csv_has_a_line_for_each_worker_and_no_formula(self, heard: list[Heard], the_pool: WholePool) -> None:
        assert heard
        text = the_pool.text("/api/v1/workers.csv")
        rows = list(csv.reader(io.StringIO(text, newline="")))
        assert text.count("\n") == len(rows) == len(rows_by_login(the_pool)) + 1
        assert len({len(row) for row in rows}) == 1
        assert [cell for row in rows for cell in row if cell.startswith(FORMULA)] == []

    def test_every_line_of_every_log_is_one_json_object_of_plain_characters(
        self, heard: list[Heard], the_pool: WholePool
    ) -> None:
        assert heard
        folder = the_pool.folder / "data" / "logs"
        for path in folder.glob("*.log"):
            data = path.read_bytes()
            assert re.fullmatch(rb"[ -~\n]*", data), path
            if path.name != "redis.log":
                assert all(isinstance(json.loads(line), dict) for line in data.splitlines()), path
        assert not [line for line in the_pool.log("stratum") if line["level"] in ("error", "critical")]

    def test_the_metrics_are_valid_and_none_has_a_name(self, heard: list[Heard], the_pool: WholePool) -> None:
        assert heard
        text = the_pool.text("/metrics")
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        assert {sample.name.partition("_")[0] for sample in samples} == {"steppe"}
        values = {value for sample in samples for value in sample.labels.values()}
        assert all(re.fullmatch(r"[a-z0-9_]{1,40}", value) for value in values)
        assert len(samples) < 200


EXECUTED = "window.pwned !== undefined"


class TestPages:
    @pytest.mark.parametrize(
        "path",
        ["", "workers?per_page=250", "workers?per_page=250&page=2", "workers?by=firmware&per_page=250",
         "workers?by=rack", "workers?by=site", "accounts", "accounts/alice", "blocks", "payouts", "job", "health"],
    )  # fmt: skip
    def test_nothing_runs_and_nothing_else_is_asked(
        self, heard: list[Heard], browser: Browser, the_pool: WholePool, path: str
    ) -> None:
        assert heard
        visit = Visit(browser, the_pool.http_port, viewport={"width": 1440, "height": 900})
        visit.page.on("dialog", lambda dialog: visit.complaints.append(dialog.message))
        page = visit.to(path)
        assert not page.evaluate(EXECUTED)
        assert [text for text in visit.complaints if "404" not in text] == []
        assert [url for url in visit.asked if not url.startswith(visit.root)] == []
        assert page.locator("main script, main iframe, main img, main style, main object, main base").count() == 0
        page.close()

    def test_each_firmware_is_on_the_page_as_text(
        self, heard: list[Heard], browser: Browser, the_pool: WholePool
    ) -> None:
        visit = Visit(browser, the_pool.http_port, viewport={"width": 1440, "height": 900})
        page = visit.to("workers?by=firmware&per_page=250")
        expected = {shown(each.name) for each in heard if not each.closed and shown(each.name)}
        last = page.locator("tbody tr").last
        expect(last).to_be_visible(timeout=20_000)
        names = set(page.locator("tbody th a").evaluate_all("links => links.map(link => link.textContent)"))
        assert len(expected) <= 250
        assert expected <= names
        page.close()

    def test_an_address_with_such_a_name_shows_it_and_runs_nothing(
        self, heard: list[Heard], browser: Browser, the_pool: WholePool
    ) -> None:
        assert heard
        visit = Visit(browser, the_pool.http_port, viewport={"width": 1440, "height": 900})
        page = visit.to("")
        for name in [name for name in NAMES if name and not _is_no_text(name) and len(name) < 200]:
            for part in ("workers", "accounts"):
                page.evaluate("([part, name]) => location.hash = `#/${part}/${encodeURIComponent(name)}`", [part, name])
                page.wait_for_function("part => document.querySelector('h2.title a')?.hash === `#/${part}`", arg=part)
                assert not page.evaluate(EXECUTED), name
            assert page.locator("h2.title *:not(a)").count() == 0, name
        assert [url for url in visit.asked if not url.startswith(visit.root)] == []
        page.close()
