"""What travels between work and stratum roles: msgpack messages, each with its length in front.

Work to stratum: `Job`, `CandidateTaken`, and an empty frame as a sign of life. Stratum to work: `Candidate`.
"""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.internet.interfaces import ITCPTransport
from twisted.protocols.basic import Int32StringReceiver

from pool.work.candidate import Candidate, CandidateTaken
from pool.work.job import Job

# A job with the deepest branch there can be, and a coinbase that pays 500 accounts, have 21 KiB.
FRAME_BYTES_MAX = 64 * 1024

# The work role shows every so often that it is alive; a link that is silent for three times as long is dead, though
# TCP may take hours to say so.
BEAT_SECONDS = 10.0
SILENCE_SECONDS_MAX = 3 * BEAT_SECONDS
BEAT = b""

_encoder = msgspec.msgpack.Encoder()
_from_work: msgspec.msgpack.Decoder[Job | CandidateTaken] = msgspec.msgpack.Decoder(Job | CandidateTaken)
_to_work = msgspec.msgpack.Decoder(Candidate)


def encode(message: Job | Candidate | CandidateTaken) -> bytes:
    """A message as the content of a frame."""
    return _encoder.encode(message)


def decode_from_work(frame: bytes) -> Job | CandidateTaken:
    """What a stratum role was sent. Raises msgspec.DecodeError."""
    return _from_work.decode(frame)


def decode_to_work(frame: bytes) -> Candidate:
    """What the work role was sent. Raises msgspec.DecodeError."""
    return _to_work.decode(frame)


class FrameProtocol(Int32StringReceiver):
    """One end of a link; a frame above the limit ends it."""

    MAX_LENGTH = FRAME_BYTES_MAX
    transport: Any

    def connectionMade(self) -> None:  # noqa: N802
        # A job must not wait for the next one to fill a segment.
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)

    def send(self, frame: bytes) -> None:
        """Send a frame in one write."""
        self.transport.write(len(frame).to_bytes(self.prefixLength, "big") + frame)

    def lengthLimitExceeded(self, length: int) -> None:  # noqa: N802
        self.refuse(f"a frame of {length} bytes, {self.MAX_LENGTH} are allowed")

    def refuse(self, problem: str) -> None:
        """End the link because of what the other end sent; what is already here behind it is not looked at."""
        self.paused = True
        self.transport.abortConnection()
