"""pool.access.lockout."""

from __future__ import annotations

from pool.access.lockout import FORGET_SECONDS, FREE_FAILURES, KEYS_MAX, WAIT_SECONDS, WAIT_SECONDS_MAX, Lockout


def failed(times: int, address: str = "192.0.2.1", name: str = "anna") -> Lockout:
    lockout = Lockout()
    for _ in range(times):
        lockout.failed(address, name, 0)
    return lockout


def test_a_few_failures_are_free() -> None:
    assert failed(FREE_FAILURES - 1).wait_seconds("192.0.2.1", "anna", 0) <= 0


def test_then_address_and_name_wait() -> None:
    lockout = failed(FREE_FAILURES)
    assert lockout.wait_seconds("192.0.2.1", "bert", 0) == WAIT_SECONDS
    assert lockout.wait_seconds("198.51.100.1", "anna", 0) == WAIT_SECONDS
    assert lockout.wait_seconds("198.51.100.1", "bert", 0) <= 0
    assert lockout.wait_seconds("192.0.2.1", "anna", WAIT_SECONDS) <= 0


def test_each_failure_doubles_the_wait_up_to_a_limit() -> None:
    assert failed(FREE_FAILURES + 1).wait_seconds("192.0.2.1", "anna", 0) == 2 * WAIT_SECONDS
    assert failed(FREE_FAILURES + 1_000).wait_seconds("192.0.2.1", "anna", 0) == WAIT_SECONDS_MAX


def test_only_the_failure_that_begins_a_wait_says_so() -> None:
    lockout = failed(FREE_FAILURES - 1)
    assert lockout.failed("192.0.2.1", "anna", 0)
    assert not Lockout().failed("192.0.2.1", "anna", 0)


def test_long_after_the_last_one_it_begins_anew() -> None:
    lockout = failed(FREE_FAILURES + 10)
    later = FORGET_SECONDS + 1
    assert not lockout.failed("192.0.2.1", "anna", later)
    assert lockout.wait_seconds("192.0.2.1", "anna", later) <= 0


def test_a_success_ends_it_and_makes_the_address_known_for_that_name() -> None:
    lockout = failed(3)
    lockout.succeeded("192.0.2.1", "anna")
    for number in range(FREE_FAILURES):
        lockout.failed(f"198.51.100.{number}", "anna", 0)
    assert lockout.wait_seconds("192.0.2.1", "anna", 0) <= 0
    assert lockout.wait_seconds("203.0.113.1", "anna", 0) == WAIT_SECONDS


def test_a_known_address_waits_for_its_own_failures() -> None:
    lockout = Lockout()
    lockout.succeeded("192.0.2.1", "anna")
    for _ in range(FREE_FAILURES):
        lockout.failed("192.0.2.1", "anna", 0)
    assert lockout.wait_seconds("192.0.2.1", "anna", 0) == WAIT_SECONDS


def test_the_addresses_of_one_ipv6_subscriber_are_one() -> None:
    lockout = Lockout()
    for number in range(FREE_FAILURES):
        lockout.failed(f"2001:db8:0:1::{number}", "", 0)
    assert lockout.wait_seconds("2001:db8:0:1:ffff::1", "", 0) == WAIT_SECONDS
    assert lockout.wait_seconds("2001:db8:0:2::1", "", 0) <= 0


def test_who_names_nobody_locks_nobody_elsewhere() -> None:
    assert failed(FREE_FAILURES, name="").wait_seconds("198.51.100.1", "", 0) <= 0


def test_what_is_remembered_is_bounded() -> None:
    lockout = Lockout()
    for number in range(KEYS_MAX + 10):
        lockout.failed(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", "", 0)
        lockout.succeeded(f"11.{number >> 16}.{number >> 8 & 255}.{number & 255}", "")
    assert len(lockout._failures) == KEYS_MAX
    assert len(lockout._known) == KEYS_MAX
