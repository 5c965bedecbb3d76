"""The machine that the pool runs on: as `pool.preflight` asks for it, and what a process asks of it."""

from __future__ import annotations

import ctypes
import os
import resource
import stat
from pathlib import Path
from typing import Final

import redis as redis_library

from pool.preflight import FileFacts, RedisFacts

LARGE_BYTES: Final = 1 << 20
"""Of a block of memory that is kept apart."""

_REDIS_SECONDS = 2.0
_M_MMAP_THRESHOLD: Final = -3  # malloc.h of the GNU C library


class ThisMachine:
    """Satisfies `pool.preflight.Machine`."""

    def is_root(self) -> bool:
        return os.geteuid() == 0

    def files_max(self) -> int:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        return most if most != resource.RLIM_INFINITY else 1 << 30

    def file(self, path: Path) -> FileFacts | None:
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except OSError:
            return None
        try:
            first_line = path.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
        except (OSError, UnicodeDecodeError):
            first_line = None
        return FileFacts(mode, first_line)

    def file_system(self, folder: Path) -> str:
        """By the longest mount point above it. Source: proc(5), `mountinfo`."""
        folder = folder.resolve()
        try:
            lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
        except OSError:
            return ""
        kind, longest = "", -1
        for line in lines:
            before, _, after = line.partition(" - ")
            # Spaces and the like stand there as \040.
            mount = Path(before.split(" ")[4].encode().decode("unicode_escape"))
            # The last one of two at the same place lies on top.
            if folder.is_relative_to(mount) and len(mount.parts) >= longest:
                kind, longest = after.split(" ")[0], len(mount.parts)
        return kind

    def redis(self, url: str) -> RedisFacts | None:
        client = redis_library.Redis.from_url(
            url, socket_timeout=_REDIS_SECONDS, socket_connect_timeout=_REDIS_SECONDS, decode_responses=True
        )
        try:
            said = client.config_get("bind", "protected-mode")
        except (redis_library.RedisError, OSError):
            return None
        finally:
            client.close()
        return RedisFacts(tuple((said.get("bind") or "").split()), said.get("protected-mode") == "yes")


def allow_many_files() -> None:
    """As many open files as the system lets us have without asking: shells and systemd give 1,024 at first."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def keep_large_blocks_apart() -> bool:
    """Have each large block of memory mapped by itself, and given back whole when it is freed. Whether this C library
    can.

    Left alone it stops doing so for blocks as large as any that was freed before (mallopt(3), "dynamic mmap
    threshold"). The tables of remembered sessions, five megabytes each, are made anew whenever as many miners have
    come and gone; among small pieces they left holes, and the process grew by 3 MiB an hour at a hundred connections a
    second. Apart it grows by half a MiB.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    return set_option is not None and set_option(_M_MMAP_THRESHOLD, LARGE_BYTES) == 1
