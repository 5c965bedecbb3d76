"""A bitcoind of our own on a private chain: regtest, or a signet that takes any block, for demos and tests."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Literal

from bitcoinrpc.authproxy import AuthServiceProxy, JSONRPCException

from pool.ports import NodeUnavailable
from pool.supervisor import bound_to_parent

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 30.0
WALLET = "pool"

# Challenge 51 is OP_TRUE: a block needs no signature (BIP-0325), only work of difficulty 0.0011.
_CHAIN_ARGUMENTS = {
    "regtest": ["-regtest", "-fallbackfee=0.0001"],
    "signet": ["-signet", "-signetchallenge=51", "-fallbackfee=0.0001"],
}
PrivateChain = Literal["regtest", "signet"]


def find_bitcoind() -> Path | None:
    """The program named in STEPPE_BITCOIND, or the one on PATH."""
    named = os.environ.get("STEPPE_BITCOIND")
    found = named if named and os.access(named, os.X_OK) else shutil.which("bitcoind")
    return Path(found) if found else None


class PrivateNode:
    """One bitcoind as a child process, with a wallet, reached over loopback by cookie."""

    def __init__(self, program: Path, chain: PrivateChain, data_dir: Path, rpc_port: int) -> None:
        self._program = program
        self._chain = chain
        self._data_dir = data_dir
        self._rpc_port = rpc_port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._rpc_port}"

    @property
    def cookie_file(self) -> Path:
        return self._data_dir / self._chain / ".cookie"

    @property
    def pid(self) -> int:
        return self._running().pid

    def start(self, *arguments: str) -> None:
        """Start it and wait until it answers. Raises NodeUnavailable with the end of its log."""
        self._data_dir.mkdir(parents=True, exist_ok=True)
        log = self._data_dir / "stdout.log"
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                bound_to_parent(
                    [
                        str(self._program),
                        *_CHAIN_ARGUMENTS[self._chain],
                        f"-datadir={self._data_dir}",
                        "-server",
                        f"-rpcport={self._rpc_port}",
                        "-listen=0",
                        "-connect=0",
                        "-dbcache=32",
                        "-txindex=1",
                        "-printtoconsole=0",
                        *arguments,
                    ]
                ),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                self.call("getblockchaininfo")
                break
            except (OSError, JSONRPCException) as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    tail = log.read_text(errors="replace")[-2000:]
                    raise NodeUnavailable(f"{self._program} does not start: {error}\n{tail}") from error
            time.sleep(0.1)
        self._open_wallet()

    def stop(self) -> None:
        """End it in good order, or by force when it does not."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        process = self._running()
        process.kill()
        process.wait()
        self._process = None

    def call(self, method: str, *params: Any) -> Any:
        """One RPC. Raises JSONRPCException, or OSError while it is not there."""
        user, _, password = self.cookie_file.read_text().partition(":")
        url = f"http://{user}:{password}@127.0.0.1:{self._rpc_port}"
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self._rpc_port, timeout=30)) as connection:
            return getattr(AuthServiceProxy(url, timeout=30, connection=connection), method)(*params)

    def payout_address(self) -> str:
        """The wallet's address for the pool's blocks, the same each time."""
        known = self.call("getaddressesbylabel", "pool") if "pool" in self.call("listlabels") else {}
        return str(next(iter(known), None) or self.call("getnewaddress", "pool", "bech32"))

    def mine(self, blocks: int) -> list[str]:
        """Find blocks without the pool, to an address of nobody here (regtest only). Returns their hashes, as hex."""
        return list(self.call("generatetodescriptor", blocks, "raw(51)"))

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise NodeUnavailable("the node was not started")
        return self._process

    def _open_wallet(self) -> None:
        if WALLET in self.call("listwallets"):
            return
        names = {entry["name"] for entry in self.call("listwalletdir")["wallets"]}
        if WALLET in names:
            self.call("loadwallet", WALLET, True)
        else:
            self.call("createwallet", WALLET, False, False, "", False, True, True)
