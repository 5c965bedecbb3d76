"""What opens a node's RPC: its cookie, or a user and a password; read from the file for each connection anew."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from pool.ports import NodeUnavailable


class Credentials(Protocol):
    """Gives the HTTP header `Authorization`; its text says where it comes from, and no secret."""

    def authorization(self) -> str:
        """Raises NodeUnavailable if the file cannot be read."""


class CookieFile(Struct, frozen=True):
    """The file that bitcoind writes anew at each start and removes when it stops."""

    path: Path

    def authorization(self) -> str:
        return _basic(_first_line(self.path, "is bitcoind running, and is this its data folder?"))

    def __str__(self) -> str:
        return f"the cookie in {self.path}"


class PasswordFile(Struct, frozen=True):
    """The user of bitcoind's `rpcauth` or `rpcuser`, and a file whose first line is the password."""

    user: str
    path: Path

    def authorization(self) -> str:
        return _basic(f"{self.user}:{_first_line(self.path, 'write the RPC password into it')}")

    def __str__(self) -> str:
        return f"the user {self.user!r} with the password in {self.path}"


def _basic(pair: str) -> str:
    return "Basic " + b64encode(pair.encode()).decode()


def _first_line(path: Path, mending: str) -> str:
    try:
        line = path.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except FileNotFoundError as error:
        raise NodeUnavailable(f"there is no file {path}: {mending}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise NodeUnavailable(f"cannot read {path}: {error}; the pool's user must be able to") from error
    if not line:
        raise NodeUnavailable(f"the first line of {path} is empty: {mending}")
    return line
