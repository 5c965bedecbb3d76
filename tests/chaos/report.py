"""What a run came to: a table for people, JSON for programs."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from tests.chaos.oracle import Verdict
from tests.chaos.outages import Outage

# Of what is wrong so many lines are printed; the report in the data folder has them all.
LINES_MAX = 20


class Report(Struct, frozen=True):
    """A run. rebuilt: records that all was computed from again. problem: why it could not go on; None if it came to its
    end. folder: where its files are."""

    seed: int
    chain: str
    database: str
    seconds: float
    folder: str
    faults: list[Outage]
    verdict: Verdict | None
    rebuilt: int = 0
    problem: str | None = None

    @property
    def is_good(self) -> bool:
        return self.problem is None and self.verdict is not None and self.verdict.is_good

    @property
    def kills(self) -> int:
        """Processes that were killed by our own hand."""
        return sum(
            fault.count * (2 if fault.name == "kill two" else 1)
            for fault in self.faults
            if fault.name.startswith("kill")
        )


def as_json(report: Report) -> str:
    """The whole of it."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode()


def as_table(report: Report) -> str:
    """For people."""
    lines = [
        f"seed {report.seed}, {report.chain}, {report.database}, {report.seconds:.0f} s",
        "",
        f"{'fault':<24}{'times':>6}{'silence: median':>18}{'longest':>10}{'miners away':>14}{'longest':>10}",
    ]
    lines += (
        f"{each.name:<24}{each.count:>6}{each.silent_seconds:>16.1f} s{each.silent_seconds_max:>8.1f} s"
        f"{each.away:>14}{each.away_seconds_max:>8.1f} s"
        for each in report.faults
    )
    lines.append(f"{'all':<24}{sum(each.count for each in report.faults):>6}   of these killed: {report.kills}")
    if report.verdict is not None:
        lines += ["", *_lines_of(report.verdict, report.rebuilt)]
    if report.problem is not None:
        lines += ["", f"It could not go on: {report.problem}"]
    if not report.is_good:
        lines += ["", f"Everything is left in {report.folder}; the same faults again: --seed {report.seed}"]
    return "\n".join(lines)


def _lines_of(verdict: Verdict, rebuilt: int) -> list[str]:
    wrong = [*verdict.lost, *verdict.doubled, *verdict.blocks_lost, *verdict.wrong]
    more = [f"... and {len(wrong) - LINES_MAX} more"] if len(wrong) > LINES_MAX else []
    return [
        f"shares  sent {verdict.sent}, acknowledged {verdict.acknowledged}, lost {len(verdict.lost)}, "
        f"doubled {len(verdict.doubled)}, counted without an answer {verdict.unacknowledged}",
        f"blocks  found {verdict.blocks}, in the chain {verdict.in_chain}, beaten {verdict.raced} "
        f"({verdict.reversed} of them after they were credited), "
        f"lost {len(verdict.blocks_lost)}",
        f"books   wrong {len(verdict.wrong)}; computed again from {rebuilt} records of the journals",
        *wrong[:LINES_MAX],
        *more,
    ]
