"""Something that is wrong now, something that happened, and the one place to which all of it is reported."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final, Literal

from msgspec import Struct

Severity = Literal["info", "warn", "page"]
SEVERITIES: Final[tuple[Severity, ...]] = ("info", "warn", "page")
"""From the least: when there is time; today; now."""

NOTICES_MAX: Final = 100
"""That wait for a channel which takes nothing; the oldest go first."""


class Alert(Struct, frozen=True):
    """Something that is wrong, for as long as it is. key: the same for the same trouble, whatever its text says. mend:
    what to do."""

    key: str
    severity: Severity
    title: str
    text: str
    mend: str = ""


class Notice(Struct, frozen=True):
    """Something that happened, and is told once. number: counted from 1 by the bus."""

    title: str
    text: str
    number: int = 0


class AlertBus:
    """The one place: each source says all that is wrong with it now, and what it does not say any more is over."""

    def __init__(self) -> None:
        self._of: dict[str, dict[str, Alert]] = {}
        self._unknown: dict[str, frozenset[str]] = {}
        self._notices: deque[Notice] = deque(maxlen=NOTICES_MAX)
        self._told = 0

    def report(self, source: str, alerts: Iterable[Alert], unknown: Iterable[str] = ()) -> None:
        """All that is wrong now by this source; unknown: keys of what it cannot know now. While it can know nothing it
        says nothing, and what it said holds."""
        self._of[source] = {f"{source}:{alert.key}": alert for alert in alerts}
        self._unknown[source] = frozenset(f"{source}:{key}" for key in unknown)

    def has_heard_of(self, key: str) -> bool:
        """Whether the source of that key knows of it: what it does not say is over only then."""
        source = key.partition(":")[0]
        return source in self._of and key not in self._unknown[source]

    def tell(self, title: str, text: str) -> None:
        """Something happened."""
        self._told += 1
        self._notices.append(Notice(title, text, self._told))

    def firing(self) -> dict[str, Alert]:
        """All that is wrong now, by the source and its key."""
        return {key: alert for alerts in self._of.values() for key, alert in alerts.items()}

    def notices(self, after: int) -> list[Notice]:
        """What happened since that number."""
        return [notice for notice in self._notices if notice.number > after]
