"""A source of templates on fake nodes and a fake clock."""

from __future__ import annotations

from collections.abc import Iterator

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from pool.node.source import TemplateSource
from pool.work.template import Template
from tests.pool.node.fake_clock import FakeClock
from tests.pool.node.fake_node import FakeNode
from tests.pool.work.templates import empty_template

POLL_SECONDS = 0.5


class Watched:
    """A source on fake nodes and a fake clock."""

    def __init__(self, *nodes: FakeNode) -> None:
        self.nodes = nodes or (FakeNode(),)
        self.node = self.nodes[0]
        self.reactor = Clock()
        self.taken: list[Template] = []
        self.source = TemplateSource(self.nodes, self.reactor, FakeClock(self.reactor), POLL_SECONDS, self.taken.append)
        self.loops: list[Deferred[None]] = []

    def start(self) -> None:
        self.loops = [Deferred.fromCoroutine(loop) for loop in self.source.loops()]

    def pass_polls(self, count: int = 1) -> None:
        self.reactor.pump([POLL_SECONDS / 2] * count * 2)

    def pass_seconds(self, seconds: float) -> None:
        self.pass_polls(round(seconds / POLL_SECONDS))

    def stop(self) -> None:
        for loop in self.loops:
            loop.addErrback(lambda failure: None)
            loop.cancel()

    @property
    def heights(self) -> list[int]:
        return [template.height for template in self.taken]

    @property
    def chosen(self) -> str | None:
        return next((status.name for status in self.source.status() if status.is_chosen), None)

    def states(self) -> list[str]:
        return [status.state for status in self.source.status()]


def watching(*nodes: FakeNode) -> Iterator[Watched]:
    watched = Watched(*nodes)
    yield watched
    watched.stop()


def watching_two() -> Iterator[Watched]:
    """Two nodes, started; their templates differ by their time."""
    a, b = FakeNode("a:1"), FakeNode("b:1")
    b.template = empty_template(1, b.template.prev_hash, b.template.time + 100)
    for watched in watching(a, b):
        watched.start()
        yield watched
