"""Tables of tallies that are read again and again: what lies there as it did is not decoded again, and is the same
object as before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

from msgspec import Struct

from pool.stats.tally import Tally

Table = Mapping[bytes, bytes]
"""Name to tally, as in Redis."""


class _Known(Struct, frozen=True):
    """What the last reading came to. sums: of names that several frontends have, beside what they were made of."""

    raw: Mapping[str, Table]
    decoded: Mapping[str, Mapping[str, Tally]]
    sums: Mapping[str, tuple[list[Tally], Tally]]


class TallyMemory:
    """Of one kind, workers or accounts. Several threads may use it: at worst something is decoded twice. decode: raises
    what it likes; then nothing is remembered."""

    def __init__(self, decode: Callable[[bytes], Tally]) -> None:
        self._decode = decode
        self._known = _Known({}, {}, {})

    def read(self, tables: Mapping[str, Table]) -> dict[str, Tally]:
        """The tallies by name, those of several frontends as one. tables: by frontend."""
        known = self._known
        decoded = {
            frontend: self._decoded(table, known.raw.get(frontend, {}), known.decoded.get(frontend, {}))
            for frontend, table in tables.items()
        }
        parts: dict[str, list[Tally]] = {}
        for tallies in decoded.values():
            for name, tally in tallies.items():
                parts.setdefault(name, []).append(tally)
        sums = {name: _sum(several, known.sums.get(name)) for name, several in parts.items() if len(several) > 1}
        self._known = _Known(tables, decoded, sums)
        return {name: several[0] if len(several) == 1 else sums[name][1] for name, several in parts.items()}

    def _decoded(self, table: Table, before: Table, known: Mapping[str, Tally]) -> dict[str, Tally]:
        found = {}
        for key, data in table.items():
            name = key.decode()
            found[name] = known[name] if before.get(key) == data else self._decode(data)
        return found


def _sum(several: list[Tally], before: tuple[list[Tally], Tally] | None) -> tuple[list[Tally], Tally]:
    if before is not None and len(before[0]) == len(several) and all(map(_is, before[0], several)):
        return before
    return several, reduce(Tally.plus, several)


def _is(one: Tally, other: Tally) -> bool:
    return one is other
