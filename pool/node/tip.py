"""New templates from one node: by long poll and by asking for the tip, whichever is first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.task import deferLater

from pool import events
from pool.ports import Node, NodeUnavailable
from pool.work.template import Template

# How seldom a node that does not answer is asked.
RETRY_SECONDS_MAX = 2.0


class TipWatch:
    """Calls `on_template` with the first template, with each new tip's, and with what the long poll brings.

    `poll` and `long_poll` run until cancelled. problem: why the node cannot be asked, None while it can.
    """

    def __init__(self, node: Node, reactor: Any, poll_seconds: float, on_template: Callable[[Template], None]) -> None:
        self._node = node
        self._reactor = reactor
        self._poll_seconds = poll_seconds
        self._on_template = on_template
        self._template: Template | None = None
        self._known_longpoll_id: str | None = None
        self._asked = self._answered = 0
        self.problem: str | None = "it has not been asked yet"

    async def fetch(self) -> Template:
        """The node's template now; `on_template` is not called with it. Raises NodeUnavailable."""
        template = await self._fetch()
        self._known_longpoll_id = template.longpoll_id
        return template

    async def poll(self) -> None:
        """Ask for the tip, again and again. The answers decide whether the node is there."""
        wait_seconds = self._poll_seconds
        while True:
            try:
                tip = await self._node.best_block_hash()
                if self._template is None or tip != self._template.prev_hash:
                    self._offer(await self._fetch())
                self._up()
                wait_seconds = self._poll_seconds
            except NodeUnavailable as error:
                self._down(str(error))
                wait_seconds = max(self._poll_seconds, min(wait_seconds * 2, RETRY_SECONDS_MAX))
            await deferLater(self._reactor, wait_seconds)

    async def long_poll(self) -> None:
        """Let the node say when its template is outdated; while it cannot be asked, `poll` finds out when it can."""
        while True:
            if self._template is None or self.problem is not None:
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
            self._offer(self._newest(self._asked, template))
            if template.longpoll_id == longpoll_id:
                # A node that answers at once without news must not be asked without end.
                await deferLater(self._reactor, self._poll_seconds)

    async def _fetch(self) -> Template:
        self._asked += 1
        return self._newest(self._asked, await self._node.block_template())

    def _newest(self, number: int, template: Template) -> Template:
        """Answers may overtake each other; an older one must not bring an old tip back."""
        if self._template is not None and number < self._answered:
            return self._template
        self._answered = number
        self._template = template
        return template

    def _offer(self, template: Template) -> None:
        # Poll and long poll often bring the same one.
        if template.longpoll_id != self._known_longpoll_id:
            self._known_longpoll_id = template.longpoll_id
            self._on_template(template)

    def _up(self) -> None:
        if self.problem is not None:
            self.problem = None
            events.node_ready()

    def _down(self, problem: str) -> None:
        if problem != self.problem:
            self.problem = problem
            events.node_unavailable(problem)
