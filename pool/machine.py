"""The machine that the pool runs on, as `pool.preflight` asks for it."""

from __future__ import annotations

import os
import resource
import stat
from pathlib import Path

import redis as redis_library

from pool.preflight import FileFacts, RedisFacts

_REDIS_SECONDS = 2.0


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
