"""docs/tutorial.md, typed from its first command to its last, on a machine where its ports may be taken."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.docs.shell import Shell, blocks
from tests.regtest.whole_pool import free_port

ROOT = Path(__file__).parents[2]
PORTS = (18443, 3333, 3334, 8080, 8081)


@pytest.mark.timeout(600)
def test_every_command_of_the_tutorial_shows_what_the_page_says(tmp_path: Path, bitcoind_program: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path), "STEPPE_BITCOIND": str(bitcoind_program)}
    shell = Shell(ROOT, environment, {port: free_port() for port in PORTS})
    try:
        page = list(blocks(ROOT / "docs" / "tutorial.md"))
        assert len(page) > 20
        for block in page:
            shell.run(block)
        assert not (tmp_path / "steppe-tutorial").exists()
    finally:
        shell.close()
        for left in tmp_path.glob("*/node/regtest/bitcoind.pid"):
            os.kill(int(left.read_text()), signal.SIGTERM)
