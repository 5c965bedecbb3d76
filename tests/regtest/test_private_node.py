"""The node of demos and tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pool.node.loopback import free_port
from tests.regtest.whole_pool import alive, eventually

START = """
import sys, time
from pathlib import Path
from pool.node.private import PrivateNode, find_bitcoind

node = PrivateNode(find_bitcoind(), "regtest", Path(sys.argv[1]), int(sys.argv[2]))
node.start()
print(node.pid, flush=True)
time.sleep(600)
"""


def test_it_ends_when_the_process_that_started_it_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", START, str(tmp_path / "node"), str(free_port())], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
    eventually("the node has ended", lambda: not alive(pid))
