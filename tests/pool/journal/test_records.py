"""Records as bytes; pool/journal/records.py."""

import msgpack  # type: ignore[import-untyped, unused-ignore]
import msgspec
import pytest

from pool.journal.records import RecordsUnreadable, decode
from pool.ports import Record
from tests.pool.journal.samples import JOB, share


def encoded(*records: Record) -> bytes:
    return b"".join(msgspec.msgpack.encode(record) for record in records)


def test_records_of_both_kinds_come_back_in_order() -> None:
    records: list[Record] = [JOB, share(1), share(2)]
    assert decode(3, encoded(*records)) == records


def test_a_reader_without_our_types_can_split_a_payload() -> None:
    unpacker = msgpack.Unpacker()
    unpacker.feed(encoded(JOB, share(1)))
    assert [fields[0] for fields in unpacker] == [2, 1]


def test_a_difficulty_comes_back_bit_for_bit() -> None:
    record = msgspec.structs.replace(share(1), difficulty=0.1 + 0.2)
    assert decode(1, encoded(record)) == [record]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_more_or_fewer_records_than_said_are_refused(count: int) -> None:
    with pytest.raises(RecordsUnreadable):
        decode(count, encoded(share(1), share(2)))


def test_a_record_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(RecordsUnreadable):
        decode(1, msgpack.packb([9, "from the future"]))
