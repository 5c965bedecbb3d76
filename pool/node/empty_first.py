"""Whether miners get an empty job on a new tip before the node has put a template together, by measurement."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from pool.bitcoin.network import Network
from pool.ports import Clock, Node, NodeUnavailable
from pool.work.empty import empty_template
from pool.work.template import Template

# What the newest time counts against all before: the figure follows a node within a few blocks, and no single one
# decides.
_NEWEST_WEIGHT = 0.25


class EmptySettings(Struct, frozen=True):
    """margin_seconds: from so much on an empty job goes out first; 0: never."""

    network: Network
    margin_seconds: float


class EmptyFirst:
    """Measures how long each node takes for the first template of a new tip."""

    def __init__(self, nodes: Sequence[Node], settings: EmptySettings | None, clock: Clock) -> None:
        self._nodes = nodes
        self._settings = settings
        self._clock = clock
        self._asked: dict[int, tuple[bytes, float]] = {}
        self._seconds: dict[int, float] = {}

    def seconds(self, index: int) -> float | None:
        """How long a node takes nowadays; None before it was measured."""
        return self._seconds.get(index)

    def asked(self, index: int, tip_hash: bytes) -> None:
        """A node is asked for its template on a new tip."""
        self._asked[index] = tip_hash, self._clock.monotonic()

    def came(self, index: int, template: Template) -> None:
        """A node has given a template."""
        tip_hash, began = self._asked.get(index, (b"", 0.0))
        if template.prev_hash == tip_hash:
            del self._asked[index]
            took, usual = self._clock.monotonic() - began, self._seconds.get(index)
            self._seconds[index] = took if usual is None else usual + (took - usual) * _NEWEST_WEIGHT

    def is_worth_it(self, index: int) -> bool:
        """Whether a node takes so long that an empty job is of use."""
        return self._settings is not None and 0 < self._settings.margin_seconds < self._seconds.get(index, 0.0)

    async def template(self, index: int, tip_hash: bytes, last: Template, time: int) -> Template | None:
        """The empty template of a new tip; None if not all of it is certain, or the node does not answer. last: of the
        same node. time: Unix seconds of its clock."""
        if self._settings is None:
            return None
        try:
            tip = await self._nodes[index].tip_header(tip_hash)
        except NodeUnavailable:
            return None
        return empty_template(tip, last, self._settings.network, time)
