"""payout.store.luck: groups of machines in SQL, on both databases."""

from __future__ import annotations

from payout.luck import BANDS, OTHER, Group, Kind, Tally, tally_of
from payout.rewards import UNIT
from payout.store.ledger import SqlLedger
from payout.store.luck import FIRMWARES_MAX
from payout.withholding import due

ALICE = Group(Kind.ACCOUNT, "alice")
FIRMWARE = Group(Kind.FIRMWARE, "x/1")


def shares(blocks: int, found: int = 0) -> Tally:
    return tally_of(UNIT // 4096, 4096 * blocks, [found] + [0] * (BANDS - 1))


def test_what_is_counted_adds_up(ledger: SqlLedger) -> None:
    with ledger.write() as books:
        books.luck.add({ALICE: shares(2, 1), FIRMWARE: shares(3)})
        books.luck.add({ALICE: shares(4)})
        books.luck.add({})
    with ledger.read() as books:
        assert books.luck.tallies() == {ALICE: shares(6, 1), FIRMWARE: shares(3)}


def test_names_that_are_made_up_end_as_others(ledger: SqlLedger) -> None:
    invented = {Group(Kind.FIRMWARE, f"f{number}"): shares(1) for number in range(FIRMWARES_MAX + 3)}
    with ledger.write() as books:
        books.luck.add(invented)
        books.luck.add({Group(Kind.FIRMWARE, "later"): shares(1), Group(Kind.FIRMWARE, "f0"): shares(1)})
        found = books.luck.tallies()
    assert len(found) == FIRMWARES_MAX + 1
    assert found[Group(Kind.FIRMWARE, OTHER)] == shares(4)
    assert found[Group(Kind.FIRMWARE, "f0")] == shares(2)


def test_a_test_is_kept_with_its_figures(ledger: SqlLedger) -> None:
    with ledger.write() as books:
        books.luck.add({ALICE: shares(20)})
        [test] = due(books.luck.tallies(), books.luck.tested())
        books.luck.keep(test, 7)
        assert list(due(books.luck.tallies(), books.luck.tested())) == []
        [group] = books.luck.report()
    assert (group.kind, group.name, group.expected_blocks, group.blocks) == ("account", "alice", "20.000", 0)
    assert group.test is not None
    assert (group.test.checkpoint, group.test.groups, group.test.time_ms) == (20, 1, 7)
    assert (group.test.bands[0].expected, group.test.bands[0].found) == ("20.000", 0)
    assert group.test.bands[0].probability == "2.061154E-9"
