"""Messages as bytes, and what is no message."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pool.feed.frames import FRAME_BYTES_MAX, decode_from_work, decode_to_work, encode
from pool.work.candidate import CandidateTaken
from tests.pool.feed.links import candidate, job


def test_a_job_arrives_as_it_was_sent() -> None:
    assert decode_from_work(encode(job())) == job()


def test_a_candidate_arrives_as_it_was_sent() -> None:
    assert decode_to_work(encode(candidate())) == candidate()


def test_an_acknowledgement_arrives_as_it_was_sent() -> None:
    assert decode_from_work(encode(CandidateTaken(b"\x01" * 32))) == CandidateTaken(b"\x01" * 32)


@pytest.mark.parametrize("frame", [b"\xc0", b"\xc1", b"\x90", b"\x91\x02", b"\x91\x63", b"hello"])
def test_what_is_no_message_of_the_work_role_is_refused(frame: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_from_work(frame)


def test_a_job_is_nothing_that_the_work_role_takes() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_to_work(encode(job()))


def test_the_largest_job_fits_a_frame() -> None:
    sixteen_levels: Any = (bytes(32),) * 16
    five_hundred_outputs = bytes(500 * 43)
    largest = msgspec.structs.replace(job(), branch=sixteen_levels, coinb2=five_hundred_outputs)
    assert len(encode(largest)) < FRAME_BYTES_MAX
