"""A disk that is really full, small enough to be filled: nothing is lied about, blocks are kept, all goes on by itself;
reliability goal R20."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from native import sha256d
from pool.journal.inspect import verify
from pool.node.private import PrivateNode
from pool.node.reserve import PART_BYTES
from pool.node.spool import CandidateSpool, spooled_of
from pool.work.block import Block, body
from tests.regtest.whole_pool import WholePool, eventually

MIB = 1024 * 1024
HEADER = bytes(range(80))
TRANSACTIONS = os.urandom(2 * MIB)


def block(height: int) -> Block:
    return Block(sha256d(HEADER), HEADER, body(height, (), 1, TRANSACTIONS))


BLOCK = block(7)


@contextlib.contextmanager
def mounted(path: Path, kind: str, mib: int) -> Iterator[Path]:
    """A small file system there; needs root."""
    path.mkdir(parents=True, exist_ok=True)
    if kind == "tmpfs":
        command = ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "steppe-test", str(path)]
    else:
        image = path.with_name(path.name + ".image")
        with image.open("wb") as file:
            file.truncate(mib * MIB)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
        command = ["mount", "-o", "loop", str(image), str(path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.fail(f"this test mounts a small file system, as root: {done.stderr}", pytrace=False)
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def fill(folder: Path) -> None:
    """No byte is left, by a file that grows as far as it can."""
    with contextlib.suppress(OSError), (folder / "filler").open("ab", buffering=0) as file:
        while True:
            file.write(bytes(65536))
    with contextlib.suppress(OSError), (folder / "filler").open("ab", buffering=0) as file:
        while True:
            file.write(b"\0")


@pytest.fixture(params=["tmpfs", "ext4"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "disk", request.param, 48) as path:
        yield path


class TestReserve:
    def test_a_block_is_kept_on_a_full_disk(self, disk: Path) -> None:
        spool = CandidateSpool(disk / "candidates", reserve_parts=2)
        fill(disk)
        spool.keep(BLOCK)
        assert CandidateSpool(disk / "candidates").read(spooled_of(BLOCK)).data == BLOCK.data

    def test_as_many_as_there_are_parts_then_the_disk_is_full(self, disk: Path) -> None:
        spool = CandidateSpool(disk / "candidates", reserve_parts=2)
        for height in (1, 2):
            fill(disk)  # whoever is there takes what a part had too much
            spool.keep(block(height))
        fill(disk)
        with pytest.raises(OSError, match="No space left"):
            spool.keep(block(3))
        assert [each.height for each in spool.pending()] == [1, 2]

    def test_it_is_whole_again_when_there_is_room(self, disk: Path) -> None:
        spool = CandidateSpool(disk / "candidates", reserve_parts=2)
        fill(disk)
        spool.keep(BLOCK)
        spool.reserve.fill()
        assert len(spool.reserve.parts) == 1
        (disk / "filler").unlink()
        spool.reserve.fill()
        assert [part.stat().st_blocks * 512 >= PART_BYTES for part in spool.reserve.parts] == [True, True]


def submit(port: int, *, wait_seconds: float = 10.0) -> Any:
    """Subscribe and authorize on one connection; the first answer, or None if it is reset or closed."""
    try:
        # The reset may come as early as that.
        with socket.create_connection(("127.0.0.1", port), timeout=wait_seconds) as connection:
            connection.sendall(b'{"id": 1, "method": "mining.subscribe", "params": []}\n')
            line = connection.makefile("rb").readline()
    except ConnectionResetError:
        return None
    return json.loads(line) if line else None


def test_miners_are_sent_away_and_come_back_by_themselves(regtest_node: PrivateNode, tmp_path: Path) -> None:
    pool = WholePool(tmp_path, regtest_node, "regtest", "")
    pool.config_path.write_text(pool.config_path.read_text().replace("difficulty = 0.0001", "difficulty = 1e-9"))
    pool.add_account("alice", "pplns", 100)
    journals = tmp_path / "data" / "journal"
    with mounted(journals, "tmpfs", 8), ExitStack() as ending:
        pool.start()
        # Else a failure would leave it running for the tests behind this one. A second time does nothing.
        ending.callback(pool.stop)
        pool.mine("alice.rig", shares=5, rate_hps=50)
        with socket.create_connection(("127.0.0.1", pool.stratum_port)) as idle:
            idle.sendall(b'{"id": 1, "method": "mining.subscribe", "params": []}\n')
            idle.recv(1000)

            fill(journals)
            # The next job finds it out, without any share.
            eventually("nobody new comes in", lambda: submit(pool.stratum_port) is None)
            idle.settimeout(30)
            with contextlib.suppress(ConnectionResetError):
                while idle.recv(65536):
                    pass
            checks = {check["name"]: check for check in pool.get("/readyz")["checks"]}
            assert checks["disk"]["state"] == "warn"
            eventually("it is said", lambda: stratum_check(pool)["state"] == "down")
            assert "room" in stratum_check(pool)["mend"]

        (journals / "filler").unlink()
        eventually("miners come in again", lambda: submit(pool.stratum_port) is not None)
        pool.mine("alice.rig", shares=5, rate_hps=50)
        eventually("all is well", pool.is_ready)
        eventually("all shares are counted", lambda: accepted(pool) == 10)
        assert pool.stop() == 0
        assert verify(journals / "0").shares >= 10
    log = (tmp_path / "data" / "logs" / "stratum.log").read_text()
    assert [name for name in ("journal_refusing", "journal_accepting") if name in log] == [
        "journal_refusing",
        "journal_accepting",
    ]


def stratum_check(pool: WholePool) -> dict[str, Any]:
    return next(check for check in pool.get("/readyz")["checks"] if check["name"] == "stratum")


def accepted(pool: WholePool) -> int:
    [line] = [line for line in pool.text("/metrics").splitlines() if line.startswith("steppe_shares_accepted_total")]
    return int(float(line.split()[1]))
