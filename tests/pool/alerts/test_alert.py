"""The one place to which all that is wrong is reported."""

from __future__ import annotations

from pool.alerts.alert import NOTICES_MAX, Alert, AlertBus

FULL = Alert("disk", "warn", "the disk is nearly full", "1 GiB is free")


def test_what_a_source_does_not_say_any_more_is_over() -> None:
    bus = AlertBus()
    bus.report("health", [FULL])
    assert bus.firing() == {"health:disk": FULL}
    bus.report("health", [])
    assert bus.firing() == {}


def test_two_sources_may_have_the_same_key() -> None:
    bus = AlertBus()
    bus.report("health", [FULL])
    bus.report("roles", [FULL])
    bus.report("health", [])
    assert bus.firing() == {"roles:disk": FULL}


def test_what_happened_is_counted_and_told_from_a_number_on() -> None:
    bus = AlertBus()
    bus.tell("Block 1 found", "")
    bus.tell("Block 2 found", "")
    assert [(notice.number, notice.title) for notice in bus.notices(1)] == [(2, "Block 2 found")]


def test_of_very_much_that_happened_the_newest_is_kept() -> None:
    bus = AlertBus()
    for number in range(NOTICES_MAX + 5):
        bus.tell(f"Block {number}", "")
    assert [notice.number for notice in bus.notices(0)][:1] == [6]


def test_of_a_source_that_has_said_nothing_yet_nothing_is_over() -> None:
    bus = AlertBus()
    assert not bus.has_heard_of("hashrate:site ganzi")
    bus.report("hashrate", [])
    assert bus.has_heard_of("hashrate:site ganzi")
