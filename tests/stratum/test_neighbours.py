"""A connection that resumes a session goes to the process that has it: two servers, one passing to the other."""

from __future__ import annotations

import pytest

from stratum.limits import EARLY_BYTES_MAX
from stratum.ports import Link
from stratum.protocol import StratumProtocol
from tests.stratum.scene import AUTHORIZE, CONFIGURE, SUBSCRIBE, Miner, Pool, make_job, request, submit

OURS, THEIRS = bytes([5, 0, 0, 0]), bytes([6, 0, 0, 0])


class Next:
    """The process beside ours; `willing` whether a connection can be given to it. Satisfies `Neighbours`."""

    def __init__(self) -> None:
        self.pool = Pool(range_id=THEIRS[0])
        self.pool.server.take_job(make_job())
        self.willing = True
        self.came: list[Miner] = []

    def pass_on(self, link: Link, extranonce1: bytes, early: bytes) -> bool:
        if not self.willing or extranonce1[0] != THEIRS[0]:
            return False
        assert link.session.outgoing() == b"", "what was answered here is written"
        self.came.append(Miner(StratumProtocol(self.pool.server, link.remote_address, link.bounds, early)))
        return True


class Scene:
    """Our process, whose neighbour had a session that is gone now."""

    def __init__(self) -> None:
        self.next = Next()
        self.pool = Pool(range_id=OURS[0], neighbours=self.next)
        self.pool.server.take_job(make_job())
        there = self.next.pool.connect(SUBSCRIBE, AUTHORIZE, submit())
        self.next.pool.turn()
        ((pair, *_), extranonce1, _) = there.replies()[1]
        assert bytes.fromhex(extranonce1) == THEIRS
        self.session_id = pair[1]
        self.next.pool.server.lost(there.protocol)

    def resume(self, request_id: object = 1) -> bytes:
        return request("mining.subscribe", ["cgminer/4.11.1", self.session_id], request_id)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_it_has_its_session_there_and_its_duplicates(scene: Scene) -> None:
    here = scene.pool.connect(scene.resume(), AUTHORIZE)
    assert (here.received(), here.closed) == ([], True)
    (there,) = scene.next.came
    there.send(AUTHORIZE, submit())
    scene.next.pool.turn()
    replies = there.replies()
    assert (replies[1][1], replies[2], replies[4][0]) == (THEIRS.hex(), True, 22)


def test_what_came_in_one_piece_with_it_goes_along(scene: Scene) -> None:
    scene.pool.connect(scene.resume() + AUTHORIZE)
    assert scene.next.came[0].replies().keys() == {1, 2}


def test_what_was_answered_before_is_not_answered_again(scene: Scene) -> None:
    here = scene.pool.connect(CONFIGURE, scene.resume(), AUTHORIZE)
    assert here.replies().keys() == {3}
    there = scene.next.came[0]
    there.send(AUTHORIZE)
    assert there.replies().keys() == {1, 2}


def test_two_subscriptions_in_one_piece_are_both_answered(scene: Scene) -> None:
    scene.pool.connect(scene.resume(1) + scene.resume(8) + AUTHORIZE)
    replies = scene.next.came[0].replies()
    assert replies.keys() == {1, 2, 8}
    assert replies[1][1] == replies[8][1] == THEIRS.hex()


def test_what_was_configured_before_holds_there(scene: Scene) -> None:
    scene.pool.connect(CONFIGURE, scene.resume(), AUTHORIZE)
    there = scene.next.came[0]
    there.send(
        AUTHORIZE, request("mining.submit", ["alice.rig1", "a1", "00" * 8, "6553f100", "00000009", "00002000"], 5)
    )
    scene.next.pool.turn()
    assert there.replies()[5] is True


def test_its_own_session_is_resumed_here(scene: Scene) -> None:
    first = scene.pool.connect(SUBSCRIBE, AUTHORIZE)
    ((pair, *_), _, _) = first.replies()[1]
    scene.pool.server.lost(first.protocol)
    again = scene.pool.connect(request("mining.subscribe", ["x", pair[1]]))
    assert again.replies()[1][1] == OURS.hex()
    assert scene.next.came == []


@pytest.mark.parametrize("session_id", ["", "00" * 16, "06000001" + "00" * 12, "zz", None])
def test_an_id_that_is_none_of_ours_goes_nowhere(scene: Scene, session_id: str | None) -> None:
    here = scene.pool.connect(request("mining.subscribe", ["x", session_id]))
    assert here.replies()[1][1] == OURS.hex()
    assert scene.next.came == []


def test_when_the_other_process_cannot_take_it_the_session_is_new_here(scene: Scene) -> None:
    scene.next.willing = False
    here = scene.pool.connect(scene.resume(), AUTHORIZE)
    assert here.replies()[1][1] == OURS.hex()


def test_who_sends_too_much_before_it_subscribes_begins_anew(scene: Scene) -> None:
    pings = [request("mining.ping", []) for _ in range(EARLY_BYTES_MAX // 40)]
    here = scene.pool.connect(AUTHORIZE, *pings, scene.resume(7))
    assert here.replies()[7][1] == OURS.hex()


def test_a_connection_that_breaks_there_ends_there_alone(scene: Scene) -> None:
    scene.pool.connect(AUTHORIZE, scene.resume(), SUBSCRIBE)
    assert scene.pool.server.counters["closed_passed_on"] == 1
    assert scene.next.pool.server.counters.get("closed_bug", 0) == 0
    ready = scene.pool.ready()
    assert not ready.closed
