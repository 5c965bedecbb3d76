"""Messages to people: what is looked at, when it is told, what is kept; without a socket or a thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct
from msgspec.structs import replace
from twisted.internet.task import Clock

from pool.alert_options import AlertOptions
from pool.alerts.channel import Message
from pool.alerts.delivery import DeliveryFailed
from pool.config import Config
from pool.dashboard.role_rows import WorkRole
from pool.dashboard.rows import LiveView, Rate
from pool.ports import StoreUnavailable
from pool.roles.alerts import LOOK_SECONDS, SETTLE_SECONDS, Alerts, AlertSources
from pool.store.redis import Silence
from tests.fakes import FakeClock
from tests.pool.dashboard.fakes import NOW_MS, FakeFleets, FakeLive, block_detail, books, live_view, worker
from tests.pool.dashboard.running import here

BASELINE = 60.0
INTERVAL = 30.0
REFUSED = "blocks: 1 of our blocks refused by a node in the last six hours"


class Sign(Struct, frozen=True):
    role: str
    name: str
    time_ms: int
    data: Mapping[str, object]


class FakeSigns:
    def __init__(self) -> None:
        self.alarms: list[dict[str, str]] = []
        self.silence: Silence | None = None
        self.is_down = False

    def read_roles(self) -> Sequence[Sign]:
        self._ask()
        return [Sign("accounting", "0", NOW_MS, {"alerts": self.alarms})]

    def silenced(self) -> Silence | None:
        self._ask()
        return self.silence

    def _ask(self) -> None:
        if self.is_down:
            raise StoreUnavailable("Redis is not running")


class Bench:
    """The role's part with its clocks in hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FakeClock(NOW_MS)
        self.live = FakeLive(_always_fresh(live_view([worker("bit.kz-1")])))
        self.books = books()
        self.signs = FakeSigns()
        self.sent: list[Message] = []
        self.failure = ""
        self.start()

    def start(self) -> None:
        self.reactor = Clock()
        options = AlertOptions(baseline_seconds=BASELINE, interval_seconds=INTERVAL)
        config: Any = msgspec.convert(
            {"pool": {"chain": "regtest", "payout_address": "x" * 14, "data_dir": str(self.folder)},
             "node": [{"url": "http://127.0.0.1:1"}]},
            Config,
        )  # fmt: skip
        sources = AlertSources(self.live, self.books, FakeFleets(), self.signs)
        self.alerts = Alerts(
            replace(config, alerts=options), self.reactor, self.clock, sources, {"webhook": self._send}, here
        )
        self.alerts.start()

    def _send(self, message: Message) -> None:
        if self.failure:
            raise DeliveryFailed(self.failure)
        self.sent.append(message)

    def after(self, seconds: float) -> list[str]:
        """The titles that are told in this time; OVER before those that are over."""
        told = len(self.sent)
        for _ in range(int(seconds / LOOK_SECONDS)):
            self.clock.advance(LOOK_SECONDS)
            self.reactor.advance(LOOK_SECONDS)
        return [title for message in self.sent[told:] for title in _titles(message)]

    def alarm(self, key: str = "late", severity: str = "warn") -> None:
        self.signs.alarms.append({"key": key, "severity": severity, "title": key, "text": key})

    def blocks_refused(self, count: int) -> None:
        self.work_role(replace(self.live.content.roles.work["main"], blocks_refused=count))

    def work_role(self, role: WorkRole | None) -> None:
        self.live.content = replace(
            self.live.content, roles=replace(self.live.content.roles, work={} if role is None else {"main": role})
        )

    def find_a_block(self, height: int) -> None:
        found = block_detail(0, "candidate", 0)
        newer = replace(found, block=replace(found.block, height=height, found_ms=NOW_MS + 1, hash_hex="ab" * 32))
        self.books.details.insert(0, newer)


def _always_fresh(view: LiveView) -> LiveView:
    """With a template that never grows old."""
    work = view.roles.work["main"]
    assert work.job is not None
    job = replace(work.job, template_ms=NOW_MS + 10**9)
    return replace(view, roles=replace(view.roles, work={"main": replace(work, job=job)}))


def _titles(message: Message) -> list[str]:
    over = [f"OVER {alert.title}" for alert in message.resolved]
    return [alert.title for alert in message.raised] + [notice.title for notice in message.notices] + over


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


class TestBaseline:
    def test_what_is_wrong_at_the_very_first_start_is_not_told(self, bench: Bench) -> None:
        bench.alarm()
        assert bench.after(600) == []

    def test_what_comes_later_is_and_so_is_its_end(self, bench: Bench) -> None:
        bench.after(BASELINE)
        bench.alarm()
        assert bench.after(120) == ["late"]
        bench.signs.alarms.clear()
        assert bench.after(200) == ["OVER late"]

    def test_a_restart_tells_nothing_again(self, bench: Bench) -> None:
        bench.after(BASELINE)
        bench.alarm()
        assert bench.after(120) == ["late"]
        bench.alerts.stop()
        bench.start()
        assert bench.after(600) == []

    def test_what_began_while_it_was_away_is_told_after_the_baseline(self, bench: Bench) -> None:
        bench.after(BASELINE)
        bench.alerts.stop()
        bench.alarm()
        bench.start()
        assert bench.after(BASELINE - LOOK_SECONDS) == []
        assert bench.after(120) == ["late"]

    def test_a_damaged_file_is_as_none(self, bench: Bench) -> None:
        bench.after(BASELINE)
        bench.alerts.stop()
        (bench.folder / "told.json").write_text("{")
        bench.start()
        bench.alarm()
        assert bench.after(300) == []


