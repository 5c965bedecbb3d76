"""pool.roles.control: orders on a line of JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from twisted.internet.testing import StringTransport

from pool.roles.control import ORDER_BYTES_MAX, AskVersion, Reconnect, ShowMessage, _ControlFactory, tell
from tests.stratum.scene import pool_with_job


def answer(line: bytes) -> Any:
    """What a process with one miner answers; and what its miner hears."""
    pool = pool_with_job()
    miner = pool.ready()
    protocol: Any = _ControlFactory(pool.server.announcements).buildProtocol(None)
    transport: Any = StringTransport()
    protocol.makeConnection(transport)
    protocol.dataReceived(line + b"\n")
    return msgspec.json.decode(transport.value()) if transport.value() else None, miner.received()


def test_an_order_is_answered_with_the_number_of_sessions() -> None:
    said, heard = answer(msgspec.json.encode(ShowMessage("hello")))
    assert (said, heard[0]["params"]) == ({"sessions": 1}, ["hello"])


def test_a_reconnect_reaches_the_miner() -> None:
    said, heard = answer(msgspec.json.encode(Reconnect("pool.example", 3333)))
    assert (said, heard[0]["params"]) == ({"sessions": 1}, ["pool.example", 3333, 0])


def test_an_order_for_an_account_without_miners_reaches_nobody() -> None:
    assert answer(msgspec.json.encode(AskVersion("nobody"))) == ({}, [])


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"type":"stop"}',
        b'{"type":"message"}',
        b'{"type":"message","text":""}',
        b'{"type":"reconnect","host":"a b","port":1}',
        b'{"type":"reconnect","host":"a","port":0}',
        b'{"type":"version","more":1}',
        b"[" * 1000,
    ],
)
def test_anything_else_is_an_error_and_reaches_nobody(line: bytes) -> None:
    said, heard = answer(line)
    assert said["error"].startswith("no such order")
    assert heard == []


def test_an_order_without_end_ends_the_connection() -> None:
    assert answer(b"x" * (ORDER_BYTES_MAX + 1)) == (None, [])


def test_where_no_process_runs_nobody_answers(tmp_path: Path) -> None:
    assert tell(tmp_path, AskVersion()) == {}
