"""The supervisor: what dies is started again, later each time; what is stopped stays down. With real processes."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pool.service_manager import ServiceManager
from pool.supervisor import (
    EXIT_CONFIGURATION,
    RESTART_SECONDS_MAX,
    CannotSupervise,
    Child,
    Program,
    bound_to_parent,
    stop_signals,
    supervise,
)
from tests.pool.node.captured import captured_events

NOBODY = ServiceManager({})
FOREVER = "import time; time.sleep(600)"
CRITICAL = '{"level": "critical", "message": "the port is taken"}\n{"level": "info", "message": "stopping"}'


def child(tmp_path: Path, code: str) -> Child:
    return Child(Program("role", (sys.executable, "-c", code), tmp_path / "role.log"))


def died(it: Child) -> None:
    running(it).wait()


def running(it: Child) -> subprocess.Popen[bytes]:
    assert it.process is not None
    return it.process


def reasons(it: Child) -> list[str]:
    """Of its first death, as they were logged."""
    with captured_events() as logged:
        it.tend(0.0)
        died(it)
        it.tend(1.0)
    return [event["reason"] for event in logged if event["event"] == "role_died"]


def test_a_role_is_started_at_once(tmp_path: Path) -> None:
    role = child(tmp_path, FOREVER)
    role.tend(0.0)
    assert running(role).poll() is None
    role.stop(time.monotonic() + 10)


def test_a_role_that_died_is_started_again_after_a_pause(tmp_path: Path) -> None:
    role = child(tmp_path, "raise SystemExit(3)")
    role.tend(0.0)
    died(role)
    role.tend(0.1)
    first_is_gone = role.process is None
    role.tend(0.1 + 0.2)
    died(role)
    assert first_is_gone


def test_the_pause_doubles_with_each_early_death_up_to_a_ceiling(tmp_path: Path) -> None:
    role = child(tmp_path, "")
    pauses, now = [], 0.0
    for _ in range(8):
        role.tend(now)
        died(role)
        role.tend(now)
        pauses.append(role.pause_seconds)
        now += role.pause_seconds
    assert pauses[:3] == pytest.approx([0.2, 0.4, 0.8])
    assert pauses[-1] == RESTART_SECONDS_MAX


def test_a_death_after_a_good_life_counts_as_a_first_one(tmp_path: Path) -> None:
    role = child(tmp_path, "")
    for now in (0.0, 100.0, 200.0):
        role.tend(now)
        died(role)
        role.tend(now + 50.0)
        assert role.pause_seconds == pytest.approx(0.2)


def test_a_role_that_cannot_work_like_this_is_not_started_again_and_its_reason_is_told(tmp_path: Path) -> None:
    role = child(tmp_path, f"print({CRITICAL!r}); raise SystemExit({EXIT_CONFIGURATION})")
    role.tend(0.0)
    died(role)
    with pytest.raises(CannotSupervise, match="role: the port is taken"):
        role.tend(1.0)


def test_a_role_that_has_worked_ends_nobody_by_what_it_says_later(tmp_path: Path) -> None:
    role = child(tmp_path, f"raise SystemExit({EXIT_CONFIGURATION})")
    now = 0.0
    for lived in (50.0, 0.5, 0.5):
        role.tend(now)
        died(role)
        role.tend(now + lived)
        now += lived + role.pause_seconds
    assert role.pause_seconds == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        ("{'level': 'critical', 'message': 'no room'}, {'level': 'info', 'message': 'ends'}", "no room"),
        ("{'level': 'info', 'message': 'ready'}", "it ended without a word"),
        ("'ImportError: no module', {'level': 'info', 'message': 'ends'}", "ImportError: no module"),
        ("'x' * 200_000, {'level': 'critical', 'message': 'no room'}", "no room"),
    ],
)
def test_of_each_death_it_is_told_why(tmp_path: Path, says: str, reason: str) -> None:
    code = f"import json\nfor it in [{says}]: print(it if isinstance(it, str) else json.dumps(it))"
    assert reasons(child(tmp_path, code)) == [reason]


def test_what_it_said_before_it_was_started_again_is_no_reason(tmp_path: Path) -> None:
    (tmp_path / "role.log").write_text(CRITICAL)
    assert reasons(child(tmp_path, "")) == ["it ended without a word"]


def test_a_log_that_was_emptied_in_place_is_read_from_its_start(tmp_path: Path) -> None:
    (tmp_path / "role.log").write_text("x" * 1000)
    code = f"open({str(tmp_path / 'role.log')!r}, 'w').close(); print({CRITICAL!r})"
    assert reasons(child(tmp_path, code)) == ["the port is taken"]


def test_a_log_that_is_gone_ends_nobody(tmp_path: Path) -> None:
    (reason,) = reasons(child(tmp_path, f"import os; os.unlink({str(tmp_path / 'role.log')!r})"))
    assert reason.startswith("its log cannot be read: [Errno 2]")


def test_a_role_that_has_worked_is_tried_again_when_its_start_fails(tmp_path: Path) -> None:
    role = child(tmp_path, "")
    role.tend(0.0)
    died(role)
    role.tend(50.0)
    role.program.log.unlink()
    role.program.log.mkdir()  # as a disk in trouble, it opens no file there
    with captured_events() as logged:
        role.tend(50.2)
    assert [(event["event"], event["reason"].partition(": ")[0]) for event in logged] == [
        ("role_died", "it cannot be started")
    ]
    assert role.process is None
    role.program.log.rmdir()
    role.tend(50.2 + role.pause_seconds)
    died(role)


def test_a_first_start_that_fails_is_an_error(tmp_path: Path) -> None:
    role = child(tmp_path, "")
    role.program.log.mkdir()
    with pytest.raises(IsADirectoryError):
        role.tend(0.0)


DRAINS = (
    "import signal, sys, time; asked = [];"
    "signal.signal(signal.SIGTERM, lambda *_: (asked.append(1), print('asked', flush=True)));"
    "print('ready', flush=True)\n"
    "while not (len(asked) >= int(sys.argv[1])): time.sleep(0.01)\n"
    "print('drained' if len(asked) == 1 else 'hurried', flush=True)"
)


def test_who_drains_ends_first_while_the_others_work_on(tmp_path: Path) -> None:
    programs = [
        Program("drains", (sys.executable, "-c", DRAINS, "1"), tmp_path / "drains", drain_seconds=60),
        Program("other", (sys.executable, "-c", FOREVER), tmp_path / "other"),
    ]
    with stop_signals() as stop, ThreadPoolExecutor(1) as threads:
        running_all = threads.submit(supervise, programs, signals=stop, manager=NOBODY)
        while not said(tmp_path / "drains", "ready"):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)
        running_all.result(30)
    assert said(tmp_path / "drains", "drained")


def test_a_second_signal_hurries_it(tmp_path: Path) -> None:
    program = Program("drains", (sys.executable, "-c", DRAINS, "2"), tmp_path / "drains", drain_seconds=600)
    with stop_signals() as stop, ThreadPoolExecutor(1) as threads:
        running_all = threads.submit(supervise, [program], signals=stop, manager=NOBODY)
        while not said(tmp_path / "drains", "ready"):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)
        while not said(tmp_path / "drains", "asked"):
            time.sleep(0.01)
        assert not running_all.done()
        os.kill(os.getpid(), signal.SIGTERM)
        running_all.result(30)
    assert said(tmp_path / "drains", "hurried")


def said(log: Path, what: str) -> bool:
    return log.exists() and what in log.read_text()


def test_its_output_goes_into_its_log(tmp_path: Path) -> None:
    role = child(tmp_path, "import sys; print('out', flush=True); print('err', file=sys.stderr)")
    role.tend(0.0)
    died(role)
    assert (tmp_path / "role.log").read_text().split() == ["out", "err"]


def test_a_role_that_ignores_the_request_to_end_is_ended(tmp_path: Path) -> None:
    code = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
    role = child(tmp_path, code)
    role.tend(0.0)
    process = running(role)
    while not (tmp_path / "role.log").read_text():
        assert process.poll() is None
    role.stop(time.monotonic())
    assert process.returncode == -signal.SIGKILL


def test_a_child_ends_when_its_parent_is_killed() -> None:
    code = (
        "import subprocess, sys; from pool.supervisor import bound_to_parent;"
        f"child = subprocess.Popen(bound_to_parent([sys.executable, '-c', 'print(1, flush=True); {FOREVER}']));"
        "print(0, flush=True); child.wait()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    parent.stdout.readline(), parent.stdout.readline()
    parent.kill()
    parent.wait()
    assert parent.stdout.read() == b""  # the end comes when nobody holds the pipe any more, the child included
    parent.stdout.close()


def test_without_setpriv_the_command_stands_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert bound_to_parent(["redis-server", "x"]) == ["redis-server", "x"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_noted_and_the_old_behaviour_returns_afterwards(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with stop_signals() as stop:
        assert not stop()
        os.kill(os.getpid(), number)
        assert stop()
        assert not stop.again()
        os.kill(os.getpid(), number)
        assert stop.again()
    assert signal.getsignal(number) == before


def test_a_hang_up_asks_to_reload_once() -> None:
    with stop_signals() as stop:
        os.kill(os.getpid(), signal.SIGHUP)
        assert (stop.reload(), stop.reload(), stop()) == (True, False, False)


def test_the_end_of_the_terminal_asks_to_stop(tmp_path: Path) -> None:
    code = (
        "import os, pty, sys, time; from pathlib import Path; from pool.supervisor import stop_signals;"
        "os.setsid(); os.open(sys.argv[1], os.O_RDWR)\n"  # which makes it the controlling terminal
        "with stop_signals() as stop:\n"
        "    print('ready', flush=True)\n"
        "    while not (stop() or stop.reload()): time.sleep(0.01)\n"
        "    print('stop' if stop() else 'reload', flush=True)"
    )
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", code, os.ttyname(theirs)], stdout=subprocess.PIPE)
    os.close(theirs)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    os.close(ours)
    assert process.stdout.read() == b"stop\n"
    process.wait()
    process.stdout.close()


def test_a_reload_reaches_the_programs_that_want_it(tmp_path: Path) -> None:
    code = "import signal,time; signal.signal(signal.SIGHUP, lambda *_: print('again', flush=True));"
    code += "print('ready', flush=True); time.sleep(600)"
    roles = [
        Child(Program(name, (sys.executable, "-c", code), tmp_path / name, reloads=name == "a")) for name in ("a", "b")
    ]
    for role in roles:
        role.tend(0.0)
    while any((tmp_path / name).read_text() != "ready\n" for name in ("a", "b")):
        time.sleep(0.01)
    for role in roles:
        role.reload()
    while (tmp_path / "a").read_text() != "ready\nagain\n":
        time.sleep(0.01)
    assert (tmp_path / "b").read_text() == "ready\n"
    for role in roles:
        role.stop(time.monotonic() + 10)


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with stop_signals() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stop()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
