"""What all roles share; pool/roles/twisted_role.py."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]

ROLE = """
import sys
import threading
from twisted.internet.threads import deferToThread
from pool import logs
from pool.roles.twisted_role import Role, run

class Small(Role):
    async def start(self):
        {begin}
        print("up", flush=True)

    async def stop(self):
        print("stopped", flush=True)

logs.begin(sys.stderr, "web")
raise SystemExit(run("web", lambda reactor, loop: Small()))
"""


def told_to_end_as_it_starts(begin: str) -> list[dict[str, Any]]:
    """What such a role logs; it must end, and well."""
    with subprocess.Popen(
        [sys.executable, "-c", ROLE.format(begin=begin)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as role:
        assert role.stdout is not None
        assert role.stdout.readline() == "up\n"
        role.send_signal(signal.SIGTERM)
        try:
            said, logged = role.communicate(timeout=60)
        finally:
            role.kill()
    assert (role.returncode, said) == (0, "stopped\n")
    return [json.loads(line) for line in logged.splitlines()]


def test_a_role_that_finds_later_that_it_cannot_work_so_ends_with_the_reason_and_for_good() -> None:
    later = ROLE.format(begin="pass").replace(
        "    async def stop(self):",
        """\
    async def work_on(self):
        raise CannotStart("another one has the range")

    async def stop(self):""",
    )
    done = subprocess.run(
        [sys.executable, "-c", later.replace("import Role, run", "import CannotStart, Role, run")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    logged = [json.loads(line) for line in done.stderr.splitlines()]
    assert (done.returncode, done.stdout) == (78, "up\nstopped\n")
    assert [each["event"] for each in logged] == ["role_started", "role_cannot_start", "role_stopping"]
    assert logged[1]["message"] == "another one has the range"


@pytest.mark.parametrize(
    ("number", "status", "message"),
    [
        (errno.EIO, 1, "the journal: [Errno 5] Input/output error; it is tried again"),
        (errno.ENOSPC, 1, "the journal: [Errno 28] No space left on device; it is tried again"),
        (errno.EACCES, 78, "the journal: [Errno 13] Permission denied"),
    ],
)
def test_a_disk_in_trouble_is_no_mistake_of_the_configuration(number: int, status: int, message: str) -> None:
    program = (
        "import os, sys\n"
        "from pool import logs\n"
        "from pool.roles.twisted_role import cannot_start, run\n"
        "logs.begin(sys.stderr, 'stratum')\n"
        "def build(reactor, loop):\n"
        f"    raise cannot_start('the journal', OSError({number}, os.strerror({number})))\n"
        "raise SystemExit(run('stratum', build))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    logged = json.loads(done.stderr)
    assert (done.returncode, logged["event"], logged["message"]) == (status, "role_cannot_start", message)


def test_a_signal_that_comes_as_the_role_starts_is_not_forgotten() -> None:
    logged = told_to_end_as_it_starts("pass")
    assert [each["event"] for each in logged] == ["role_started", "role_stopping"]


def test_no_thread_of_a_role_keeps_the_interpreter_for_as_long_as_a_block_may_take_to_its_nodes() -> None:
    begin = "print(sys.getswitchinterval() <= SWITCH_SECONDS, flush=True)"
    role = ROLE.format(begin=begin).replace("import Role, run", "import SWITCH_SECONDS, Role, run")
    with subprocess.Popen([sys.executable, "-c", role], cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        said = running.stdout.readline()
        running.kill()
    assert said == "True\n"


def test_a_role_ends_though_a_thread_of_it_hangs_for_a_store_that_never_answers() -> None:
    logged = told_to_end_as_it_starts("deferToThread(threading.Event().wait)")
    assert [each["event"] for each in logged] == ["role_started", "role_stopping", "role_left_threads"]
    assert logged[-1]["threads"] >= 1
