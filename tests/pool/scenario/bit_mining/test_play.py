"""The case as a whole: journal, ledgers and moves belong together."""

from __future__ import annotations

from pool.journal.reader import groups
from pool.journal.records import decode
from pool.scenario.bit_mining.case import BEGINS_MS, HOUR_MS, LOTS, OWNER
from pool.work.share import Share
from tests.pool.scenario.bit_mining.small import Small


def test_both_ledgers_have_taken_the_whole_journal(played: Small) -> None:
    for books in played.played.books:
        with books.ledger.read() as read:
            assert read.shares.high_waters() == {played.played.frontend: played.played.records}


def test_each_block_of_the_journal_is_in_both_ledgers(played: Small) -> None:
    found = {
        record.block_hash[::-1].hex()
        for group in groups(played.played.journal)
        for record in decode(group.count, group.payload)
        if isinstance(record, Share) and record.block_hash is not None
    }
    assert len(found) > 10
    for books in (played.pplns, played.pps):
        assert {block.hash for block in books.blocks} <= found
        assert len(found) - len(books.blocks) <= 1  # one of the last hour has no block on it yet


def test_no_group_of_the_journal_reaches_over_an_hour(played: Small) -> None:
    for group in groups(played.played.journal):
        times = [record.time_ms for record in decode(group.count, group.payload) if isinstance(record, Share)]
        assert len({(time_ms - BEGINS_MS) // HOUR_MS for time_ms in times}) <= 1


def test_a_machine_has_arrived_with_its_first_share_at_the_new_site(played: Small) -> None:
    new_slices = {each.slice_id for each in played.table.assignments if each.site != "ganzi"}
    first_ms: dict[str, int] = {}
    for group in groups(played.played.journal):
        for record in decode(group.count, group.payload):
            if isinstance(record, Share) and record.slice_id in new_slices:
                first_ms.setdefault(f"{OWNER}.{record.worker}", record.time_ms)
    for leaving in played.played.leaving:
        for each in leaving.travellers:
            assert each.out.arrived_ms == first_ms.get(each.login)
    assert set(played.played.first_share_ms) == {lot.key for lot in LOTS}