class TestMaintenance:
    def test_it_silences_what_whoever_works_on_the_pool_brings_about(self, bench: Bench) -> None:
        bench.after(BASELINE)
        bench.signs.silence = Silence(bench.clock.now_ms + 3_600_000, "new switch")
        bench.alarm(severity="page")
        assert bench.after(1800) == []

    def test_what_is_still_wrong_at_its_end_is_told_then(self, bench: Bench) -> None:
        bench.after(BASELINE)
        bench.signs.silence = Silence(bench.clock.now_ms + 600_000, "")
        bench.alarm("stays")
        bench.alarm("goes")
        bench.after(300)
        bench.signs.alarms.pop()
        bench.signs.silence = None
        assert bench.after(120) == ["stays"]

    def test_it_does_not_silence_what_is_about_blocks_and_money(self, bench: Bench) -> None:
        bench.after(BASELINE)
        bench.signs.silence = Silence(bench.clock.now_ms + 3_600_000, "new switch")
        bench.alarm(severity="page")
        bench.blocks_refused(1)
        assert bench.after(120) == [REFUSED]
        bench.blocks_refused(0)
        assert bench.after(INTERVAL + 120) == [f"OVER {REFUSED}"]

    def test_what_was_told_before_it_is_not_over_because_it_is_silenced(self, bench: Bench) -> None:
        bench.after(BASELINE)
        bench.alarm("stays")
        assert bench.after(120) == ["stays"]
        bench.signs.silence = Silence(bench.clock.now_ms + 3_600_000, "")
        bench.blocks_refused(1)
        assert len(bench.after(INTERVAL + 120)) == 1
        bench.signs.silence = None
        assert bench.after(INTERVAL + 120) == []

    def test_blocks_that_are_found_meanwhile_are_told_at_its_end(self, bench: Bench) -> None:
        bench.after(BASELINE)
        bench.signs.silence = Silence(bench.clock.now_ms + 600_000, "")
        bench.find_a_block(840_000)
        bench.blocks_refused(1)
        assert bench.after(120) == [REFUSED]
        bench.signs.silence = None
        assert "Block 840000 found" in bench.after(INTERVAL + 120)

    def test_at_the_very_first_start_it_does_not_cut_short_what_is_taken_as_known(self, bench: Bench) -> None:
        bench.signs.silence = Silence(bench.clock.now_ms + 3_600_000, "")
        bench.alarm()
        bench.after(BASELINE + 120)
        bench.signs.silence = None
        assert bench.after(300) == []

    def test_it_ends_at_its_time_also_while_redis_is_away(self, bench: Bench) -> None:
        bench.after(BASELINE)
        bench.signs.silence = Silence(bench.clock.now_ms + 120_000, "")
        bench.after(LOOK_SECONDS)
        bench.signs.is_down = True
        bench.live.reason = "Redis is not running."
        assert bench.after(90) == []
        assert "redis: Redis is not running." in bench.after(120)


class TestUnknown:
    def test_what_nobody_can_know_meanwhile_is_not_over(self, bench: Bench) -> None:
        bench.after(BASELINE)
        bench.blocks_refused(1)
        assert len(bench.after(120)) == 1
        bench.work_role(None)
        told = bench.after(INTERVAL + 120)
        assert [title for title in told if title.startswith("OVER")] == []


class TestDelivery:
    def test_what_did_not_arrive_is_tried_again(self, bench: Bench) -> None:
        bench.after(BASELINE)
        bench.failure = "webhook at x answers 503"
        bench.alarm()
        assert bench.after(300) == []
        bench.failure = ""
        assert bench.after(600) == ["late"]

    def test_much_at_once_is_one_message_in_a_time(self, bench: Bench) -> None:
        bench.after(BASELINE)
        for number in range(40):
            bench.alarm(f"a{number}")
        bench.after(INTERVAL * 4)
        assert [len(message.raised) for message in bench.sent] == [40]

    def test_a_bug_in_one_look_does_not_end_looking(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        bench.after(BASELINE)
        content, bench.live.content = bench.live.content, None  # type: ignore[assignment]
        bench.after(LOOK_SECONDS)
        bench.live.content = content
        bench.alarm()
        assert "late" in bench.after(300)


class TestWhatIsLookedAt:
    def test_what_readyz_says(self, bench: Bench) -> None:
        bench.after(BASELINE)
        bench.books.reason = "The database is locked."
        assert "database: The database is locked." in bench.after(120)

    def test_a_block_is_told_once_and_those_of_before_never(self, bench: Bench) -> None:
        assert bench.after(BASELINE + 60) == []
        bench.find_a_block(700_000)
        assert bench.after(120) == ["Block 700000 found"]

    def test_an_account_that_brings_nothing_any_more(self, bench: Bench) -> None:
        bench.after(SETTLE_SECONDS)
        _fall(bench)
        assert "account bit brings hardly any shares" in bench.after(120)

    def test_which_is_not_over_by_a_restart(self, bench: Bench) -> None:
        bench.after(SETTLE_SECONDS)
        _fall(bench)
        bench.after(120)
        bench.alerts.stop()
        bench.start()
        assert bench.after(SETTLE_SECONDS + 300) == []

    def test_but_not_when_miners_could_not_reach_the_pool(self, bench: Bench) -> None:
        bench.after(SETTLE_SECONDS)
        _fall(bench)
        view = bench.live.content
        bench.live.content = replace(view, roles=replace(view.roles, stratum=()))
        assert not [title for title in bench.after(120) if "brings" in title]
        bench.live.content = view
        assert not [title for title in bench.after(SETTLE_SECONDS - 60) if "brings" in title]


def _fall(bench: Bench) -> None:
    view = bench.live.content
    (account,) = view.accounts
    rate = replace(account.activity.hashrate, five_minutes=Rate(0.0, None))
    bench.live.content = replace(view, accounts=(replace(account, activity=replace(account.activity, hashrate=rate)),))
