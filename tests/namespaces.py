"""Network namespaces: hosts of their own on one machine, without traffic that anybody else could see."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_CLONE_NEWNET: Final = 0x40000000
_OURS: Final = Path("/proc/thread-self/ns/net")


def why_not() -> str | None:
    """Why there can be none here; None if there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "network namespaces need ip(8), which is in iproute2"
    name = f"steppe-probe-{os.getpid()}"
    probe = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if probe.returncode:
        return f"this kernel forbids network namespaces: {probe.stderr.strip()}"
    ip("netns", "del", name)
    return None


def ip(*words: str) -> None:
    """Run ip(8). Raises subprocess.CalledProcessError; the reason stands on standard error."""
    subprocess.run(["ip", *words], check=True)


@contextlib.contextmanager
def namespace(name: str) -> Iterator[str]:
    """A new one, with a loopback that is up; what it is called on this machine."""
    whole = f"steppe-{name}-{os.getpid()}"
    ip("netns", "add", whole)
    try:
        ip("-n", whole, "link", "set", "lo", "up")
        yield whole
    finally:
        ip("netns", "del", whole)


def enter(name: str) -> None:
    """Have this thread, and what it starts, live in a namespace."""
    _enter(Path("/run/netns") / name)


@contextlib.contextmanager
def within(name: str) -> Iterator[None]:
    """Within: this thread, and what it starts, live in a namespace."""
    with _OURS.open() as before:
        enter(name)
        try:
            yield
        finally:
            _enter(Path(f"/proc/self/fd/{before.fileno()}"))


def _enter(path: Path) -> None:
    with path.open() as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter {path}")
