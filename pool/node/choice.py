"""Which of several nodes gives the work; pure. Why these rules: decision 0040."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from msgspec import Struct

from pool.ports import ChainTip

# A question about the tip takes a healthy node a millisecond, and while it checks a block some hundred.
SLOW_SECONDS = 1.0

# A template takes a healthy node up to a second, with a mempool of hundreds of megabytes.
TEMPLATE_SLOW_SECONDS = 2.5

# A block reaches well-connected nodes within a second or two of each other.
LAG_SECONDS = 5.0

# A node that was set aside is taken back when it has been well for so long: one that comes and goes stays out.
RETURN_SECONDS = 10.0

NOT_ASKED = "it has not been asked yet"


class State(enum.StrEnum):
    """How a node does. RETURNING: well again, but not yet for long. Who is not GOOD is set aside: asked for templates
    only if no better one has the highest tip; SYNCING and DOWN never."""

    GOOD = enum.auto()
    RETURNING = enum.auto()
    SLOW = enum.auto()
    LAGGING = enum.auto()
    SYNCING = enum.auto()
    DOWN = enum.auto()


class Report(Struct, frozen=True):
    """What a node last said.

    tip: None before its first answer. problem: why it cannot be asked or gives no template, None while all is well.
    waited_seconds, template_waited_seconds: how long the last question took, or the open one has taken so far; for its
    tip, and for a template. refusal: why the pool will not work on its chain, whatever it answers.
    """

    tip: ChainTip | None = None
    problem: str | None = NOT_ASKED
    waited_seconds: float = 0.0
    template_waited_seconds: float = 0.0
    refusal: str | None = None

    @property
    def usable_tip(self) -> ChainTip | None:
        """The tip that it can give work on; None if it cannot."""
        if self.tip is None or self.tip.is_syncing or self.problem is not None or self.refusal is not None:
            return None
        return self.tip


class Standing(Struct, frozen=True):
    """A node's place in the choice. reason: why it is not GOOD. tip: its usable one. behind_since, well_since: since
    when its tip has been behind, and since when nothing was wrong with it; None if that is not so now."""

    state: State = State.DOWN
    reason: str | None = NOT_ASKED
    tip: ChainTip | None = None
    behind_since: float | None = None
    well_since: float | None = None


class Choice(Struct, frozen=True):
    """standings: of each node, the preferred one first. index: of the node that gives the work, None if none can.
    held: the highest tip that was ever chosen; no lower one is."""

    standings: tuple[Standing, ...]
    index: int | None = None
    held: ChainTip | None = None


def undecided(nodes: int) -> Choice:
    """Before any node was asked."""
    return Choice((Standing(),) * nodes)


def choose(reports: Sequence[Report], before: Choice, now: float) -> Choice:
    """The choice after these reports, in the order of preference. now: monotonic seconds.

    The tip with the most work wins, and never is a lower one taken for it: when all who have it are away, none is
    chosen until somebody has caught up. The exception is a node that stood on it, was never away and left it for less
    work: it has found that tip invalid. Between tips of the same work the one held stays; between nodes on it the
    preferred one that is well gives the work.
    """
    tips = [report.usable_tip for report in reports]
    held = None if _is_taken_back(tips, before) else before.held
    best_work = max((tip.work for tip in (*tips, held) if tip is not None), default=0)
    standings = tuple(
        _standing(report, tip, standing, best_work, now)
        for report, tip, standing in zip(reports, tips, before.standings, strict=True)
    )
    able = [index for index, tip in enumerate(tips) if tip is not None and tip.work == best_work]

    def rank(index: int) -> tuple[bool, bool, bool, int]:
        state, tip = standings[index].state, tips[index]
        leaves = held is not None and tip is not None and tip.block_hash != held.block_hash
        return state is State.SLOW, leaves, state is not State.GOOD, index

    index = min(able, key=rank, default=None)
    return Choice(standings, index, held if index is None else tips[index])


def _is_taken_back(tips: Sequence[ChainTip | None], before: Choice) -> bool:
    """Whether a node without a gap between two answers left the tip held for less work. Bitcoin Core does so only when
    that tip, or one below it, proved invalid."""
    held = before.held
    return held is not None and any(
        was.tip is not None and was.tip.block_hash == held.block_hash and tip is not None and tip.work < held.work
        for was, tip in zip(before.standings, tips, strict=True)
    )


def _standing(report: Report, tip: ChainTip | None, before: Standing, best_work: int, now: float) -> Standing:
    if tip is None:
        return _unusable(report)
    behind_since = None
    if tip.work < best_work:
        behind_since = now if before.behind_since is None else before.behind_since
    state, reason = State.GOOD, None
    if report.waited_seconds > SLOW_SECONDS:
        state, reason = State.SLOW, f"it took more than {SLOW_SECONDS:g} s to name its tip"
    elif report.template_waited_seconds > TEMPLATE_SLOW_SECONDS:
        state, reason = State.SLOW, f"it took more than {TEMPLATE_SLOW_SECONDS:g} s to give a template"
    elif behind_since is not None and now - behind_since >= LAG_SECONDS:
        state, reason = State.LAGGING, "its tip is behind the highest one: see its peers and its disk"
    if state is not State.GOOD:
        return Standing(state, reason, tip, behind_since, None)
    well_since = now if before.well_since is None else before.well_since
    if before.state is State.GOOD or before.reason == NOT_ASKED or now - well_since >= RETURN_SECONDS:
        return Standing(State.GOOD, None, tip, behind_since, well_since)
    return Standing(State.RETURNING, "it is well again, but not yet for long", tip, behind_since, well_since)


def _unusable(report: Report) -> Standing:
    reason = report.refusal or report.problem
    if reason is not None:
        return Standing(State.DOWN, reason)
    return Standing(State.SYNCING, "it is still syncing: wait until it has the whole chain")
