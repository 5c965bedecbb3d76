"""What is measured: the stratum role as it is in a pool, and the floor. Both are context managers."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Literal, Protocol, Self

from msgspec import Struct

from pool.node.loopback import free_port
from pool.store.redis import RedisStore
from pool.store.redis_server import RedisServer
from stratum.messages import encode_job
from tests.certificates import write_pair
from tests.load.job import mainnet_job
from tests.load.processes import BenchmarkFailed, Cores, end, pinned, wait_for
from tests.load.programs import program

Name = Literal["floor", "ours", "pool", "tls"]

DIFFICULTY: Final = 1e-9
"""The lowest there is: some four hashes a share, so that the generator can hash ahead."""

# As accounting reads.
_READ_ENTRIES: Final = 16
_READ_BLOCK_MS: Final = 200

_CONFIGURATION: Final = """\
[pool]
chain = "{chain}"
payout_address = "{payout_address}"
data_dir = "data"
accept_risks = ["sample-address", "volatile-journal", "few-files", "root"]

[[node]]
url = "{node_url}"
cookie_file = "{cookie_file}"

[work]
refresh_seconds = 45

[stratum]
listen = ["{address}:{port}"]
endpoint = "{endpoint}"
journal_mode = "{journal}"
# Also where no job comes for long, so that no block is measured with it.
release_seconds = 86400
difficulty = {difficulty}
difficulty_min = {difficulty}
difficulty_max = {difficulty}
{tls}

[redis]
url = "{redis}"
"""


class RoleOptions(Struct, frozen=True):
    """How our role runs. refresh_seconds: a new job of the same tip so often; 0 for never."""

    endpoint: str = "fast"
    journal: str = "relaxed"
    refresh_seconds: float = 30.0


class Server(Protocol):
    """A stratum server, every session of which gets a job of mainnet size."""

    port: int
    pid: int

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...

    def new_block(self) -> int:
        """Have a job of a new tip sent to all sessions; returns `CLOCK_MONOTONIC` in nanoseconds just before."""

    def settle(self, records: int) -> None:
        """Return when everything that so many shares cause is done."""


class Floor:
    """The C program that answers blindly."""

    def __init__(self, where: Cores) -> None:
        self._cores = where
        self._stack = ExitStack()

    def __enter__(self) -> Floor:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="steppe-bench-")))
            (folder / "notify").write_bytes(encode_job(mainnet_job()).clean)
            with pinned(self._cores.server):
                process = subprocess.Popen(
                    [program("floor"), folder / "notify", self._cores.net.server],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            stack.callback(end, process)
            assert process.stdout is not None
            self._process = process
            self.pid = process.pid
            self.port = json.loads(process.stdout.readline())["port"]
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def new_block(self) -> int:
        now_ns = time.monotonic_ns()
        self._process.send_signal(signal.SIGUSR1)
        return now_ns

    def settle(self, records: int) -> None:
        """Nothing: what it did is done."""


class Role:
    """`steppe run --role stratum`, with a feed and a ledger of ours and a real Redis beside it, its journal on disk."""

    def __init__(self, where: Cores, options: RoleOptions) -> None:
        self._cores = where
        self._options = options
        self._stack = ExitStack()
        # A stratum role needs no node.
        self._chain, self._payout_address = "main", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
        self._node_url, self._cookie_file = "http://127.0.0.1:1", Path("no-node")
        self._tls = ""

    def __enter__(self) -> Role:
        self.port = free_port()
        with ExitStack() as stack:
            # In TMPDIR, which should be on a disk: the journal is.
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="steppe-bench-")))
            with pinned(self._cores.others):
                self._start_redis(stack, folder)
                self._start_feed(stack, folder)
            self._start_role(stack, folder)
            wait_for("a job from our role", lambda: _hands_out_a_job(self._cores.net.server, self.port))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def new_block(self) -> int:
        assert self._feed.stdin is not None
        assert self._feed.stdout is not None
        self._feed.stdin.write(b"\n")
        self._feed.stdin.flush()
        return int(self._feed.stdout.readline())

    def settle(self, records: int) -> None:
        wait_for("shares in the stream", lambda: self._ledger.records >= records)
        wait_for("shares in the statistics", lambda: self._store.backlog({}) >= records)

    def _start_redis(self, stack: ExitStack, folder: Path) -> None:
        redis = RedisServer(folder / "redis", folder / "redis.log")
        stack.callback(redis.stop)
        self._url = redis.start()
        self._store = RedisStore(self._url)
        stack.callback(self._store.close)
        self._ledger = _Ledger(self._url)
        self._ledger.start()
        stack.callback(self._ledger.stop)

    def _start_feed(self, stack: ExitStack, folder: Path) -> None:
        (folder / "data").mkdir(mode=0o700)
        address, refresh = f"unix:{folder / 'data' / 'feed.sock'}", str(self._options.refresh_seconds)
        self._feed = subprocess.Popen(
            [sys.executable, "-m", "tests.load.feed_process", address, refresh],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        stack.callback(end, self._feed)

    def _configure(self, folder: Path) -> Path:
        """Write the configuration file, the same each time."""
        configuration = folder / "steppe.toml"
        configuration.write_text(
            _CONFIGURATION.format(
                chain=self._chain,
                payout_address=self._payout_address,
                node_url=self._node_url,
                cookie_file=self._cookie_file,
                address=self._cores.net.server,
                port=self.port,
                endpoint=self._options.endpoint,
                journal=self._options.journal,
                difficulty=DIFFICULTY,
                redis=self._url,
                tls=self._tls,
            )
        )
        return configuration

    def _start_role(self, stack: ExitStack, folder: Path) -> None:
        log = folder / "stratum.log"
        argv = [sys.executable, "-m", "pool", "run", "--role", "stratum", "-c", str(self._configure(folder))]
        with pinned(self._cores.server), log.open("wb") as out:
            process = subprocess.Popen(argv, stdout=out, stderr=out)
        self.pid = process.pid
        stack.callback(_end_role, process, log)


def _end_role(process: subprocess.Popen[bytes], log: Path) -> None:
    status = end(process)
    lines = log.read_text().splitlines()
    problems = [line for line in lines if json.loads(line)["level"] in ("error", "critical")]
    if status != 0 or problems:
        raise BenchmarkFailed(f"the stratum role ended with {status} and said:\n" + "\n".join(problems or lines))


class TlsRole(Role):
    """The stratum role with a certificate."""

    def _configure(self, folder: Path) -> Path:
        self.certificate, key = write_pair(folder)
        self._tls = f'tls_certificate = "{self.certificate}"\ntls_key = "{key}"'
        return super()._configure(folder)


class _Ledger(threading.Thread):
    """Takes batches out of the stream as accounting does, and forgets them: a stream that fills up would stop the
    shipper. records: how many it took."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._store = RedisStore(url)
        self._stopping = threading.Event()
        self.records = 0

    def run(self) -> None:
        while not self._stopping.is_set():
            for batch in self._store.read_shares("0", _READ_ENTRIES, _READ_BLOCK_MS):
                self._store.publish_hwm({batch.frontend: batch.last_seq})
                self._store.trim(batch.entry_id)
                self.records = batch.last_seq

    def stop(self) -> None:
        self._stopping.set()
        self.join()
        self._store.close()


def _hands_out_a_job(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=5.0) as miner, miner.makefile("rb") as lines:
            miner.sendall(
                b'{"id":1,"method":"mining.subscribe","params":[]}\n'
                b'{"id":2,"method":"mining.authorize","params":["bench","x"]}\n'
            )
            return any(json.loads(line).get("method") == "mining.notify" for line in lines)
    except OSError:
        return False
