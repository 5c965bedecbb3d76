"""When garbage is looked for; pool/roles/garbage.py."""

from twisted.internet.task import Clock

from pool.roles.garbage import ALL_SECONDS, YOUNG_SECONDS, GarbageCollection


class Collector:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def disable(self) -> None:
        self.told.append("disable")

    def collect(self, generation: int, /) -> int:
        self.told.append(generation)
        return 0


def test_python_does_not_choose_the_time() -> None:
    collector = Collector()
    GarbageCollection(Clock(), collector).start()
    assert collector.told == ["disable"]


def test_what_is_young_is_looked_at_each_second_and_the_rest_seldom() -> None:
    clock, collector = Clock(), Collector()
    GarbageCollection(clock, collector).start()
    clock.pump([YOUNG_SECONDS] * int(ALL_SECONDS / YOUNG_SECONDS))
    assert (collector.told.count(1), collector.told.count(2)) == (600, 1)


def test_after_the_end_nothing_is_looked_at() -> None:
    clock, collector = Clock(), Collector()
    collection = GarbageCollection(clock, collector)
    collection.start()
    collection.stop()
    clock.advance(ALL_SECONDS)
    assert collector.told == ["disable"]
