"""How much room there is; pool/roles/disk.py."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from pool.roles.disk import LOOK_SECONDS, Disk
from tests.pool.journal.samples import logged

GIB = 2**30
FOLDER = Path("/data/journal/0")


class Scene:
    """A disk of 100 GiB by default, of which a test says what is free."""

    def __init__(self, free_bytes: int = 50 * GIB, total_bytes: int = 100 * GIB) -> None:
        self.free_bytes = free_bytes
        self.total_bytes = total_bytes
        self.fails = False
        self.looks = 0
        self.clock = Clock()
        self.disk = Disk(FOLDER, 10, 2048, self.clock, statvfs=self.statvfs, each=self.looked)

    def statvfs(self, folder: Path) -> os.statvfs_result:
        assert folder == FOLDER
        if self.fails:
            raise OSError(5, "Input/output error")
        block = 4096
        return os.statvfs_result(
            (block, block, self.total_bytes // block, 0, self.free_bytes // block, 0, 0, 0, 0, 255)
        )

    def looked(self) -> None:
        self.looks += 1

    def later(self, free_bytes: int) -> None:
        self.free_bytes = free_bytes
        self.clock.advance(LOOK_SECONDS)


@pytest.mark.parametrize(
    ("total_bytes", "free_bytes", "events"),
    [
        (100 * GIB, 10 * GIB, []),
        (100 * GIB, 10 * GIB - 4096, ["disk_low"]),
        (10 * GIB, 2 * GIB, []),
        (10 * GIB, 2 * GIB - 4096, ["disk_low"]),
    ],
)
def test_the_alarm_comes_below_ten_percent_or_two_gib_whichever_is_more(
    total_bytes: int, free_bytes: int, events: list[str]
) -> None:
    scene = Scene(free_bytes, total_bytes)
    with logged() as names:
        scene.disk.start()
    assert names == events


def test_it_is_said_once_and_once_more_when_there_is_room_again() -> None:
    scene = Scene()
    scene.disk.start()
    with logged() as names:
        for free_bytes in (9 * GIB, 8 * GIB, 10 * GIB, 20 * GIB, 30 * GIB):
            scene.later(free_bytes)
    assert names == ["disk_low", "disk_has_room"]


def test_its_status_says_how_much_is_free() -> None:
    scene = Scene(9 * GIB)
    assert scene.disk.status() is None
    scene.disk.start()
    assert scene.disk.status() == {"free_bytes": 9 * GIB, "total_bytes": 100 * GIB, "is_low": True}


def test_a_disk_that_cannot_be_asked_keeps_its_last_status() -> None:
    scene = Scene()
    scene.disk.start()
    before = scene.disk.status()
    scene.fails = True
    scene.later(0)
    assert scene.disk.status() == before


def test_each_look_does_what_else_is_to_be_done() -> None:
    scene = Scene()
    scene.disk.start()
    scene.later(GIB)
    scene.disk.stop()
    scene.later(GIB)
    assert scene.looks == 2
