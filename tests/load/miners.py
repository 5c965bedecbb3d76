"""The generator as a context manager: start it, read its JSON lines."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, Self

import msgspec

from tests.load.processes import BenchmarkFailed, Cores, end, pinned
from tests.load.programs import program

Mode = Literal["shares", "notify", "connect", "idle"]


class Miners:
    """So many miners in a process of their own, which stay until the context is left."""

    def __init__(
        self, where: Cores, mode: Mode, port: int, connections: int, options: Mapping[str, float] | None = None
    ) -> None:
        net = where.net
        ends = {"host": net.server, "port": port, "from": net.miners}
        arguments = {**ends, "connections": connections, **(options or {})}
        there = ["ip", "netns", "exec", net.namespace] if net.namespace else []
        self._argv: list[str | Path] = [
            *there,
            program("generator"),
            mode,
            *(f"--{name}={value}" for name, value in arguments.items()),
        ]
        self._cores = where
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with pinned(self._cores.others):
            self._process = subprocess.Popen(self._argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._stack.callback(end, self._process)
        self.pid = self._process.pid
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def report(self) -> dict[str, Any]:
        """The next line, as soon as there is one. Raises BenchmarkFailed; the reason stands on standard error."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise BenchmarkFailed(f"the generator ended with status {self._process.wait()}")
        return msgspec.json.decode(line, type=dict[str, Any])


class TlsMiners(Miners):
    """Miners that all come at once over TLS."""

    def __init__(self, where: Cores, port: int, connections: int, certificate: Path) -> None:
        super().__init__(where, "connect", port, connections)
        self._argv = [sys.executable, "-m", "tests.load.tls_miners", str(port), str(connections), str(certificate)]
