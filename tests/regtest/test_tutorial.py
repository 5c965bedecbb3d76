"""docs/tutorial.md, typed from its first command to its last, on a machine where its ports may be taken."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pool.node.loopback import free_port
from tests.docs.shell import Shell, blocks

ROOT = Path(__file__).parents[2]
PORTS = (18443, 3333, 3334, 8080, 8081)


@pytest.fixture
def home() -> Iterator[Path]:
    """As short as a home is: the socket of Redis lies below it, and its path has 107 bytes at most."""
    with tempfile.TemporaryDirectory(prefix="home-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.mark.timeout(600)
def test_every_command_of_the_tutorial_shows_what_the_page_says(home: Path, bitcoind_program: Path) -> None:
    environment = {**os.environ, "HOME": str(home), "STEPPE_BITCOIND": str(bitcoind_program)}
    shell = Shell(ROOT, environment, {port: free_port() for port in PORTS})
    try:
        page = list(blocks(ROOT / "docs" / "tutorial.md"))
        assert len(page) > 20
        for block in page:
            shell.run(block)
        assert not (home / "steppe-tutorial").exists()
    finally:
        shell.close()
        for left in home.glob("*/node/regtest/bitcoind.pid"):
            os.kill(int(left.read_text()), signal.SIGTERM)
