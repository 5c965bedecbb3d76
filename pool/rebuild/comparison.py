"""What was compared, and every difference, said so that a person can look for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

DIFFERENCES_MAX = 100
"""How many of a kind are told one by one; all are counted."""


class Check(Struct):
    """One kind of thing that was compared.

    live, rebuilt: how many there are. differences: the first of them; different: how many in all. note: where what was
    compared came from, if not all of it from the journals.
    """

    what: str
    note: str = ""
    live: int = 0
    rebuilt: int = 0
    different: int = 0
    differences: list[str] = []

    def differs(self, text: str) -> None:
        """Note a difference."""
        self.different += 1
        if len(self.differences) < DIFFERENCES_MAX:
            self.differences.append(text)

    def pair(self, name: str, live: object, rebuilt: object) -> None:
        """Compare one thing; None: not there."""
        self.live += live is not None
        self.rebuilt += rebuilt is not None
        if live != rebuilt:
            self.differs(f"{name}: {_told(live)} live, {_told(rebuilt)} rebuilt")

    def mappings(self, live: Mapping[Any, object], rebuilt: Mapping[Any, object]) -> Check:
        """Compare things by name."""
        for key in sorted({*live, *rebuilt}, key=str):
            self.pair(_named(key), live.get(key), rebuilt.get(key))
        return self


class Report(Struct):
    """The outcome. seconds: by part."""

    checks: list[Check]
    taken_over: list[str]
    records: int = 0
    seconds: dict[str, float] = {}
    identical: bool = True

    def add(self, checks: Iterable[Check]) -> None:
        """What was compared further."""
        for check in checks:
            self.checks.append(check)
            self.identical = self.identical and not check.different

    def lines(self) -> Iterator[str]:
        """As text: a table, then the differences."""
        width = max(len(check.what) for check in self.checks)
        yield f"{'compared':{width}}  {'live':>12}  {'rebuilt':>12}  {'different':>9}"
        for check in self.checks:
            note = f"  {check.note}" if check.note else ""
            yield f"{check.what:{width}}  {check.live:>12}  {check.rebuilt:>12}  {check.different:>9}{note}"
        for taken in self.taken_over:
            yield f"taken over: {taken}"
        for check in self.checks:
            for text in check.differences:
                yield f"DIFFERENT {check.what}: {text}"
            if check.different > len(check.differences):
                yield f"DIFFERENT {check.what}: and {check.different - len(check.differences)} more"
        yield "identical" if self.identical else "NOT identical"


def _named(key: object) -> str:
    return " ".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _told(value: object) -> str:
    return "none" if value is None else str(value)
