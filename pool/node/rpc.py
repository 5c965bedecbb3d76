"""JSON-RPC to one bitcoind, synchronous; every failure becomes a NodeUnavailable that says how to mend it."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlsplit

import msgspec
from bitcoinrpc.authproxy import AuthServiceProxy, JSONRPCException
from msgspec import Raw, Struct

from pool.bitcoin.network import Network
from pool.node.connection import AuthorizedConnection, HttpConnection, UnexpectedStatus
from pool.node.credentials import Credentials
from pool.ports import NodeUnavailable

T = TypeVar("T")

# Error codes of bitcoind. Source: Bitcoin Core, `rpc/protocol.h`.
UNKNOWN_BLOCK = -5
OUT_OF_RANGE = -8
NO_PEERS = -9
SYNCING = -10
DECODE_FAILED = -22
WARMING_UP = -28
WALLET_NEEDS_UNLOCK = -13
WALLET_NOT_FOUND = -18
METHOD_NOT_FOUND = -32601

_MENDING_BY_CODE = {
    NO_PEERS: "it has no peers: connect it to the network",
    SYNCING: "it is still syncing: wait until `bitcoin-cli getblockchaininfo` shows the newest block",
    WARMING_UP: "it is starting: wait a moment",
    METHOD_NOT_FOUND: "the pool needs Bitcoin Core or Bitcoin Knots 28 or newer",
}

_UNAUTHORIZED = 401
_MENDING_BY_STATUS = {
    403: "let it take our address: -rpcallowip",
    404: "the address must be the node's RPC port, with no path behind it",
    503: "it is too busy: give it more -rpcworkqueue and -rpcthreads",
}


class RpcRefusal(NodeUnavailable):
    """bitcoind answered with an error. code: of JSON-RPC; a few mean something to a caller."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class NodeTimeout(NodeUnavailable):
    """No answer in time."""


class RpcSettings(Struct, frozen=True):
    """How to reach one bitcoind. url: http://HOST:PORT, without user or password. network: the one it must be on.

    wallet: the one that calls are about, if they are about one.
    """

    url: str
    credentials: Credentials
    network: Network
    timeout_seconds: float = 30.0
    wallet: str = ""

    @property
    def name(self) -> str:
        """Host and port, for people."""
        address = urlsplit(self.url)
        return f"{address.hostname}:{address.port or self.network.default_rpc_port}"


class _Answer(Struct):
    result: Raw
    error: dict[str, Any] | None


_ANSWER: Final = msgspec.json.Decoder(_Answer)
REASON: Final[msgspec.json.Decoder[str | None]] = msgspec.json.Decoder(str | None)
"""What a node says of a block, as JSON: nothing, or its word against it (BIP-0022)."""


