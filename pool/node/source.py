"""Templates from several nodes: each is watched, one is chosen, and its templates are taken."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from pool.node import events
from pool.node.choice import NOT_ASKED, Report, Standing, State, choose, undecided
from pool.node.watch import NodeWatch
from pool.ports import Clock, Node, NodeUnavailable
from pool.work.template import Template

# How often is looked for what no node says, such as that it hangs.
LOOK_SECONDS = 0.25

# Without a node that can give work for so long, a person is called.
NO_NODE_SECONDS = 5.0


_WELL = (State.GOOD, State.RETURNING)


class NodeStatus(Struct, frozen=True):
    """A node at a glance. state: of `choice.State`. reason: why it is set aside. height: of its tip. is_chosen: it
    gives the work. is_silent: whether it fails to announce its tips; None if it was not to."""

    name: str
    state: str
    reason: str | None
    height: int | None
    is_chosen: bool
    is_silent: bool | None


class TemplateSource:
    """Calls `on_template` with the first template, with each new tip's, with what the long poll brings, and with one of
    the next node when the one that gave the last can no longer be relied on.

    nodes: the preferred one first. refusal: why the pool will not work with a node, None if it will. on_asking: called
    with a node and a new tip before the node is asked for its template.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        reactor: Any,
        clock: Clock,
        poll_seconds: float,
        on_template: Callable[[Template], None],
        refusal: Callable[[int], str | None] = lambda index: None,
        on_asking: Callable[[int, bytes], None] = lambda index, tip_hash: None,
    ) -> None:
        self._reactor = reactor
        self._clock = clock
        self._on_template = on_template
        self._refusal = refusal
        self._on_asking = on_asking
        self._watches = [
            NodeWatch(node, reactor, clock, poll_seconds, on_news=self.look, on_template=partial(self._take, index))
            for index, node in enumerate(nodes)
        ]
        self._choice = undecided(len(nodes))
        self._template: Template | None = None
        self._giver: int | None = None
        # Templates that are asked for: of which node, on which tip.
        self._asking: set[tuple[int, bytes]] = set()
        self._none_since: float | None = clock.monotonic()
        self._is_alarmed = False
        self._bug: Deferred[None] = Deferred()

    def loops(self) -> list[Coroutine[Deferred[Any], Any, None]]:
        """What has to run until it is cancelled."""
        return [
            self._bugs(),
            self._look_often(),
            *(loop for watch in self._watches for loop in (watch.poll(), watch.long_poll())),
        ]

    @property
    def problem(self) -> str | None:
        """Why no node can give work; None while one can."""
        if self._choice.index is not None:
            return None
        if any(standing.tip is not None for standing in self._choice.standings) and self._choice.held is not None:
            return (
                f"no node has the highest tip any more, at height {self._choice.held.height}: the pool waits until one "
                "has caught up; if none ever will, restart the work role"
            )
        reasons = [(each.name, each.reason) for each in self.status() if each.reason is not None]
        if len(reasons) == 1:
            return reasons[0][1]
        return "; ".join(f"{name}: {reason}" for name, reason in reasons)

    @property
    def giver(self) -> int | None:
        """Which node gave the last template."""
        return self._giver

    def withdraw(self) -> None:
        """Forget the last template: another one is wanted, of whichever node."""
        self._template = None
        self.look()

    def status(self) -> tuple[NodeStatus, ...]:
        """Each node, the preferred one first."""
        return tuple(
            NodeStatus(
                name=watch.name,
                state=standing.state.value,
                reason=standing.reason,
                height=None if standing.tip is None else standing.tip.height,
                is_chosen=index == self._choice.index,
                is_silent=watch.is_silent,
            )
            for index, (watch, standing) in enumerate(zip(self._watches, self._choice.standings, strict=True))
        )

    async def fetch(self) -> Template:
        """The chosen node's template now; `on_template` is not called with it. Raises NodeUnavailable."""
        index = self._choice.index
        if index is None:
            raise NodeUnavailable(self.problem or "")
        template = await self._watches[index].fetch()
        if not self._may_take(index, template):
            raise NodeUnavailable(f"{self._watches[index].name} lost its place while it made a template")
        self._template, self._giver = template, index
        return template

    async def _look_often(self) -> None:
        while True:
            await deferLater(self._reactor, LOOK_SECONDS)
            for watch in self._watches:
                watch.look()
            self.look()

    def look(self) -> None:
        """Choose anew, and ask the chosen node for a template if there is reason to."""
        self._choose()
        index, held = self._choice.index, self._choice.held
        if index is not None and held is not None and self._wants_template(index, held.block_hash):
            Deferred.fromCoroutine(self._supply(index, held.block_hash)).addErrback(self._bug.errback)

    def _choose(self) -> None:
        before = self._choice
        self._choice = choose(
            [self._report(index) for index in range(len(self._watches))], before, self._clock.monotonic()
        )
        index = self._choice.index
        for number, watch in enumerate(self._watches):
            watch.is_chosen = number == index
            _tell(watch.name, before.standings[number], self._choice.standings[number])
        if index is not None and index != before.index and len(self._watches) > 1:
            events.node_chosen(self._watches[index].name)
        self._alarm(index)

    def _report(self, index: int) -> Report:
        """What a node says, and what the pool says of it once it can be asked."""
        report = self._watches[index].report()
        return report if report.problem else msgspec.structs.replace(report, refusal=self._refusal(index))

    def _wants_template(self, index: int, tip_hash: bytes) -> bool:
        if (index, tip_hash) in self._asking:
            return False
        if self._template is None or self._template.prev_hash != tip_hash:
            return True
        # The miners' work is of this tip, but the next one will not come from who gave it.
        giver = self._giver
        return giver is not None and giver != index and self._choice.standings[giver].state not in _WELL

    async def _supply(self, index: int, tip_hash: bytes) -> None:
        self._asking.add((index, tip_hash))
        self._on_asking(index, tip_hash)
        try:
            self._take(index, await self._watches[index].fetch())
        except NodeUnavailable:
            pass  # the watch has told it, and another one was chosen
        finally:
            self._asking.discard((index, tip_hash))

    def _take(self, index: int, template: Template) -> None:
        """A template has come, perhaps of a new tip."""
        if not self._may_take(index, template):
            return
        known = self._template
        # Poll and long poll often bring the same one.
        if known is None or index != self._giver or template.longpoll_id != known.longpoll_id:
            self._template, self._giver = template, index
            self._on_template(template)

    def _may_take(self, index: int, template: Template) -> bool:
        """Whether a node's template is the one to work on, now that its tip is known."""
        self._choose()
        held = self._choice.held
        return index == self._choice.index and held is not None and template.prev_hash == held.block_hash

    def _alarm(self, index: int | None) -> None:
        now = self._clock.monotonic()
        if index is not None:
            self._none_since, self._is_alarmed = None, False
        elif self._none_since is None:
            self._none_since = now
        elif not self._is_alarmed and now - self._none_since >= NO_NODE_SECONDS:
            self._is_alarmed = True
            events.no_node_left(self.problem or "")

    async def _bugs(self) -> None:
        """Ends only with what a bug raised while nobody waited."""
        await self._bug


def _tell(name: str, before: Standing, after: Standing) -> None:
    """Log what changed about a node."""
    if after.state in _WELL:
        if before.state not in _WELL:
            events.node_ready(name)
    elif after.state is State.DOWN:
        if after.reason not in (before.reason, NOT_ASKED):
            events.node_unavailable(name, after.reason or "")
    elif after.state is not before.state:
        events.node_set_aside(name, after.state.value, after.reason or "")
