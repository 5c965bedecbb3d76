"""What one channel has told its people, and what it has to tell them next.

No message waits in a queue: whenever the channel may speak, what it told is compared with what is wrong now. So an
attempt that failed is made again with the news of then, what came and went meanwhile is not told at all, nothing is
told twice, and there is at most one message in a time, however much happens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from pool.alerts.alert import SEVERITIES, Alert, Notice, Severity

HOLD_SECONDS: Final[Mapping[Severity, float]] = {"info": 60.0, "warn": 60.0, "page": 15.0}
"""Something must be wrong for so long before it is told."""

CALM_SECONDS: Final = 60.0
"""And be right for so long before it is over."""

RETRY_SECONDS_MIN: Final = 10.0
RETRY_SECONDS_MAX: Final = 900.0


class Message(Struct, frozen=True):
    """News: what is wrong since the last one, what is over, what happened."""

    raised: tuple[Alert, ...]
    resolved: tuple[Alert, ...]
    notices: tuple[Notice, ...]

    @property
    def severity(self) -> Severity:
        """Of the worst in it."""
        return max((alert.severity for alert in self.raised), key=SEVERITIES.index, default="info")


class Channel:
    """The state of one channel. Times are of a clock that never steps. told: as it was kept over a restart."""

    def __init__(self, least: Severity, interval_seconds: float, told: Mapping[str, Alert] | None = None) -> None:
        """least: what is less than that is not told. interval_seconds: between two messages."""
        self._least = SEVERITIES.index(least)
        self._interval_seconds = interval_seconds
        self.told: dict[str, Alert] = dict(told or {})
        self._since: dict[str, float] = {}
        self._gone: dict[str, float] = {}
        self._notices_told = 0
        self._next_at = float("-inf")
        self._failures = 0
        self._pending: tuple[Message, dict[str, Alert], int] | None = None

    @property
    def failures(self) -> int:
        """How many attempts in a row have failed."""
        return self._failures

    def adopt(self, firing: Mapping[str, Alert]) -> None:
        """All that is wrong now is known: it was there before anybody listened."""
        self.told = {key: alert for key, alert in firing.items() if self._is_told(alert)}

    def due(
        self,
        firing: Mapping[str, Alert],
        notices: list[Notice],
        now: float,
        is_known: Callable[[str], bool] = lambda key: True,
    ) -> Message | None:
        """What is to be told now, if anything. Follow it by `sent` or `failed`. is_known: whether it is known now if
        that key is still wrong; while it is not, it is not over."""
        firing = {key: alert for key, alert in firing.items() if self._is_told(alert)}
        self._since = {key: self._since.get(key, now) for key in firing}
        gone = (key for key in self.told if key not in firing and is_known(key))
        self._gone = {key: self._gone.get(key, now) for key in gone}
        if now < self._next_at:
            return None
        raised = {key: alert for key, alert in firing.items() if self._is_news(key, alert, now)}
        over = [key for key, since in self._gone.items() if now - since >= CALM_SECONDS]
        fresh = [notice for notice in notices if notice.number > self._notices_told]
        if not raised and not over and not fresh:
            return None
        worst_first = sorted(raised.values(), key=lambda alert: -SEVERITIES.index(alert.severity))
        message = Message(tuple(worst_first), tuple(self.told[key] for key in over), tuple(fresh))
        after = {key: alert for key, alert in self.told.items() if key not in over} | raised
        last = max((notice.number for notice in fresh), default=self._notices_told)
        self._pending = (message, after, last)
        return message

    def sent(self, now: float) -> None:
        """The message that was due has arrived."""
        if self._pending is not None:
            _, self.told, self._notices_told = self._pending
        self._pending, self._failures = None, 0
        self._next_at = now + self._interval_seconds

    def failed(self, now: float) -> None:
        """It has not. The next attempt comes later and later."""
        self._pending = None
        wait = min(RETRY_SECONDS_MIN * 2.0**self._failures, RETRY_SECONDS_MAX)
        self._failures = min(self._failures + 1, 32)
        self._next_at = now + wait

    def _is_told(self, alert: Alert) -> bool:
        return SEVERITIES.index(alert.severity) >= self._least

    def _is_news(self, key: str, alert: Alert, now: float) -> bool:
        known = self.told.get(key)
        if known is not None:
            return SEVERITIES.index(alert.severity) > SEVERITIES.index(known.severity)
        return now - self._since[key] >= HOLD_SECONDS[alert.severity]
