"""The records of a journal in plain Python, for the references; the definition of `native/records.pxd`."""

from __future__ import annotations

from typing import Any, Final

import msgspec

JOB: Final = 2
SHARE: Final = 1
OUTCOMES: Final = 10
ACCEPTED: Final = 0

# Where the fields that are read stand, behind the kind; what comes after them is passed over. Of a share
# (`pool.work.share.Share`):
TIME_MS, OUTCOME, ACCOUNT, WORKER, DIFFICULTY, NBITS = 1, 2, 4, 5, 11, 12
HEIGHT, SLICE_ID, BLOCK_HASH = 13, 14, 15
# Older shares end before these two.
AGENT, NEAR = 16, 17
NEAR_MAX: Final = 10  # as in pool.work.share
# Of a job (`pool.work.job.Job`):
JOB_TIME_MS: Final = 2

_ARRAY_32: Final = b"\xdd"
_DECODER: Final = msgspec.msgpack.Decoder(list[list[Any]])


def records(payload: bytes, count: int) -> list[list[Any]]:
    """The fields of each record, its kind first.

    payload: `count` records of a journal, shares and jobs, one msgpack array after the other. Raises ValueError if it
    is not wholly that.
    """
    try:
        found = _DECODER.decode(_ARRAY_32 + count.to_bytes(4, "big") + payload)
    except (msgspec.MsgspecError, OverflowError) as error:
        raise ValueError("the records cannot be read") from error
    if not all(_is_job(record) or _is_share(record) for record in found):
        raise ValueError("the records cannot be read")
    return found


def _is_job(record: list[Any]) -> bool:
    return len(record) > JOB_TIME_MS and record[0] == JOB and _is_uint(record[JOB_TIME_MS], 63)


def _is_share(record: list[Any]) -> bool:
    return (
        len(record) > BLOCK_HASH
        and record[0] == SHARE
        and _is_uint(record[TIME_MS], 63)
        and _is_uint(record[OUTCOME], 8)
        and record[OUTCOME] < OUTCOMES
        and isinstance(record[ACCOUNT], str)
        and isinstance(record[WORKER], str)
        and isinstance(record[DIFFICULTY], float)
        and _is_uint(record[NBITS], 32)
        and _is_uint(record[HEIGHT], 63)
        and (record[SLICE_ID] is None or _is_uint(record[SLICE_ID], 63))
        and isinstance(record[BLOCK_HASH], bytes | None)
        and (len(record) <= AGENT or isinstance(record[AGENT], str))
        and (len(record) <= NEAR or record[NEAR] is None or _is_uint(record[NEAR], 63))
    )


def _is_uint(value: object, bits: int) -> bool:
    return type(value) is int and 0 <= value < 1 << bits
