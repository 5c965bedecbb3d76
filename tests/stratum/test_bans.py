"""stratum.bans: short, growing, ending, and never for those who mine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratum.bans import Ban, Bans, Key, origin_of
from stratum.limits import (
    ADDRESS_OFFENCES_MAX,
    BAN_MEMORY_SECONDS,
    BAN_SECONDS,
    BAN_SECONDS_MAX,
    GOOD_SECONDS,
    OFFENCE_SECONDS,
    OFFENDERS_MAX,
    WORKER_OFFENCES_MAX,
)
from stratum.sources import Sources

HERE = "203.0.113.7"
BAD = "mallory.rig"


def nobody(key: Key) -> bool:
    return False


def bans() -> Bans:
    return Bans(Sources([]))


def offend(table: Bans, times: int, *, login: str | None = BAD, now: float = 0.0, address: str = HERE) -> list[Ban]:
    return [ban for _ in range(times) for ban in table.offended(address, login, now, nobody)]


class TestSteps:
    def test_a_few_offences_cost_their_sessions_only(self) -> None:
        table = bans()
        assert offend(table, WORKER_OFFENCES_MAX - 1) == []
        assert table.until(HERE, BAD, 0.0) is None

    def test_then_the_worker_is_banned(self) -> None:
        table = bans()
        assert offend(table, WORKER_OFFENCES_MAX) == [Ban(HERE, BAD, BAN_SECONDS)]
        assert table.until(HERE, BAD, 0.0) == BAN_SECONDS

    def test_and_no_other_one(self) -> None:
        table = bans()
        offend(table, WORKER_OFFENCES_MAX)
        assert table.until(HERE, "mallory.rig2", 0.0) is None
        assert table.until("203.0.113.8", BAD, 0.0) is None
        assert table.until(HERE, None, 0.0) is None

    def test_then_the_address(self) -> None:
        table = bans()
        offend(table, ADDRESS_OFFENCES_MAX, login=None)
        assert table.until(HERE, None, 0.0) == BAN_SECONDS

    def test_also_by_many_names(self) -> None:
        table = bans()
        for number in range(ADDRESS_OFFENCES_MAX):
            offend(table, 1, login=f"mallory.{number}")
        assert table.until(HERE, None, 0.0) is not None

    def test_offences_over_a_long_time_do_not_add_up(self) -> None:
        table = bans()
        for number in range(WORKER_OFFENCES_MAX * 3):
            assert offend(table, 1, now=number * (OFFENCE_SECONDS + 1)) == []

    def test_an_origin_of_ipv6_is_a_network_of_64_bits(self) -> None:
        table = bans()
        for number in range(ADDRESS_OFFENCES_MAX):
            offend(table, 1, login=None, address=f"2001:db8::{number:x}")
        assert table.until(origin_of("2001:db8::ffff:1"), None, 0.0) is not None
        assert table.until(origin_of("2001:db8:0:1::1"), None, 0.0) is None

    @pytest.mark.parametrize("address", ["203.0.113.7", "unknown", "nonsense:1"])
    def test_any_other_address_stands_for_itself(self, address: str) -> None:
        assert origin_of(address) == address

    def test_a_network_that_is_never_banned_is_not(self) -> None:
        table = Bans(Sources(["203.0.113.0/24"]))
        assert offend(table, 10 * ADDRESS_OFFENCES_MAX) == []


class TestTime:
    def test_a_ban_ends(self) -> None:
        table = bans()
        offend(table, WORKER_OFFENCES_MAX)
        assert table.until(HERE, BAD, BAN_SECONDS) is None

    def test_the_next_one_is_twice_as_long_up_to_a_ceiling(self) -> None:
        table, now, lengths = bans(), 0.0, []
        for _ in range(10):
            [ban] = [each for each in offend(table, WORKER_OFFENCES_MAX, now=now) if each.login is not None]
            lengths.append(ban.seconds)
            now += ban.seconds
        assert lengths[:3] == [BAN_SECONDS, 2 * BAN_SECONDS, 4 * BAN_SECONDS]
        assert lengths[-1] == BAN_SECONDS_MAX

    def test_after_a_quiet_time_it_is_a_first_one(self) -> None:
        table = bans()
        offend(table, WORKER_OFFENCES_MAX)
        later = BAN_SECONDS + BAN_MEMORY_SECONDS + 1
        assert offend(table, WORKER_OFFENCES_MAX, now=later) == [Ban(HERE, BAD, BAN_SECONDS)]

    def test_offences_during_a_ban_do_not_lengthen_it(self) -> None:
        table = bans()
        offend(table, WORKER_OFFENCES_MAX)
        offend(table, WORKER_OFFENCES_MAX - 1, now=1.0)
        assert table.until(HERE, BAD, 1.0) == BAN_SECONDS


class TestTheGood:
    def test_who_mined_within_the_hour_is_not_banned(self) -> None:
        table = bans()
        table.proved_good(HERE, BAD, 0.0)
        assert offend(table, 10 * ADDRESS_OFFENCES_MAX, now=GOOD_SECONDS - 1) == []

    def test_later_it_is_one_like_others(self) -> None:
        table = bans()
        table.proved_good(HERE, BAD, 0.0)
        assert offend(table, WORKER_OFFENCES_MAX, now=GOOD_SECONDS) != []

    def test_a_good_worker_keeps_its_address_open_but_not_other_workers(self) -> None:
        table = bans()
        table.proved_good(HERE, "alice.rig", 0.0)
        assert {ban.login for ban in offend(table, 10 * ADDRESS_OFFENCES_MAX)} == {BAD}

    def test_a_live_session_with_a_share_does_too(self) -> None:
        table = bans()
        found = [table.offended(HERE, None, 0.0, lambda key: key == (HERE, None)) for _ in range(100)]
        assert not any(found)

    def test_a_share_ends_a_ban(self) -> None:
        table = bans()
        offend(table, ADDRESS_OFFENCES_MAX)
        table.proved_good(HERE, BAD, 1.0)
        assert (table.until(HERE, BAD, 1.0), table.until(HERE, None, 1.0)) == (None, None)

    def test_live_sessions_are_looked_through_seldom(self) -> None:
        table, asked = bans(), list[Key]()

        def look(key: Key) -> bool:
            asked.append(key)
            return True

        for _ in range(10 * ADDRESS_OFFENCES_MAX):
            table.offended(HERE, None, 0.0, look)
        assert len(asked) == 10


def test_its_memory_is_bounded() -> None:
    table = bans()
    for number in range(OFFENDERS_MAX + 10):
        table.offended(f"host{number}", None, 0.0, nobody)
    assert len(table._offenders) == OFFENDERS_MAX


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.floats(0, 900)), max_size=200))
def test_a_good_worker_is_never_banned_whatever_others_do(steps: list[tuple[int, int, float]]) -> None:
    """The good one is at origin 0 as login 0, and mines again at least hourly; the others only offend."""
    table, now, mined = bans(), 0.0, 0.0
    table.proved_good("o0", "l0", now)
    for origin, login, pause in steps:
        now += pause
        if now - mined >= GOOD_SECONDS - 900:
            table.proved_good("o0", "l0", now)
            mined = now
        table.offended(f"o{origin}", f"l{login}" if login else None, now, nobody)
        assert table.until("o0", None, now) is None
        assert table.until("o0", "l0", now) is None
