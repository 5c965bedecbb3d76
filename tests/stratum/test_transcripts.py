"""Handshakes and first shares as miners write them, whole, in pieces and in one packet.

A file of `tests/vectors/transcripts` is one program, its first line says after what it was written:

    > {...}      a packet of the miner, one line of the protocol
    >> {...}     a further line of the same packet
    < {...}      what it is answered until its next packet

`$SUBSCRIBED` is the result of a subscription and `$WORK` the first difficulty and job. `\\r` ends a line as such.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from msgspec import Struct, field

from stratum.returning import SessionIds
from tests.stratum.scene import ANY_HASH, KEY, Pool, make_job

FOLDER = Path(__file__).parent.parent / "vectors" / "transcripts"

SESSION_ID = SessionIds(KEY).name(bytes.fromhex("07000000"))
SUBSCRIBED = f'[[["mining.set_difficulty","{SESSION_ID}"],["mining.notify","{SESSION_ID}"]],"07000000",8]'
WORK = (
    '{"id":null,"method":"mining.set_difficulty","params":[1e-10]}\n'
    '{"id":null,"method":"mining.notify","params":["a1",'
    '"03020100070605040b0a09080f0e0d0c13121110171615141b1a19181f1e1d1c",'
    '"01000000010000000000000000000000000000000000000000000000000000000000000000",'
    '"ffffffff02' + "00" * 60 + '",'
    '["' + "11" * 32 + '","' + "22" * 32 + '"],"20000000","1703255b","6553f100",true]}'
)


class Exchange(Struct):
    """A packet and what it is answered."""

    sent: bytes
    answered: str = ""


class Transcript(Struct):
    """Everything that one miner sends, and everything that it gets."""

    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def sent(self) -> bytes:
        return b"".join(each.sent for each in self.exchanges)

    @property
    def answered(self) -> str:
        return "".join(each.answered for each in self.exchanges)


def read(path: Path) -> Transcript:
    transcript = Transcript()
    for line in path.read_text("utf-8").splitlines():
        mark, _, text = line.partition(" ")
        match mark:
            case "#":
                continue
            case ">":
                transcript.exchanges.append(Exchange(_sent(text)))
            case ">>":
                transcript.exchanges[-1].sent += _sent(text)
            case "<":
                answer = text.replace("$SUBSCRIBED", SUBSCRIBED).replace("$WORK", WORK)
                transcript.exchanges[-1].answered += f"{answer}\n"
            case _:
                raise ValueError(f"{path}: neither sent nor answered: {line!r}")
    return transcript


def _sent(text: str) -> bytes:
    return text.replace("\\r", "\r").encode() + b"\n"


TRANSCRIPTS = {path.stem: read(path) for path in sorted(FOLDER.glob("*.txt"))}


def _answers(packets: Iterable[bytes]) -> list[str]:
    """What each packet is answered."""
    # One difficulty, whatever is suggested, so that each share is good.
    pool = Pool(ANY_HASH, ANY_HASH, ANY_HASH)
    pool.server.take_job(make_job())
    miner = pool.connect()
    answers = []
    for packet in packets:
        miner.send(packet)
        pool.turn()
        answers.append(miner.transport.value().decode())
        miner.transport.clear()
    assert not miner.closed
    return answers


def test_there_are_more_than_thirty_programs() -> None:
    assert len(TRANSCRIPTS) > 30


@pytest.mark.parametrize("transcript", TRANSCRIPTS.values(), ids=TRANSCRIPTS)
class TestTranscript:
    def test_packet_by_packet(self, transcript: Transcript) -> None:
        answers = _answers(each.sent for each in transcript.exchanges)
        assert answers == [each.answered for each in transcript.exchanges]

    def test_all_in_one_packet(self, transcript: Transcript) -> None:
        assert _answers([transcript.sent]) == [transcript.answered]

    def test_one_byte_at_a_time(self, transcript: Transcript) -> None:
        assert "".join(_answers(bytes([byte]) for byte in transcript.sent)) == transcript.answered

    def test_in_pieces_of_eleven_bytes(self, transcript: Transcript) -> None:
        sent = transcript.sent
        assert "".join(_answers(sent[at : at + 11] for at in range(0, len(sent), 11))) == transcript.answered


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
