"""The invariants, held in a thread of the accounting role, whether it pays or not: a broken one stops payouts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine

from payout.invariants import TITLES, Finding
from payout.payment_ports import Switch
from payout.ports import LedgerUnavailable
from payout.scan import Scan
from payout.store.ledger import SqlLedger
from payout.store.luck import TestReport
from payout.watch import Watch
from payout.watch_ports import Hold
from payout.withholding import TOLD, Test, Verdict, due
from pool import events, payout_events
from pool.ports import Clock
from pool.roles.clock import SystemClock

LOOK_SECONDS = 0.4
"""So that payouts stop within a second."""
LUCK_SECONDS = 10.0
SCAN_PART = 20
"""Reading everything again may take this part of one core at most."""
STOP_SECONDS = 10.0
TOLD_MAX = 20
"""Of what is wrong so much is told one by one."""


class Watching:
    """The watch and the scan, as a loop."""

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        self._ledger = SqlLedger(engine)
        self._clock = clock or SystemClock()
        self._watch = Watch()
        self._scan = Scan()
        self._scanned: dict[Finding, int] = {}  # with the round in which it was seen
        self._told: set[Finding] = set()
        self._must_end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self.findings: tuple[Finding, ...] = ()
        self.switch = Switch(False, 0, "")
        self._held: list[Hold] = []
        self._suspected: list[TestReport] = []
        self.has_failed = False

    def start(self) -> None:
        """Begin in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._must_end.set()
        self._thread.join(STOP_SECONDS)

    def run(self, stop: Callable[[float], bool]) -> None:
        """Watch until `stop`, which waits so many seconds for that."""
        scan_at = luck_at = 0.0
        while True:
            self.look()
            now = time.monotonic()
            if now >= luck_at:
                self.judge_luck()
                luck_at = now + LUCK_SECONDS
            if now >= scan_at:
                self.scan()
                took = time.monotonic() - now
                scan_at = now + SCAN_PART * took
            if stop(LOOK_SECONDS):
                return

    def look(self) -> None:
        """What is wrong now; payouts stop if anything is."""
        with self._ledger.read() as books:
            found = self._watch.look(books)
            switch = books.payouts.switch()
            self._held = books.blocks.holds()
        if not switch.is_stopped and switch.time_ms != self.switch.time_ms:
            # Before payouts are let go on everything is read, so what the scan found earlier is mended.
            self._scan, self._scanned = Scan(), {}
        self.switch = switch
        self._take((*found, *(each for each in self._scanned if each not in found)))

    def judge_luck(self) -> None:
        """Whether blocks are missing from a group that has passed a checkpoint. Nobody loses anything by it."""
        with self._ledger.read() as books:
            tests = list(due(books.luck.tallies(), books.luck.tested()))
        if tests:
            with self._ledger.write() as books:
                tested = books.luck.tested()
                fresh = [each for each in tests if each.checkpoint > tested.get(each.group, 0)]
                for each in fresh:
                    books.luck.keep(each, self._clock.time_ms())
            for each in fresh:
                _tell_luck(each)
        with self._ledger.read() as books:
            self._suspected = [each for each in books.luck.tests() if each.verdict != Verdict.LUCK.value]

    def scan(self) -> None:
        """The next piece of everything. What it finds stays until a whole round has not found it again."""
        round_before = self._scan.rounds
        with self._ledger.read() as books:
            for each in self._scan.step(books):
                self._scanned[each] = round_before
        if self._scan.rounds > round_before:
            self._scanned = {each: seen for each, seen in self._scanned.items() if seen == round_before}

    def sign(self) -> dict[str, Any]:
        """For the role's sign of life: whether payouts are stopped and why, and what is wrong."""
        found = self.findings
        return {
            "payouts_stopped": self.switch.reason if self.switch.is_stopped else None,
            "suspected": [[each.kind, each.name, each.told] for each in self._suspected[:TOLD_MAX]],
            "held": [[each.block_hash[::-1].hex(), each.reason] for each in self._held[:TOLD_MAX]],
            "broken": [[each.invariant, each.what, each.mend] for each in found[:TOLD_MAX]],
        }

    def _take(self, findings: tuple[Finding, ...]) -> None:
        self.findings = findings
        if findings and not self.switch.is_stopped:
            now_ms = self._clock.time_ms()
            reason = f"{findings[0]}"
            with self._ledger.write() as books:
                if not books.payouts.switch().is_stopped:
                    books.payouts.set_switch(is_stopped=True, reason=reason, time_ms=now_ms)
                    payout_events.payouts_stopped(reason)
                self.switch = books.payouts.switch()
        fresh = [each for each in findings if each not in self._told]
        for each in fresh[:TOLD_MAX]:
            payout_events.invariant_broken(each.invariant, TITLES[each.invariant], each.what, each.mend, len(findings))
        for number in {each.invariant for each in self._told} - {each.invariant for each in findings}:
            payout_events.invariant_holds_again(number, TITLES[number])
        self._told = set(findings)

    def _run(self) -> None:
        trouble: str | None = None
        while not self._must_end.is_set():
            try:
                self.run(self._must_end.wait)
            except LedgerUnavailable as error:
                if str(error) != trouble:
                    trouble = str(error)
                    events.accounting_waits("watch", trouble)
                self._must_end.wait(LOOK_SECONDS)
            except Exception as error:  # noqa: BLE001 - a thread has nobody above it who would say so
                events.bug("watch", error)
                self.has_failed = True
                return


def _tell_luck(test: Test) -> None:
    blocks = test.bands[0]
    told = test.group.kind.value, test.group.name, test.checkpoint, blocks.found, f"{blocks.probability:.3E}"
    if test.is_flagged:
        payout_events.blocks_missing(*told, test.verdict.value, TOLD[test.verdict])
    else:
        payout_events.luck_tested(*told)
