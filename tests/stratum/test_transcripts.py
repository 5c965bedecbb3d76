"""Handshakes and first shares as miners write them, whole, in pieces and in one packet.

Written after descriptions of what each program sends (order, spacing, keys, ids), or after its source where it says so.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from msgspec import Struct

from stratum.returning import SessionIds
from tests.stratum.scene import ANY_HASH, KEY, Pool, make_job

SESSION_ID = SessionIds(KEY).name(bytes.fromhex("07000000"))
SUBSCRIBED = f'[[["mining.set_difficulty","{SESSION_ID}"],["mining.notify","{SESSION_ID}"]],"07000000",8]'
WORK = (
    '{"id":null,"method":"mining.set_difficulty","params":[1e-10]}\n'
    '{"id":null,"method":"mining.notify","params":["a1",'
    '"03020100070605040b0a09080f0e0d0c13121110171615141b1a19181f1e1d1c",'
    '"01000000010000000000000000000000000000000000000000000000000000000000000000",'
    '"ffffffff02' + "00" * 60 + '",'
    '["' + "11" * 32 + '","' + "22" * 32 + '"],"20000000","1703255b","6553f100",true]}\n'
)
MASK = '{"version-rolling":true,"version-rolling.mask":"1fffe000"}'
UNKNOWN = '[20,"unknown method",null]'


def _ok(request_id: str, result: str = "true") -> str:
    return f'{{"id":{request_id},"result":{result},"error":null}}\n'


def _error(request_id: str, error: str) -> str:
    return f'{{"id":{request_id},"result":null,"error":{error}}}\n'


class Transcript(Struct, frozen=True):
    """sent: what the miner sends, a packet each. answered: everything it gets."""

    sent: tuple[bytes, ...]
    answered: str


TRANSCRIPTS = {
    "cpuminer": Transcript(
        sent=(
            b'{"id": 1, "method": "mining.subscribe", "params": ["cpuminer/2.5.1"]}\n',
            b'{"id": 2, "method": "mining.authorize", "params": ["alice.rig1", "x"]}\n',
            b'{"method": "mining.submit", "params": ["alice.rig1", "a1", "0000000000000000", "6553f100", "2a000000"], '
            b'"id":4}\n',
            b'{"method": "mining.submit", "params": ["alice.rig1", "a1", "0100000000000000", "6553f100", "2b000000"], '
            b'"id":4}\n',
        ),
        answered=_ok("1", SUBSCRIBED) + _ok("2") + WORK + _ok("4") + _ok("4"),
    ),
    "cpuminer resuming a session we do not know": Transcript(
        sent=(
            b'{"id": 1, "method": "mining.subscribe", "params": ["cpuminer/2.5.1", "0a1b2c3d"]}\n',
            b'{"id": 2, "method": "mining.authorize", "params": ["alice.rig1", "x"]}\n',
        ),
        answered=_ok("1", SUBSCRIBED) + _ok("2") + WORK,
    ),
    "cpuminer-multi": Transcript(
        sent=(
            b'{"id": 1, "method": "mining.subscribe", "params": ["cpuminer-multi/1.3.7"]}\n',
            b'{"id": 2, "method": "mining.authorize", "params": ["alice.rig1", "x"]}\n',
            b'{"id": 3, "method": "mining.extranonce.subscribe", "params": []}\n',
            b'{"method": "mining.submit", "params": ["alice.rig1", "a1", "0000000000000000", "6553f100", "2a000000"], '
            b'"id":4}\n',
        ),
        answered=_ok("1", SUBSCRIBED) + _ok("2") + WORK + _ok("3") + _ok("4"),
    ),
    "cpuminer-opt with its keepalive": Transcript(
        sent=(
            b'{"id": 1, "method": "mining.subscribe", "params": ["cpuminer-opt-26.1-x64L"]}\n',
            b'{"id": 2, "method": "mining.authorize", "params": ["alice.rig1", "x"]}\n',
            b'{"id": 3, "method": "mining.extranonce.subscribe", "params": []}\n',
            b'{"id": 1, "method": "mining.suggest_difficulty", "params": ["0.500000"]}\n',
        ),
        answered=_ok("1", SUBSCRIBED) + _ok("2") + WORK + _ok("3"),
    ),
    "bfgminer in the clear": Transcript(
        sent=(
            b'{"id": 0, "method": "mining.subscribe", "params": ["bfgminer/5.5.0"]}\n',
            b'{"id": "auth", "method": "mining.authorize", "params": ["alice.rig1", "x"]}\n',
            b'{"id": "txlista1", "method": "mining.get_transactions", "params": ["a1"]}\n',
            b'{"params": ["alice.rig1", "a1", "0000000000000000", "6553f100", "00000001"], "id": 1, '
            b'"method": "mining.submit"}\n',
        ),
        answered=_ok("0", SUBSCRIBED) + _ok('"auth"') + WORK + _ok('"txlista1"', "[]") + _ok("1"),
    ),
    "bfgminer that suggests a target": Transcript(
        sent=(
            b'{"id": null, "method": "mining.suggest_target", "params": ["00000000ffff0000000000000000000000000000000'
            b'000000000000000000000"]}\n{"id": 0, "method": "mining.subscribe", "params": ["bfgminer/5.5.0"]}\n',
            b'{"id": "xnsub", "method": "mining.extranonce.subscribe", "params": []}\n',
            b'{"id": "auth", "method": "mining.authorize", "params": ["alice.rig1", "x"]}\n',
        ),
        answered=_ok("0", SUBSCRIBED) + _ok('"xnsub"') + _ok('"auth"') + WORK,
    ),
    "cgminer 2.11": Transcript(
        sent=(
            b'{"id": 0, "method": "mining.subscribe", "params": ["cgminer/2.11.4"]}\n',
            b'{"id": 1, "method": "mining.authorize", "params": ["alice.rig1", "x"]}\n',
            b'{"params": ["alice.rig1", "a1", "00000000", "6553f100", "00000001"], "id": 2, '
            b'"method": "mining.submit"}\n',
            b'{"params": ["alice.rig1", "a1", "0000000000000000", "6553f100", "00000001"], "id": 3, '
            b'"method": "mining.submit"}\n',
        ),
        answered=_ok("0", SUBSCRIBED)
        + _ok("1")
        + WORK
        + _error("2", '[20,"extranonce2 is not of the agreed length, in hex",null]')
        + _ok("3"),
    ),
    "cgminer 4 with version rolling": Transcript(
        sent=(
            b'{"id": 0, "method": "mining.configure", "params": [["version-rolling"], '
            b'{"version-rolling.mask": "ffffffff"}]}\n',
            b'{"id": 1, "method": "mining.subscribe", "params": ["cgminer/4.13.6"]}\n',
            b'{"id": 2, "method": "mining.authorize", "params": ["alice.rig1", "x"]}\n',
            b'{"id": 3, "method": "mining.suggest_difficulty", "params": [512]}\n',
            b'{"params": ["alice.rig1", "a1", "0000000000000000", "6553f100", "00000001", "00c00000"], "id": 4, '
            b'"method": "mining.submit"}\n',
            b'{"params": ["alice.rig1", "a1", "0000000000000000", "6553f100", "00000001", "00000000"], "id": 5, '
            b'"method": "mining.submit"}\n',
        ),
        answered=_ok("0", MASK) + _ok("1", SUBSCRIBED) + _ok("2") + WORK + _ok("4") + _ok("5"),
    ),
    "esp-miner (Bitaxe), all at once": Transcript(
        sent=(
            b'{"id": 1, "method": "mining.configure", "params": [["version-rolling"], '
            b'{"version-rolling.mask": "ffffffff"}]}\n'
            b'{"id": 2, "method": "mining.subscribe", "params": ["bitaxe/BM1370/v2.9.0"]}\n'
            b'{"id": 3, "method": "mining.authorize", "params": ["alice.rig1", "x"]}\n',
            b'{"id": 4, "method": "mining.suggest_difficulty", "params": [1000]}\n'
            b'{"id": 5, "method": "mining.extranonce.subscribe", "params": []}\n',
            b'{"id": 6, "method": "mining.submit", "params": ["alice.rig1", "a1", "0100000000000000", "6553f100", '
            b'"1a2b3c4d", "0e3c6000"]}\n',
            b'{"id":78,"method":"pong","params":[]}\n',
        ),
        answered=_ok("1", MASK) + _ok("2", SUBSCRIBED) + _ok("3") + WORK + _ok("5") + _ok("6"),
    ),
    "npm stratum-client": Transcript(
        sent=(
            b'{"params":[],"id":"mining.subscribe","method":"mining.subscribe"}\n',
            b'{"params":["alice.rig1","x"],"id":"mining.authorize","method":"mining.authorize"}\n',
            b'{"params":["alice.rig1","a1","0000000000000000","6553f100","00000001"],"id":"mining.submit",'
            b'"method":"mining.submit"}\n',
            b'{"params":["alice.rig1","a1","0000000000000000","6553f100","00000001"],"id":"mining.submit",'
            b'"method":"mining.submit"}\n',
        ),
        answered=_ok('"mining.subscribe"', SUBSCRIBED)
        + _ok('"mining.authorize"')
        + WORK
        + _ok('"mining.submit"')
        + _error('"mining.submit"', '[22,"duplicate share",null]'),
    ),
    "NerdQAxePlus, from its source": Transcript(
        sent=(
            b'{"id": 1, "method": "mining.subscribe", "params": ["NerdQAxe++/BM1370/v1.0.33"]}\n',
            b'{"id": 2, "method": "mining.configure", "params": [["version-rolling"], '
            b'{"version-rolling.mask": "ffffffff"}]}\n',
            b'{"id": 3, "method": "mining.authorize", "params": ["alice.rig1", "x"]}\n',
            b'{"id": 4, "method": "mining.suggest_difficulty", "params": [1000]}\n',
            b'{"id": 5, "method": "mining.extranonce.subscribe", "params": []}\n',
        ),
        answered=_ok("1", SUBSCRIBED) + _ok("2", MASK) + _ok("3") + WORK + _ok("5"),
    ),
    "NerdMiner, from its source: nonces without leading zeros": Transcript(
        sent=(
            b'{"id": 1, "method": "mining.subscribe", "params": ["NerdMinerV2/V1.8.0"]}\n',
            b'{"params": ["alice.rig1", "x"], "id": 2, "method": "mining.authorize"}\n',
            b'{"id": 3, "method": "mining.suggest_difficulty", "params": [0.00015]}\n',
            b'{"id":4,"method":"mining.submit","params":["alice.rig1","a1","0000000000000001","6553f100","f3c21"]}\n',
            b'{"id": 5, "method": "mining.suggest_difficulty", "params": [0.00015]}\n',
        ),
        answered=_ok("1", SUBSCRIBED) + _ok("2") + WORK + _ok("4"),
    ),
    "bmminer, from its source": Transcript(
        sent=(
            b'{"id": 0, "method": "mining.subscribe", "params": ["bmminer/2.0.0"]}\n',
            b'{"id": 1, "method": "mining.authorize", "params": ["alice.rig1", "x"]}\n',
            b'{"id": 2, "method": "mining.extranonce.subscribe", "params": []}\n',
            b'{"id": 3, "method": "mining.suggest_difficulty", "params": [512]}\n',
            b'{"id": 4, "method": "mining.multi_version", "params": [4]}\n',
        ),
        answered=_ok("0", SUBSCRIBED) + _ok("1") + WORK + _ok("2") + _error("4", UNKNOWN),
    ),
    "braiins farm proxy, from its source": Transcript(
        sent=(
            b'{"id":0,"method":"mining.configure","params":[["version-rolling","subscribe-extranonce"],'
            b'{"version-rolling.mask":"1fffe000","version-rolling.min-bit-count":16}]}\n'
            b'{"id":1,"method":"mining.subscribe","params":["farm-proxy/23.01",null,"pool.example:3333",null]}\n',
            b'{"id":2,"method":"mining.authorize","params":["alice.rig1",null]}\n',
            b'{"id":3,"method":"mining.authorize","params":["alice.rig2","x"]}\n',
            b'{"id":4,"method":"mining.submit","params":["alice.rig2","a1","0000000000000000","6553f100","00000001",'
            b'"00002000"]}\n',
        ),
        answered=_ok("0", '{"version-rolling":true,"subscribe-extranonce":true,"version-rolling.mask":"1fffe000"}')
        + _ok("1", SUBSCRIBED)
        + _ok("2")
        + WORK
        + _ok("3")
        + _ok("4"),
    ),
    "ckpool as a proxy": Transcript(
        sent=(
            b'{"method":"mining.subscribe","id":0,"params":["ckproxy/1.0.0"]}\n',
            b'{"method":"mining.authorize","id":42,"params":["alice.rig1","x"]}\n',
        ),
        answered=_ok("0", SUBSCRIBED) + _ok("42") + WORK,
    ),
    "a miner that answers what we never asked": Transcript(
        sent=(
            b'{"id": 1, "method": "mining.subscribe", "params": []}\r\n',
            b'{"id": 7, "result": true, "error": null}\n\n',
            b'{"error": {"code": 38, "message": "unknown"}, "id": 8, "result": false}\n',
            b'{"id": 2, "method": "mining.authorize", "params": ["alice.rig1"]}\n',
        ),
        answered=_ok("1", SUBSCRIBED) + _ok("2") + WORK,
    ),
}


def _answer(packets: Iterable[bytes]) -> str:
    # One difficulty, whatever is suggested, so that each share is good.
    pool = Pool(ANY_HASH, ANY_HASH, ANY_HASH)
    pool.server.take_job(make_job())
    miner = pool.connect()
    for packet in packets:
        miner.send(packet)
        pool.turn()
    assert not miner.closed
    return bytes(miner.transport.value()).decode()


@pytest.mark.parametrize("transcript", TRANSCRIPTS.values(), ids=TRANSCRIPTS)
class TestTranscript:
    def test_packet_by_packet(self, transcript: Transcript) -> None:
        assert _answer(transcript.sent) == transcript.answered

    def test_all_in_one_packet(self, transcript: Transcript) -> None:
        assert _answer([b"".join(transcript.sent)]) == transcript.answered

    def test_one_byte_at_a_time(self, transcript: Transcript) -> None:
        assert _answer(bytes([byte]) for byte in b"".join(transcript.sent)) == transcript.answered

    def test_in_pieces_of_eleven_bytes(self, transcript: Transcript) -> None:
        sent = b"".join(transcript.sent)
        assert _answer(sent[at : at + 11] for at in range(0, len(sent), 11)) == transcript.answered


TLS_CLIENT_HELLO = bytes.fromhex(
    "16030100c4010000c003035b0c9d3f6a1e0a7b2c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f7081920000"
)


@pytest.mark.parametrize("size", [1, len(TLS_CLIENT_HELLO)])
def test_bfgminers_tls_hello_closes_the_connection_at_once_and_in_silence(size: int) -> None:
    pool = Pool()
    miner = pool.connect(TLS_CLIENT_HELLO[:size])
    assert miner.closed
    assert miner.transport.value() == b""
    assert pool.server.counters["closed_not_json"] == 1
