"""The CPU miner's side of Stratum v1: it finds what the pool will accept."""

from __future__ import annotations

import json

import pytest

import native
from pool.miner import MinerError, MinerSession, Redirect, may_follow

NOTIFY = {
    "id": None,
    "method": "mining.notify",
    "params": [
        "1f",
        "11223344" + "00" * 28,
        "01000000",
        "ffffffff",
        ["22" * 32],
        "20000000",
        "1d00ffff",
        "66554433",
        True,
    ],
}


def fed(*messages: object) -> MinerSession:
    session = MinerSession("alice.cpu", "x")
    for message in messages:
        session.receive(json.dumps(message).encode() + b"\n")
    return session


def ready() -> MinerSession:
    return fed(
        {"id": 1, "result": [[["mining.notify", "s"]], "a1b2c3d4", 8], "error": None},
        {"id": 2, "result": True, "error": None},
        {"id": None, "method": "mining.set_difficulty", "params": [0.5]},
        NOTIFY,
    )


def sent(session: MinerSession) -> list[dict[str, object]]:
    return [json.loads(line) for line in session.outgoing().splitlines()]


def test_it_subscribes_first() -> None:
    assert [message["method"] for message in sent(MinerSession("alice", "x"))] == ["mining.subscribe"]


def test_it_authorizes_once_subscribed() -> None:
    session = fed({"id": 1, "result": [[["mining.notify", "s"]], "a1b2c3d4", 8], "error": None})
    assert sent(session)[-1]["params"] == ["alice.cpu", "x"]


def test_a_refused_user_ends_it_with_the_reason() -> None:
    with pytest.raises(MinerError, match=r"does not know the user 'alice.cpu'"):
        fed(
            {"id": 1, "result": [[], "a1b2c3d4", 8], "error": None},
            {"id": 2, "result": False, "error": [24, "unknown account", None]},
        )


def test_there_is_no_work_before_a_job() -> None:
    assert MinerSession("alice", "x").next_work() is None


def test_its_header_is_built_from_the_job_with_the_words_of_the_previous_hash_swapped_back() -> None:
    work = ready().next_work()
    assert work is not None
    coinbase = bytes.fromhex("01000000" + "a1b2c3d4" + "00" * 8 + "ffffffff")
    root = native.merkle_root(native.sha256d(coinbase), bytes.fromhex("22" * 32))
    prev = bytes.fromhex("44332211" + "00" * 28)
    assert work.header == native.header(0x20000000, prev, root, 0x66554433, 0x1D00FFFF, 0)


def test_its_target_is_that_of_the_difficulty_announced() -> None:
    work = ready().next_work()
    assert work is not None
    assert int.from_bytes(work.target, "little") == 2 * 0xFFFF << 208


def test_no_extranonce2_is_used_twice() -> None:
    session = ready()
    used = [work.extranonce2_hex for work in (session.next_work() for _ in range(5)) if work]
    assert len(set(used)) == 5


def test_a_share_is_submitted_with_five_parameters() -> None:
    session = ready()
    session.outgoing()
    work = session.next_work()
    assert work is not None
    session.submit(work, 0xABC)
    assert sent(session)[0]["params"] == ["alice.cpu", "1f", "00" * 8, "66554433", "00000abc"]


def test_refusals_are_remembered_with_their_reason() -> None:
    session = ready()
    work = session.next_work()
    assert work is not None
    session.submit(work, 1)
    session.receive(b'{"id":3,"result":null,"error":[21,"stale",null]}\n')
    assert (session.accepted, session.rejected) == (0, ["stale"])


def test_no_more_shares_are_sent_than_are_wanted_while_their_answers_are_on_the_way() -> None:
    session = ready()
    work = session.next_work()
    assert work is not None
    assert not session.needs_no_more(2)
    session.submit(work, 1)
    assert not session.needs_no_more(2)
    session.submit(work, 2)
    assert session.needs_no_more(2)
    session.receive(b'{"id":3,"result":true,"error":null}\n')
    assert session.needs_no_more(2)
    session.receive(b'{"id":4,"result":null,"error":[21,"stale",null]}\n')
    assert not session.needs_no_more(2)


def test_who_mines_without_an_end_always_needs_more() -> None:
    session = ready()
    work = session.next_work()
    assert work is not None
    session.submit(work, 1)
    assert not session.needs_no_more(None)


def test_a_line_in_two_pieces_is_one_line() -> None:
    session = ready()
    data = json.dumps(NOTIFY).encode() + b"\n"
    session.receive(data[:10])
    session.fresh = False
    session.receive(data[10:])
    assert session.fresh


@pytest.mark.parametrize(
    ("params", "redirect"),
    [
        (["kz.pool.example", 3333, 5], Redirect("kz.pool.example", 3333, 5.0)),
        (["kz.pool.example", "3333"], Redirect("kz.pool.example", 3333, 0.0)),
        ([], Redirect("", 0, 0.0)),
        (["", 0, None], Redirect("", 0, 0.0)),
    ],
)
def test_client_reconnect_is_read_with_what_it_leaves_out(params: list[object], redirect: Redirect) -> None:
    session = ready()
    session.receive(json.dumps({"id": None, "method": "client.reconnect", "params": params}).encode() + b"\n")
    assert session.redirect == redirect


@pytest.mark.parametrize(
    ("to", "follows"),
    [
        ("", True),
        ("sichuan.pool.example", True),
        ("kz.pool.example", True),
        ("kz.pool.example.evil.example", False),
        ("pool.evil.example", False),
        ("localhost", False),
    ],
)
def test_it_follows_within_the_domain_of_its_pool_only(to: str, follows: bool) -> None:
    assert may_follow("sichuan.pool.example", to) is follows


def test_from_a_host_without_a_domain_it_follows_to_that_host_alone() -> None:
    assert may_follow("localhost", "localhost")
    assert not may_follow("localhost", "elsewhere")
