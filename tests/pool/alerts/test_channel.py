"""What one channel has told, and what it has to tell next."""

from __future__ import annotations

from pool.alerts.alert import Alert, Notice
from pool.alerts.channel import CALM_SECONDS, HOLD_SECONDS, RETRY_SECONDS_MAX, RETRY_SECONDS_MIN, Channel, Message

DISK = {"health:disk": Alert("disk", "warn", "the disk is nearly full", "1 GiB is free")}
NODE = {"health:nodes": Alert("nodes", "page", "no node gives work", "all are down")}
INTERVAL = 300.0


def keys(message: Message | None) -> list[str] | None:
    return None if message is None else [alert.key for alert in message.raised]


class Bench:
    """A channel whose messages arrive."""

    def __init__(self, told: dict[str, Alert] | None = None) -> None:
        self.channel = Channel("warn", INTERVAL, told)
        self.now = 1000.0

    def after(self, seconds: float, firing: dict[str, Alert], *notices: Notice, arrives: bool = True) -> Message | None:
        self.now += seconds
        message = self.channel.due(firing, list(notices), self.now)
        if message is not None:
            (self.channel.sent if arrives else self.channel.failed)(self.now)
        return message


def test_what_is_wrong_is_told_once_after_it_held() -> None:
    bench = Bench()
    assert bench.after(0, DISK) is None
    assert keys(bench.after(HOLD_SECONDS["warn"], DISK)) == ["disk"]
    assert bench.after(INTERVAL, DISK) is None


def test_what_is_gone_before_it_held_is_never_told() -> None:
    bench = Bench()
    bench.after(0, DISK)
    bench.after(30, {})
    assert bench.after(HOLD_SECONDS["warn"], DISK) is None


def test_a_page_is_told_sooner() -> None:
    bench = Bench()
    bench.after(0, NODE)
    assert keys(bench.after(HOLD_SECONDS["page"], NODE)) == ["nodes"]


def test_it_is_over_when_it_stayed_away_for_a_time() -> None:
    bench = Bench(DISK)
    assert bench.after(0, {}) is None
    message = bench.after(CALM_SECONDS, {})
    assert message is not None
    assert [alert.key for alert in message.resolved] == ["disk"]
    assert bench.after(INTERVAL, {}) is None


def test_what_comes_and_goes_is_told_once() -> None:
    bench = Bench()
    told = [bench.after(CALM_SECONDS / 2, DISK if number % 4 else {}) for number in range(40)]
    assert [keys(message) for message in told if message] == [["disk"]]


def test_one_message_in_a_time_has_all_the_news_the_worst_first() -> None:
    bench = Bench()
    bench.after(0, DISK)
    bench.after(60, DISK)
    both = DISK | NODE | {"health:chain": Alert("chain", "warn", "unknown", "")}
    assert bench.after(60, both) is None
    assert keys(bench.after(INTERVAL, both)) == ["nodes", "chain"]


def test_what_became_worse_is_told_again_and_what_became_better_is_not() -> None:
    bench = Bench(DISK)
    worse = {"health:disk": Alert("disk", "page", "the disk is full", "")}
    assert keys(bench.after(0, worse)) == ["disk"]
    assert bench.after(INTERVAL, DISK) is None


def test_a_message_that_failed_is_tried_again_ever_more_seldom_with_the_news_of_then() -> None:
    bench = Bench()
    bench.after(0, DISK)
    assert bench.after(60, DISK, arrives=False) is not None
    assert bench.after(RETRY_SECONDS_MIN - 1, DISK) is None
    assert bench.after(1, DISK, arrives=False) is not None
    assert bench.after(RETRY_SECONDS_MIN, DISK | NODE) is None
    assert keys(bench.after(HOLD_SECONDS["page"], DISK | NODE)) == ["nodes", "disk"]
    assert bench.channel.failures == 0


def test_it_never_waits_longer_than_a_quarter_of_an_hour() -> None:
    bench = Bench()
    bench.after(0, DISK)
    for _ in range(40):
        assert bench.after(RETRY_SECONDS_MAX, DISK, arrives=False) is not None


def test_what_was_there_before_anybody_listened_is_not_told_but_its_like_is() -> None:
    bench = Bench()
    bench.channel.adopt(DISK)
    assert bench.after(100, DISK) is None
    bench.after(0, DISK | NODE)
    assert keys(bench.after(60, DISK | NODE)) == ["nodes"]


def test_after_a_restart_nothing_is_told_again_and_what_is_over_is() -> None:
    bench = Bench(DISK | NODE)
    assert bench.after(0, DISK) is None
    message = bench.after(CALM_SECONDS, DISK)
    assert message is not None
    assert (message.raised, [alert.key for alert in message.resolved]) == ((), ["nodes"])


def test_what_is_less_than_wanted_is_never_told() -> None:
    bench = Bench()
    info = {"roles:x": Alert("x", "info", "nothing much", "")}
    bench.after(0, info)
    assert bench.after(1000, info) is None


def test_what_happened_is_told_once_also_after_a_failure() -> None:
    bench = Bench()
    block = Notice("Block 7 found", "", 1)
    assert bench.after(0, {}, block, arrives=False) is not None
    message = bench.after(RETRY_SECONDS_MIN, {}, block)
    assert message is not None
    assert message.notices == (block,)
    assert bench.after(INTERVAL, {}, block) is None


def test_what_nobody_can_know_yet_is_not_over() -> None:
    channel = Channel("warn", INTERVAL, DISK)
    assert [channel.due({}, [], now, lambda key: False) for now in (0.0, 100.0, 200.0)] == [None] * 3
    channel.due({}, [], 300.0)
    assert channel.due({}, [], 300.0 + CALM_SECONDS) is not None