class BitcoindRpc:
    """One kept connection to bitcoind; for one thread, but for `interrupt`."""

    def __init__(
        self,
        settings: RpcSettings,
        open_connection: Callable[..., HttpConnection] = http.client.HTTPConnection,
    ) -> None:
        address = urlsplit(settings.url)
        if address.scheme != "http" or not address.hostname or address.username is not None:
            raise ValueError(f"a node's address is http://HOST:PORT, without user or password: {settings.url!r}")
        port = address.port or settings.network.default_rpc_port
        self._settings = settings
        self._where = f"bitcoind at {settings.name}"
        self._connection = AuthorizedConnection(
            open_connection(address.hostname, port, timeout=settings.timeout_seconds), settings.credentials
        )
        # The library refuses a URL without user and password; our connection puts the real ones into the header.
        self._path = f"/wallet/{quote(settings.wallet, safe='')}" if settings.wallet else address.path
        url = f"http://in:header@{address.netloc}{self._path}"
        self._proxy = AuthServiceProxy(url, timeout=settings.timeout_seconds, connection=self._connection)
        self._is_chain_checked = False
        self._is_interrupted = False

    def call(self, method: str, *params: Any) -> Any:
        """The result of a method; numbers with a decimal point are Decimal.

        Raises RpcRefusal if bitcoind answers with an error, NodeTimeout or NodeUnavailable if it does not answer.
        """
        return self._guarded(method, lambda: getattr(self._proxy, method)(*params))

    def call_raw(self, method: str, *params: Any) -> Raw:
        """As `call`, for megabytes either way: the result as JSON.

        The library writes each request twice and each answer once more, for a log that nobody reads. With a template
        that takes 25 ms, in which nothing else of the process runs, a block that was just found neither.
        """
        return self._guarded(method, lambda: self._post(method, msgspec.json.encode(params)))

    def submit(self, hex_pieces: Sequence[bytes]) -> str | None:
        """`submitblock`: None, or the node's word against it. hex_pieces: the block in hex, ASCII, which is sent in
        these pieces. Raises as `call`."""
        method = "submitblock"
        return self._guarded(method, lambda: REASON.decode(self._post(method, b'["', *hex_pieces, b'"]')))

    def _guarded(self, method: str, once: Callable[[], T]) -> T:
        try:
            if not self._is_chain_checked:
                self._check_chain()
            return self._attempt(once)
        except JSONRPCException as error:
            raise self._refusal(method, error) from error
        except (NodeUnavailable, UnexpectedStatus, OSError, http.client.HTTPException) as error:
            self._forget_connection()
            raise self._unavailable(method, error) from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            # The library takes an answer apart without looking at its shape.
            self._forget_connection()
            raise NodeUnavailable(
                f"{self._where} answers {method} with something that is no JSON-RPC: {error!r}"
            ) from error

    def interrupt(self) -> None:
        """End a call that waits in another thread, and refuse every later one; for shutting down."""
        self._is_interrupted = True
        self._connection.interrupt()

    def close(self) -> None:
        """Close the connection; a later call opens another one."""
        self._connection.close()

    def _check_chain(self) -> None:
        chain, wanted = self._attempt(self._proxy.getblockchaininfo)["chain"], self._settings.network.name
        if chain != wanted:
            raise NodeUnavailable(
                f"{self._where} is on the chain {chain!r}, the pool on {wanted!r}: correct the address or the chain"
            )
        self._is_chain_checked = True

    def _attempt(self, once: Callable[[], T]) -> T:
        """Call once, and once more where that may mend it: bitcoind has closed an idle connection, or rewritten its
        cookie. A second `submitblock` does no harm: the answer is `duplicate`."""
        is_kept = self._connection.sock is not None
        try:
            return self._once(once)
        except (ConnectionError, http.client.BadStatusLine):
            if not is_kept:
                raise
        except UnexpectedStatus as error:
            if error.status != _UNAUTHORIZED:
                raise
        self._connection.close()
        return self._once(once)

    def _once(self, once: Callable[[], T]) -> T:
        if self._is_interrupted:
            raise self._closed()
        return once()

    def _post(self, method: str, *params: bytes) -> Raw:
        """Around the library. params: a JSON array, in pieces."""
        body = (b'{"version":"1.1","method":"', method.encode(), b'","params":', *params, b',"id":0}')
        headers = {"Content-Type": "application/json", "Content-Length": str(sum(map(len, body)))}
        self._connection.request("POST", self._path, body, headers)
        answer = _ANSWER.decode(self._connection.getresponse().read())
        if answer.error is not None:
            raise JSONRPCException(answer.error)
        return answer.result

    def _closed(self) -> NodeUnavailable:
        return NodeUnavailable(f"the link to {self._where} was closed")

    def _forget_connection(self) -> None:
        """Half an answer may still be in it; and what answers at this address next may be another node."""
        self._connection.close()
        self._is_chain_checked = False

    def _refusal(self, method: str, error: JSONRPCException) -> RpcRefusal:
        mending = _MENDING_BY_CODE.get(error.code)
        text = f"{self._where} refuses {method}: {error.message} ({error.code})"
        return RpcRefusal(error.code, f"{text}; {mending}" if mending else text)

    def _unavailable(self, method: str, error: Exception) -> NodeUnavailable:
        if self._is_interrupted:
            return self._closed()
        match error:
            case NodeUnavailable():
                return error
            case UnexpectedStatus(status=401):
                return NodeUnavailable(
                    f"{self._where} refuses {self._settings.credentials}: it is another node's, or old"
                )
            case UnexpectedStatus(status=status):
                mending = _MENDING_BY_STATUS.get(status, "is it a bitcoind?")
                return NodeUnavailable(f"{self._where} answers {method} with HTTP {error}: {mending}")
            case TimeoutError():
                return NodeTimeout(f"{self._where} did not answer {method} within {self._settings.timeout_seconds:g} s")
            case ConnectionRefusedError():
                return NodeUnavailable(
                    f"nothing listens there: {self._where}; start it with -server, or correct the address"
                )
            case socket.gaierror():
                return NodeUnavailable(f"{self._where}: the host name is unknown: {error.strerror}")
            case _:
                return NodeUnavailable(f"{self._where} broke off {method}: {error or type(error).__name__}")
