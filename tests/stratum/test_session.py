"""stratum.session: one connection without a socket."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stratum.difficulty import DifficultyBounds
from stratum.errors import JobNotFound, StaleShare
from stratum.events import (
    AuthorizationRequested,
    Closed,
    ConfigurationRequested,
    Event,
    RequestRefused,
    ShareSubmitted,
    SubscriptionRequested,
)
from stratum.jobs import JobBook
from stratum.limits import MESSAGES_BEFORE_AUTHORIZE_MAX, WORKERS_MAX, CloseReason
from stratum.session import Session
from stratum.states import MAY_FOLLOW, State
from tests.stratum.scene import AUTHORIZE, CONFIGURE, SUBSCRIBE, make_job, request, submit

BOUNDS = DifficultyBounds(default=64.0, minimum=1.0, maximum=4096.0)
PING = request("mining.ping", [], "p")


class Driver:
    """Grants whatever a session asks for, and keeps what it said."""

    def __init__(self, template_version: int = 0x20000000) -> None:
        self.session = Session(BOUNDS, 0x1FFFE000)
        self.events: list[Event] = []
        self.sent = b""
        self._template_version = template_version
        self._book = JobBook()

    def receive(self, *data: bytes) -> None:
        for piece in data:
            share = self.session.submitted(piece)
            for event in [share] if share is not None else self.session.receive(piece):
                self.events.append(event)
                match event:
                    case SubscriptionRequested():
                        self.session.subscribe(event, b"\x01\x02\x03\x04", "5e55")
                    case AuthorizationRequested():
                        self.session.authorize(event)
                    case ConfigurationRequested():
                        self.session.configure(event, self._template_version)
            self.sent += self.session.outgoing()

    def issue(self, job_id: str = "a1", clean: bool = False, **changes: Any) -> None:
        live = self._book.add(make_job(job_id, **changes), 0.0)
        assert live is not None
        self.session.issue(live, clean, 1)
        self.sent += self.session.outgoing()

    def lines(self) -> list[Any]:
        """The messages sent since the last call."""
        sent, self.sent = self.sent, b""
        return [json.loads(line) for line in sent.split(b"\n")[:-1]]

    def methods(self) -> list[tuple[str, Any]]:
        return [(line["method"], line["params"]) for line in self.lines() if "method" in line]


def ready(*before: bytes) -> Driver:
    driver = Driver()
    driver.receive(*before, SUBSCRIBE, AUTHORIZE)
    driver.lines()
    driver.events.clear()
    return driver


class TestSubscribe:
    def test_the_reply_names_the_session_and_its_extranonces(self) -> None:
        driver = Driver()
        driver.receive(SUBSCRIBE)
        assert driver.lines() == [
            {
                "id": 1,
                "result": [[["mining.set_difficulty", "5e55"], ["mining.notify", "5e55"]], "01020304", 8],
                "error": None,
            }
        ]

    def test_it_says_which_session_a_miner_wants_back(self) -> None:
        driver = Driver()
        driver.receive(request("mining.subscribe", ["cgminer/4.11.1", "0a0b0c0d"]))
        assert driver.events == [SubscriptionRequested(b"1", "cgminer/4.11.1", "0a0b0c0d")]

    @pytest.mark.parametrize("params", [[], [None], [None, None, "host:3333", None], [5, {"a": 1}], None])
    def test_it_takes_any_parameters(self, params: object) -> None:
        driver = Driver()
        driver.receive(request("mining.subscribe", params))
        assert driver.session.state is State.SUBSCRIBED

    def test_an_agent_is_made_printable_and_short(self) -> None:
        driver = Driver()
        driver.receive(request("mining.subscribe", ["\x1b[31m\u00e9\n" + "a" * 200]))
        assert driver.session.agent == "?[31m??" + "a" * 121

    def test_the_longest_agent_of_a_real_firmware_is_kept_whole(self) -> None:
        agent = "Antminer S19k Pro|LUXminer 2026.4.3.192353-6ab4e5077|BHB56902|BHB56902|BHB56902|altair_tech"
        driver = Driver()
        driver.receive(request("mining.subscribe", [agent]))
        assert driver.session.agent == agent


class TestAuthorize:
    def test_the_reply_is_true(self) -> None:
        driver = Driver()
        driver.receive(AUTHORIZE)
        assert driver.sent == b'{"id":2,"result":true,"error":null}\n'

    @pytest.mark.parametrize("login", ["", ".x", "a b", "<script>", "a" * 65])
    def test_a_login_that_is_none_gets_false_with_code_24(self, login: str) -> None:
        driver = Driver()
        driver.receive(request("mining.authorize", [login, "x"]))
        [reply] = driver.lines()
        assert (reply["result"], reply["error"][0]) == (False, 24)

    def test_a_password_is_not_needed(self) -> None:
        driver = Driver()
        driver.receive(request("mining.authorize", ["alice"]))
        assert driver.session.state is State.AUTHORIZED

    @pytest.mark.parametrize("params", [[], [5], None, {}, "alice"])
    def test_params_of_the_wrong_type_get_code_20(self, params: object) -> None:
        driver = Driver()
        driver.receive(request("mining.authorize", params))
        [reply] = driver.lines()
        assert reply["error"] == [20, "malformed parameters", None]

    def test_it_may_come_before_subscribe(self) -> None:
        driver = Driver()
        driver.receive(AUTHORIZE, SUBSCRIBE)
        assert driver.session.state is State.READY

    def test_many_workers_share_a_connection(self) -> None:
        driver = ready(request("mining.authorize", ["bob.rig2", "x"]))
        driver.receive(submit(login="bob.rig2"), submit(login="alice.rig1"))
        assert [str(event.login) for event in driver.events if isinstance(event, ShareSubmitted)] == [
            "bob.rig2",
            "alice.rig1",
        ]

    def test_but_not_without_end(self) -> None:
        driver = ready()
        driver.receive(*(request("mining.authorize", [f"alice.{n}", "x"]) for n in range(WORKERS_MAX)))
        assert driver.lines()[-1]["error"][0] == 20
        assert len(driver.session.logins) == WORKERS_MAX

    def test_a_minimum_in_the_password_is_a_lower_bound(self) -> None:
        driver = Driver()
        driver.receive(SUBSCRIBE, request("mining.authorize", ["alice", "md=2048"]))
        driver.issue()
        assert driver.session.difficulty.current == 2048

    def test_a_difficulty_in_the_password_is_announced_with_the_first_job_and_no_other_before(self) -> None:
        driver = Driver()
        driver.receive(SUBSCRIBE, request("mining.authorize", ["alice", "d=512"]))
        driver.issue()
        assert [params for method, params in driver.methods() if method == "mining.set_difficulty"] == [[512]]


class TestOrder:
    @pytest.mark.parametrize(
        ("before", "code"), [([], 25), ([SUBSCRIBE], 24), ([AUTHORIZE], 25), ([CONFIGURE, SUBSCRIBE], 24)]
    )
    def test_a_share_that_comes_too_early_is_refused(self, before: list[bytes], code: int) -> None:
        driver = Driver()
        driver.receive(*before)
        driver.lines()
        driver.receive(submit())
        [reply] = driver.lines()
        assert (reply["id"], reply["result"], reply["error"][0]) == (4, None, code)

    def test_and_counted(self) -> None:
        driver = Driver()
        driver.receive(SUBSCRIBE, submit())
        assert driver.events[-1] == RequestRefused(MAY_FOLLOW[State.SUBSCRIBED]["mining.submit"])  # type: ignore[arg-type]

    def test_every_state_knows_the_same_methods(self) -> None:
        open_states = [MAY_FOLLOW[state].keys() for state in State if state is not State.CLOSED]
        assert all(methods == open_states[0] for methods in open_states)

    def test_subscribing_again_changes_nothing(self) -> None:
        driver = ready()
        driver.receive(SUBSCRIBE)
        assert driver.session.state is State.READY


class TestIssue:
    def test_the_first_job_is_clean_after_one_difficulty(self) -> None:
        driver = ready()
        driver.issue(clean=False)
        methods = driver.methods()
        assert [method for method, _ in methods] == ["mining.set_difficulty", "mining.notify"]
        assert methods[1][1][8] is True

    def test_a_later_one_is_clean_only_if_the_previous_block_changed(self) -> None:
        driver = ready()
        driver.issue("a1")
        driver.issue("a2", clean=False)
        driver.issue("a3", clean=True)
        assert [params[8] for method, params in driver.methods() if method == "mining.notify"] == [True, False, True]

    def test_a_suggested_difficulty_comes_with_the_next_job_only(self) -> None:
        driver = ready()
        driver.issue("a1")
        driver.lines()
        driver.receive(request("mining.suggest_difficulty", [128]))
        assert driver.lines() == []
        driver.issue("a2")
        assert driver.methods()[0] == ("mining.set_difficulty", [128])

    def test_a_share_is_judged_by_the_difficulty_of_its_job(self) -> None:
        driver = ready()
        driver.issue("a1")
        driver.receive(request("mining.suggest_difficulty", [128]))
        driver.issue("a2")
        book = driver._book
        assert [driver.session.terms(book.find(job_id)).difficulty for job_id in ("a1", "a2")] == [64.0, 128.0]

    def test_a_template_that_sets_a_masked_bit_shrinks_the_mask_before_its_job(self) -> None:
        driver = ready(CONFIGURE)
        driver.issue("a1")
        driver.lines()
        driver.issue("a2", version=0x30000000)
        assert [method for method, _ in driver.methods()] == ["mining.set_version_mask", "mining.notify"]

    def test_the_smaller_mask_lacks_that_bit(self) -> None:
        driver = ready(CONFIGURE)
        driver.issue("a1")
        driver.issue("a2", version=0x30000000)
        assert ("mining.set_version_mask", ["0fffe000"]) in driver.methods()

    def test_a_share_is_judged_by_the_mask_of_its_job(self) -> None:
        driver = ready(CONFIGURE)
        driver.issue("a1")
        driver.issue("a2", version=0x30000000)
        masks = [driver.session.terms(driver._book.find(job_id)).version_mask for job_id in ("a1", "a2")]
        assert masks == [0x1FFFE000, 0x0FFFE000]

    def test_who_did_not_negotiate_hears_of_no_mask(self) -> None:
        driver = ready()
        driver.issue("a1")
        driver.issue("a2", version=0x30000000)
        assert "mining.set_version_mask" not in dict(driver.methods())

    def test_every_session_gets_the_same_bytes(self) -> None:
        first, second = ready(), ready(CONFIGURE)
        first.issue()
        second.issue()
        assert first.sent == second.sent


class TestReplies:
    def test_they_leave_in_the_order_of_the_requests(self) -> None:
        driver = ready()
        driver.receive(PING, submit(4), PING, submit(5), PING)
        assert [line["id"] for line in driver.lines()] == ["p"]
        driver.session.accept(b"4")
        driver.session.reject(b"5", StaleShare)
        driver.sent += driver.session.outgoing()
        assert [line["id"] for line in driver.lines()] == [4, "p", 5, "p"]

    def test_a_job_overtakes_the_replies_that_wait(self) -> None:
        driver = ready()
        driver.receive(submit(4), PING)
        driver.issue()
        assert "mining.notify" in dict(driver.methods())

    def test_a_share_without_an_id_gets_none(self) -> None:
        driver = ready()
        driver.receive(submit(None), submit(5))
        driver.session.accept(None)
        driver.session.reject(b"5", JobNotFound)
        assert driver.session.outgoing() == b'{"id":5,"result":null,"error":[21,"job not found",null]}\n'


class TestShare:
    def test_it_names_its_login(self) -> None:
        driver = ready()
        driver.receive(submit())
        [event] = driver.events
        assert isinstance(event, ShareSubmitted)
        assert (str(event.login), event.authorized, event.request_id) == ("alice.rig1", True, b"4")

    def test_one_of_a_stranger_is_marked_and_charged_to_the_sessions_first_worker(self) -> None:
        driver = ready()
        driver.receive(submit(login="mallory"))
        [event] = driver.events
        assert isinstance(event, ShareSubmitted)
        assert (str(event.login), event.authorized) == ("alice.rig1", False)

    @pytest.mark.parametrize("params", [[], None, {}, ["alice.rig1", "a1", "00", "01"], ["alice.rig1", 1, "", "", ""]])
    def test_params_of_the_wrong_type_are_a_submission_still(self, params: object) -> None:
        driver = ready()
        driver.receive(request("mining.submit", params))
        [event] = driver.events
        assert isinstance(event, ShareSubmitted)
        assert event.submission is None


class TestClose:
    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            (b"\x16\x03\x01\x00", CloseReason.NOT_JSON),
            (b"GET / HTTP/1.1\r\n", CloseReason.NOT_JSON),
            (b'{"id":1,\n', CloseReason.MALFORMED_MESSAGE),
            (b'{"id":[1],"method":"mining.ping"}\n', CloseReason.MALFORMED_MESSAGE),
            (b'{"id":1,"method":7}\n', CloseReason.MALFORMED_MESSAGE),
            (b"{" + b" " * 5000, CloseReason.LINE_TOO_LONG),
            (b'{"a":' + b"[" * 100, CloseReason.TOO_DEEP),
        ],
    )
    def test_what_cannot_be_answered_ends_the_session(self, line: bytes, reason: CloseReason) -> None:
        driver = Driver()
        driver.receive(line)
        assert (driver.events, driver.sent) == ([Closed(reason)], b"")

    def test_nothing_after_it_is_read(self) -> None:
        driver = Driver()
        driver.receive(b"\x16\n" + SUBSCRIBE, SUBSCRIBE)
        assert len(driver.events) == 1

    def test_what_was_asked_before_it_is_answered(self) -> None:
        driver = Driver()
        driver.receive(PING + b"\x16")
        assert driver.lines()[0]["result"] == "pong"

    def test_a_miner_that_never_authorizes_may_not_go_on_for_ever(self) -> None:
        driver = Driver()
        driver.receive(*[PING] * MESSAGES_BEFORE_AUTHORIZE_MAX)
        assert driver.session.state is State.NEW
        driver.receive(PING)
        assert driver.events == [Closed(CloseReason.TOO_MANY_MESSAGES)]

    def test_an_authorized_one_may(self) -> None:
        driver = ready()
        driver.receive(*[PING] * 100)
        assert driver.session.state is State.READY
