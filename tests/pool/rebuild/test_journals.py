"""pool.rebuild.journals: the records of several journals in the order of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from pool.journal.records import decode
from pool.ports import Record
from pool.rebuild.journals import Journals, RebuildImpossible
from pool.work.share import Share
from tests.payout.scene import share
from tests.pool.rebuild.pools import ONE, TWO, group_of, write_journal


def write(root: Path, frontend: str, *groups: Sequence[str], first_seq: int = 1) -> None:
    """A journal of shares that are known by their accounts."""
    made = []
    for names in groups:
        made.append(group_of([share(name) for name in names], first_seq))
        first_seq += len(names)
    write_journal(root / frontend[:1], frontend, made)


def names(records: list[Record]) -> str:
    return "".join(record.account for record in records if isinstance(record, Share))


def cut(journals: Journals, *cuts: tuple[str, int]) -> list[tuple[str, int, str]]:
    last_seqs = {frontend: max(seq for name, seq in cuts if name == frontend) for frontend, _ in cuts}
    found = journals.batches(cuts, last_seqs)
    return [(each.frontend, each.first_seq, names(decode(each.count, each.payload))) for each in found]


def test_they_are_cut_where_the_ledger_cut_them(tmp_path: Path) -> None:
    write(tmp_path, ONE, "ab", "c", "def")
    write(tmp_path, TWO, "uvw", "xyz")
    cuts = (ONE, 2), (TWO, 3), (ONE, 6), (TWO, 6)
    assert cut(Journals([tmp_path]), *cuts) == [(ONE, 1, "ab"), (TWO, 1, "uvw"), (ONE, 3, "cdef"), (TWO, 4, "xyz")]


def test_a_cut_may_lie_within_a_group(tmp_path: Path) -> None:
    write(tmp_path, ONE, "abcdef")
    assert cut(Journals([tmp_path]), (ONE, 2), (ONE, 5)) == [(ONE, 1, "ab"), (ONE, 3, "cde")]


def test_a_cut_that_was_passed_gives_nothing(tmp_path: Path) -> None:
    write(tmp_path, ONE, "abc")
    assert cut(Journals([tmp_path]), (ONE, 3), (ONE, 3), (ONE, 2)) == [(ONE, 1, "abc")]


def test_what_no_cut_asks_for_is_left(tmp_path: Path) -> None:
    write(tmp_path, ONE, "abc", "de")
    assert cut(Journals([tmp_path]), (ONE, 3)) == [(ONE, 1, "abc")]


def test_journals_may_lie_in_several_folders(tmp_path: Path) -> None:
    write(tmp_path / "a", ONE, "a")
    write(tmp_path / "b", TWO, "b")
    assert Journals([tmp_path / "a", tmp_path / "b"]).frontends == [ONE, TWO]


def test_the_same_journal_twice_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a", ONE, "a")
    write(tmp_path / "b", ONE, "a")
    with pytest.raises(RebuildImpossible, match="are the same journal"):
        Journals([tmp_path / "a", tmp_path / "b"])


def test_a_journal_whose_beginning_is_gone_is_refused(tmp_path: Path) -> None:
    write(tmp_path, ONE, "cd", first_seq=3)
    with pytest.raises(RebuildImpossible, match=r"does not begin with its first record: .* begins with record 3"):
        cut(Journals([tmp_path]), (ONE, 4))


def test_a_journal_that_ends_too_early_is_refused(tmp_path: Path) -> None:
    write(tmp_path, ONE, "ab")
    with pytest.raises(RebuildImpossible, match="it ends before record 3"):
        cut(Journals([tmp_path]), (ONE, 3))


def test_a_damaged_journal_is_refused(tmp_path: Path) -> None:
    write(tmp_path, ONE, "ab", "cd")
    (segment,) = (tmp_path / "1").glob("*.seg")
    data = bytearray(segment.read_bytes())
    data[-3] ^= 1
    segment.write_bytes(data)
    with pytest.raises(RebuildImpossible, match="a group does not match its checksum"):
        cut(Journals([tmp_path]), (ONE, 4))


def test_a_split_group_keeps_every_byte(tmp_path: Path) -> None:
    write(tmp_path, ONE, "abcd")
    batches = list(Journals([tmp_path]).batches([(ONE, 1), (ONE, 4)], {ONE: 4}))
    assert b"".join(batch.payload for batch in batches) == b"".join(
        msgspec.msgpack.encode(share(name)) for name in "abcd"
    )
