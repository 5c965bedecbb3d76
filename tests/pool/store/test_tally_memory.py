"""Tables of tallies that are read again and again."""

from __future__ import annotations

import msgspec
import pytest

from pool.stats.hashrate import Hashrate
from pool.stats.tally import Tally
from pool.store.tally_memory import Table, TallyMemory

_decode = msgspec.json.Decoder(Tally).decode


def tally(work: int) -> Tally:
    return Tally(0, 1_000, Hashrate(0, 1).add(1, work, work * work), work=work)


def table(**works: int) -> Table:
    return {name.encode(): msgspec.json.encode(tally(work)) for name, work in works.items()}


class Memory:
    """With a count of what it decodes."""

    def __init__(self) -> None:
        self.decoded = 0
        self.memory = TallyMemory(self.decode)

    def decode(self, data: bytes) -> Tally:
        self.decoded += 1
        return _decode(data)


def test_only_what_changed_is_decoded() -> None:
    bench = Memory()
    before = bench.memory.read({"f": table(a=1, b=2)})
    after = bench.memory.read({"f": table(a=1, b=3)})
    assert bench.decoded == 3
    assert after["a"] is before["a"]
    assert after["b"] == tally(3)


def test_who_is_gone_is_not_there_and_may_come_back() -> None:
    bench = Memory()
    bench.memory.read({"f": table(a=1, b=2)})
    assert list(bench.memory.read({"f": table(b=2)})) == ["b"]
    assert bench.memory.read({"f": table(a=1, b=2)})["a"] == tally(1)


def test_those_of_several_frontends_are_one() -> None:
    found = Memory().memory.read({"f": table(a=1, b=2), "g": table(b=5)})
    assert (found["a"].work, found["b"].work) == (1, 7)


def test_a_sum_is_made_again_only_if_a_part_changed() -> None:
    memory = Memory().memory
    one, same, other = (memory.read({"f": table(b=2), "g": table(b=work)})["b"] for work in (5, 5, 6))
    assert same is one
    assert other.work == 8


def test_a_frontend_that_is_gone_counts_no_more() -> None:
    memory = Memory().memory
    memory.read({"f": table(b=2), "g": table(b=5)})
    assert memory.read({"g": table(b=5)})["b"].work == 5
    assert memory.read({}) == {}


def test_what_cannot_be_decoded_is_not_remembered() -> None:
    bench = Memory()
    bench.memory.read({"f": table(a=1)})
    for _ in range(2):
        with pytest.raises(msgspec.DecodeError):
            bench.memory.read({"f": {b"a": b"["}})
    assert bench.memory.read({"f": table(a=1)})["a"] == tally(1)
