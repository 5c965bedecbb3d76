"""pool.dashboard.access.principal: one reading for all who ask at once."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred

from pool.access.credential import Directory, Kind, new_secret
from pool.dashboard.access.principal import FRESH_SECONDS, Recognizer
from pool.dashboard.answers import Refusal
from pool.dashboard.asked import Asked
from tests.pool.dashboard.access.fakes import FakeCredentials
from tests.pool.dashboard.fakes import FakeClock
from tests.pool.dashboard.running import result_of


class SlowCredentials(FakeCredentials):
    """Answers when it is told to."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.asked: list[Deferred[Directory]] = []

    async def directory(self) -> Directory:
        self.asked.append(Deferred())
        return await self.asked[-1]


def test_all_who_ask_at_once_share_one_reading_and_those_after_a_second_have_the_next() -> None:
    clock = FakeClock()
    credentials = SlowCredentials(clock)
    recognizer = Recognizer(credentials, clock)
    asking = [Deferred.fromCoroutine(recognizer.directory()) for _ in range(3)]
    found = Directory([])
    credentials.asked[0].callback(found)
    assert [each.result for each in asking] == [found] * 3
    assert result_of(recognizer.directory()) is found
    clock.seconds += FRESH_SECONDS
    Deferred.fromCoroutine(recognizer.directory())
    assert len(credentials.asked) == 2


def test_what_was_read_before_a_change_is_read_again() -> None:
    clock = FakeClock()
    credentials = SlowCredentials(clock)
    recognizer = Recognizer(credentials, clock)
    Deferred.fromCoroutine(recognizer.directory())
    recognizer.forget()
    credentials.asked[0].callback(Directory([]))
    Deferred.fromCoroutine(recognizer.directory())
    assert len(credentials.asked) == 2


def test_a_token_made_a_moment_ago_is_known_though_a_reading_under_way_is_older() -> None:
    clock = FakeClock()
    credentials = SlowCredentials(clock)
    recognizer = Recognizer(credentials, clock)
    Deferred.fromCoroutine(recognizer.directory())
    credentials.asked[0].callback(Directory([]))
    token = credentials.make("token", "ci")
    asked = Asked("GET", "/api/v1/workers", {}, {"authorization": f"Bearer {token}"})
    recognizer.forget()
    Deferred.fromCoroutine(recognizer.directory())
    asking = [Deferred.fromCoroutine(recognizer.who(asked)) for _ in range(2)]
    roles: list[str] = []
    for each in asking:
        each.addCallback(lambda who: roles.append(who.role))
    credentials.asked[1].callback(Directory([]))
    credentials.asked[2].callback(Directory(credentials.rows))
    credentials.asked[3].callback(Directory(credentials.rows))
    assert roles == ["token", "token"]


def test_an_unknown_token_is_refused_after_one_more_reading() -> None:
    clock = FakeClock()
    recognizer = Recognizer(FakeCredentials(clock), clock)
    asked = Asked("GET", "/api/v1/workers", {}, {"authorization": f"Bearer {new_secret(Kind.TOKEN)}"})
    with pytest.raises(Refusal, match="does not hold"):
        result_of(recognizer.who(asked))


def test_without_a_database_the_last_reading_holds_and_without_one_nobody_is_known() -> None:
    clock = FakeClock()
    credentials = FakeCredentials(clock)
    recognizer = Recognizer(credentials, clock)
    credentials.reason = "The database is locked."
    with pytest.raises(Refusal, match="The database is locked"):
        result_of(recognizer.directory())
    credentials.reason = None
    kept = result_of(recognizer.directory())
    credentials.reason = "The database is locked."
    clock.seconds += 60
    assert result_of(recognizer.directory()) is kept


def test_a_bug_leaves_nobody_waiting() -> None:
    class Broken(FakeCredentials):
        async def directory(self) -> Directory:
            raise ZeroDivisionError

    with pytest.raises(Refusal, match="a bug of the pool"):
        result_of(Recognizer(Broken(FakeClock()), FakeClock()).directory())
