"""Processes by name, as those that hold a lease or a claim are called."""

from __future__ import annotations

import os
import socket
from pathlib import Path


def this_process() -> str:
    """A name that no other process has, or had before: host, pid, and when it was started."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def has_ended(holder: str) -> bool:
    """Whether a process of that name ran on this host and runs no more; of another host nobody knows."""
    host, pid, started = holder.split(":")
    return host == socket.gethostname() and _started(int(pid)) != started


def _started(pid: int) -> str:
    """When a process was started, in ticks since its machine's start; empty if there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except OSError:
        return ""
