"""What a real machine says when the pool looks at it before it starts."""

from __future__ import annotations

import os
import resource
import subprocess
from pathlib import Path

import pytest

from pool.machine import ThisMachine
from pool.node.loopback import free_port
from pool.preflight import FileFacts, RedisFacts


def test_a_files_mode_and_first_line(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("first\nsecond\n")
    (tmp_path / "secret").chmod(0o640)
    (tmp_path / "bytes").write_bytes(b"\xff\n")
    (tmp_path / "bytes").chmod(0o600)
    machine = ThisMachine()
    assert machine.file(tmp_path / "secret") == FileFacts(0o640, "first")
    assert machine.file(tmp_path / "bytes") == FileFacts(0o600, None)
    assert machine.file(tmp_path / "none") is None


def test_memory_is_known_by_its_mount() -> None:
    assert ThisMachine().file_system(Path("/dev/shm/a/folder/to/come")) == "tmpfs"
    assert ThisMachine().file_system(Path("/proc/1")) == "proc"


def test_how_many_files_and_which_user() -> None:
    machine = ThisMachine()
    assert machine.files_max() == resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert machine.is_root() == (os.geteuid() == 0)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--bind", "127.0.0.1", "--protected-mode", "no"], RedisFacts(("127.0.0.1",), False)),
        (["--protected-mode", "yes"], RedisFacts(("*", "-::*"), True)),
        (["--requirepass", "a9f3c2d4e5b6a7c8"], None),
    ],
)
def test_how_a_redis_is_guarded(tmp_path: Path, options: list[str], expected: RedisFacts | None) -> None:
    port = free_port()
    server = subprocess.Popen(
        ["redis-server", "--port", str(port), "--dir", str(tmp_path), "--save", "", *options],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        assert any("Ready to accept connections" in line for line in server.stdout)
        assert ThisMachine().redis(f"redis://127.0.0.1:{port}") == expected
    finally:
        server.terminate()
        server.communicate(timeout=30)


def test_a_redis_that_is_away_says_nothing() -> None:
    assert ThisMachine().redis(f"redis://127.0.0.1:{free_port()}") is None
