"""One node, watched: its tip, how fast it answers, its templates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from pool.node import events
from pool.node.announcements import Awaited
from pool.node.choice import NOT_ASKED, TEMPLATE_SLOW_SECONDS, Report
from pool.ports import ChainTip, Clock, Node, NodeUnavailable
from pool.work.template import Template

# How seldom a node that does not answer is asked.
RETRY_SECONDS_MAX = 2.0

# How often a node that gave no template, or gave it slowly, is asked for one again.
PROBE_SECONDS = 2.0


class NodeWatch:
    """Asks one node for its tip, again and again, and at once when it announces one.

    `poll` and `long_poll` run until cancelled. on_news: called after each answer, and each failure. on_template: called
    with what the long poll brings. is_chosen: set by whoever chooses; only the chosen node is long-polled.
    """

    def __init__(
        self,
        node: Node,
        reactor: Any,
        clock: Clock,
        poll_seconds: float,
        on_news: Callable[[], None],
        on_template: Callable[[Template], object],
    ) -> None:
        self.name = node.name
        self.is_chosen = False
        self.is_silent: bool | None = None
        self._node = node
        self._reactor = reactor
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._on_news = on_news
        self._on_template = on_template
        self._tip: ChainTip | None = None
        self._problem: str | None = NOT_ASKED
        self._template_problem: str | None = None
        self._question = Stopwatch(clock)
        self._fetches: dict[int, Stopwatch] = {}
        self._fetch_seconds = 0.0
        self._template: Template | None = None
        self._asked = self._answered = self._told = 0
        self._probe_at = 0.0
        self._awaited = Awaited()
        self._waking: Deferred[None] | None = None
        self._is_poked = False
        if node.subscribe(self._announced):
            self.is_silent = False

    def report(self) -> Report:
        """What is known of it now."""
        open_fetches = [stopwatch.seconds for stopwatch in self._fetches.values()]
        return Report(
            tip=self._tip,
            problem=self._problem or self._template_problem,
            waited_seconds=self._question.seconds,
            template_waited_seconds=max([self._fetch_seconds, *open_fetches]),
        )

    def poke(self) -> None:
        """Ask for the tip at once."""
        self._is_poked = True
        self._reactor.callLater(0, self._wake)

    async def fetch(self) -> Template:
        """The node's template now, or a newer one that overtook it. Raises NodeUnavailable."""
        self._asked += 1
        number, stopwatch = self._asked, Stopwatch(self._clock)
        self._fetches[number] = stopwatch
        stopwatch.start()
        try:
            template = await self._node.block_template()
        except NodeUnavailable as error:
            self._template_problem = str(error)
            self._on_news()
            raise
        finally:
            del self._fetches[number]
            self._fetch_seconds = stopwatch.seconds
        self._template_problem = None
        return self._newest(number, template)

    async def poll(self) -> None:
        """Ask for the tip, again and again."""
        wait_seconds = self._poll_seconds
        while True:
            self._question.start()
            told = self._told
            try:
                tip = await self._node.tip()
            except NodeUnavailable as error:
                self._question.stop()
                self._problem = str(error)
                wait_seconds = max(self._poll_seconds, min(wait_seconds * 2, RETRY_SECONDS_MAX))
            else:
                self._question.stop()
                if told == self._told:  # or a template, which waits for no other call, told of a newer one meanwhile
                    self._named(tip)
                wait_seconds = self._poll_seconds
            self._on_news()
            await self._pause(wait_seconds)

    async def long_poll(self) -> None:
        """Let the node say when its template is outdated; while it cannot be asked, `poll` finds out when it can."""
        while True:
            if not self.is_chosen or self._template is None or self._problem is not None:
                await deferLater(self._reactor, self._poll_seconds)
                continue
            longpoll_id = self._template.longpoll_id
            try:
                template = await self._node.block_template(longpoll_id)
            except NodeUnavailable:
                await deferLater(self._reactor, self._poll_seconds)
                continue
            # Made just now, it is newer than what any fetch under way will bring.
            self._asked += 1
            self._on_template(self._newest(self._asked, template))
            if template.longpoll_id == longpoll_id:
                # A node that answers at once without news must not be asked without end.
                await deferLater(self._reactor, self._poll_seconds)

    def look(self) -> None:
        """Notice what only time tells. Call it often."""
        if self.is_silent is not None and self._awaited.is_silent(self._clock.monotonic()) != self.is_silent:
            self.is_silent = not self.is_silent
            log = events.node_announces_nothing if self.is_silent else events.node_announces
            log(self.name)

    def _named(self, tip: ChainTip) -> None:
        self._set_tip(tip)
        now = self._clock.monotonic()
        in_doubt = self._template_problem is not None or self._fetch_seconds > TEMPLATE_SLOW_SECONDS
        if in_doubt and now >= self._probe_at and not self._fetches:
            self._probe_at = now + PROBE_SECONDS
            Deferred.fromCoroutine(self.fetch()).addErrback(lambda failure: failure.trap(NodeUnavailable))

    def _set_tip(self, tip: ChainTip) -> None:
        if self._tip is not None and tip.block_hash != self._tip.block_hash and self.is_silent is not None:
            self._awaited.seen(tip.block_hash, self._clock.monotonic())
        self._tip, self._problem = tip, None

    def _announced(self, block_hash: bytes) -> None:
        self._awaited.announced(block_hash)
        if self._tip is None or block_hash != self._tip.block_hash:
            self.poke()

    def _newest(self, number: int, template: Template) -> Template:
        """Answers may overtake each other; an older one must not bring an old tip back."""
        if self._template is not None and number < self._answered:
            return self._template
        self._answered = number
        self._template = template
        if self._tip is not None and template.height - 1 > self._tip.height:
            # A template tells of a new tip before the node is asked for it, which says how much work it is.
            self._told += 1
            self._set_tip(ChainTip(template.prev_hash, template.height - 1, self._tip.work + 1))
            self.poke()
        return template

    async def _pause(self, seconds: float) -> None:
        """Wait, but not when poked, also while the question was open: its answer may be older."""
        if not self._is_poked:
            self._waking = Deferred()
            alarm = self._reactor.callLater(seconds, self._wake)
            try:
                await self._waking
            finally:
                self._waking = None
                if alarm.active():
                    alarm.cancel()
        self._is_poked = False

    def _wake(self) -> None:
        waking, self._waking = self._waking, None
        if waking is not None:
            waking.callback(None)


class Stopwatch:
    """seconds: from start to stop; while it runs, so far."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: float | None = None
        self._seconds = 0.0

    @property
    def seconds(self) -> float:
        return self._seconds if self._since is None else self._clock.monotonic() - self._since

    def start(self) -> None:
        self._since = self._clock.monotonic()

    def stop(self) -> None:
        self._seconds, self._since = self.seconds, None
