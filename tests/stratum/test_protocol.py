"""stratum.protocol: bytes between a transport and the server."""

from __future__ import annotations

from twisted.internet.interfaces import IPushProducer
from zope.interface.verify import verifyObject

from tests.stratum.scene import AUTHORIZE, SUBSCRIBE, Pool, pool_with_job


def test_a_request_is_answered_through_the_transport() -> None:
    miner = Pool().connect(SUBSCRIBE)
    assert miner.received()[0]["id"] == 1


def test_each_delivery_is_answered_in_one_write() -> None:
    miner = pool_with_job().connect()
    writes: list[bytes] = []
    miner.transport.write = writes.append
    miner.send(SUBSCRIBE + AUTHORIZE)
    assert len(writes) == 1


def test_nothing_to_say_writes_nothing() -> None:
    miner = Pool().connect(b"\n", b'{"id":7,"result":true}\n')
    assert miner.transport.value() == b""


def test_it_is_told_when_its_peer_does_not_read() -> None:
    miner = Pool().connect()
    assert miner.transport.producer is miner.protocol
    assert miner.transport.streaming


def test_it_is_a_producer() -> None:
    assert verifyObject(IPushProducer, Pool().connect().protocol)


def test_it_knows_where_its_miner_is() -> None:
    assert Pool().connect().protocol.remote_address == "203.0.113.7"
