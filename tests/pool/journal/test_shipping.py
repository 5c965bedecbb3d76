"""From the journal into the stream; pool/journal/shipping.py."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pool.journal.segments import segment_paths
from pool.journal.shipping import BATCH_RECORDS_MAX, BATCH_SECONDS, STREAM_ENTRIES_MAX, Shipping
from pool.ports import ShareBatch, StoreUnavailable
from tests.pool.journal.fakes import FakeStream, Ledger
from tests.pool.journal.samples import Bench, logged


class Line:
    """A journal whose commits are durable at once, a stream, a ledger, and the shipper between them."""

    def __init__(self, folder: Path, *, segment_bytes_max: int = 1 << 20) -> None:
        self.bench = Bench(folder, segment_bytes_max=segment_bytes_max)
        self.frontend = self.bench.journal.frontend
        self.stream = FakeStream()
        self.ledger = Ledger(self.stream)
        self.written: list[int] = []
        self.restart()

    def restart(self) -> None:
        """A shipper that knows nothing."""
        self.shipping = Shipping(self.bench.folder, self.frontend, lambda: self.bench.journal.durable_seq, self.stream)

    def write(self, *groups: int) -> None:
        """Commit groups of so many shares."""
        for size in groups:
            nonces = range(len(self.written), len(self.written) + size)
            self.bench.commit(*nonces)
            self.written += nonces
        self.bench.clock.advance(1.0)

    def step(self) -> float | None:
        try:
            return self.shipping.step()
        except StoreUnavailable:
            return None

    def settle(self) -> None:
        """Steps of both sides until nothing moves any more."""
        for _ in range(200):
            self.step()
            self.ledger.take()


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path / "journal")


def spans(entries: list[ShareBatch]) -> list[tuple[int, int]]:
    return [(batch.first_seq, batch.last_seq) for batch in entries]


class TestBatches:
    def test_what_was_written_meanwhile_is_one_batch_of_whole_groups(self, line: Line) -> None:
        line.write(1, 3, 2)
        line.step()
        assert spans(line.stream.entries) == [(1, 6)]

    def test_after_a_batch_that_took_everything_it_waits(self, line: Line) -> None:
        line.write(1)
        assert line.step() == BATCH_SECONDS

    def test_while_more_is_there_it_does_not_wait(self, line: Line) -> None:
        line.write(BATCH_RECORDS_MAX, 1)
        assert line.step() == 0.0

    def test_a_batch_has_no_more_than_so_many_records(self, line: Line) -> None:
        line.write(600, 300, 200, 100)
        line.settle()
        assert line.ledger.nonces == line.written

    def test_with_nothing_to_ship_nothing_is_shipped(self, line: Line) -> None:
        assert line.step() == BATCH_SECONDS
        assert line.stream.entries == []

    def test_what_is_not_on_disk_yet_is_not_shipped(self, tmp_path: Path) -> None:
        bench = Bench(tmp_path / "held", held=True)
        stream = FakeStream()
        shipping = Shipping(bench.folder, bench.journal.frontend, lambda: bench.journal.durable_seq, stream)
        bench.commit(1)
        shipping.step()
        assert stream.entries == []

    def test_the_batch_names_its_journal(self, line: Line) -> None:
        line.write(1)
        line.step()
        assert line.stream.entries[0].frontend == line.frontend


class TestPlace:
    def test_a_new_shipper_goes_on_behind_what_was_shipped(self, line: Line) -> None:
        line.write(2)
        line.step()
        line.restart()
        line.write(1)
        line.step()
        assert spans(line.stream.entries) == [(1, 2), (3, 3)]

    def test_after_a_flush_it_goes_on_behind_what_the_ledger_has(self, line: Line) -> None:
        line.write(2)
        line.step()
        line.ledger.take()
        line.write(1)
        line.step()
        line.stream.flush()
        line.stream.committed[line.frontend] = 2
        line.step()
        assert spans(line.stream.entries) == [(3, 3)]

    def test_when_nothing_is_known_it_begins_with_the_first_record(self, line: Line) -> None:
        line.write(2, 1)
        line.step()
        line.stream.flush()
        line.step()
        assert spans(line.stream.entries) == [(1, 3)]

    def test_what_the_ledger_turns_out_to_have_is_not_sent_again(self, line: Line) -> None:
        line.write(600, 600, 600)
        line.settle()
        line.stream.flush()
        line.step()
        line.stream.committed.update(line.ledger.high_water)
        line.step()
        assert spans(line.stream.entries) == [(1, 600)]

    def test_accounting_has_records_sent_again_by_deleting_what_was_shipped(self, line: Line) -> None:
        line.write(2, 1)
        line.step()
        line.stream.entries.clear()
        line.stream.shipped.clear()
        line.stream.committed[line.frontend] = 2
        with logged() as events:
            line.step()
        assert (spans(line.stream.entries), events) == ([(3, 3)], ["shares_resent"])

    def test_a_deletion_in_the_last_moment_is_not_overwritten(self, line: Line) -> None:
        line.write(2)
        line.step()
        line.write(1)
        line.stream.before_ship = line.stream.shipped.clear
        assert line.step() == 0.0
        assert spans(line.stream.entries) == [(1, 2)]

    def test_a_ledger_that_was_set_back_gets_what_it_lost(self, line: Line) -> None:
        line.write(2, 2)
        line.settle()
        line.ledger.high_water[line.frontend] = 2
        del line.ledger.nonces[2:]
        line.write(1)
        line.settle()
        assert line.ledger.nonces == line.written

    def test_a_journal_that_ends_before_what_was_counted_ships_nothing_and_says_so_once(self, line: Line) -> None:
        line.write(2)
        line.stream.committed[line.frontend] = 5
        with logged() as events:
            line.step()
            line.step()
        assert (line.stream.entries, events) == ([], ["journal_behind_ledger"])


class TestFullStream:
    def test_while_accounting_is_behind_shares_wait_in_the_files(self, line: Line) -> None:
        line.stream.entries = [ShareBatch("f" * 16, 1, 1, b"")] * STREAM_ENTRIES_MAX
        line.write(1)
        with logged() as events:
            line.step()
            line.step()
        assert (len(line.stream.entries), events) == (STREAM_ENTRIES_MAX, ["share_stream_full"])

    def test_when_accounting_has_caught_up_they_go_on(self, line: Line) -> None:
        line.stream.entries = [ShareBatch("f" * 16, 1, 1, b"")] * STREAM_ENTRIES_MAX
        line.write(1)
        line.step()
        line.stream.entries.clear()
        with logged() as events:
            line.step()
        assert (spans(line.stream.entries), events) == ([(1, 1)], ["share_stream_drained"])


class TestFailures:
    @pytest.mark.parametrize("place", range(30))
    def test_a_failure_between_any_two_steps_loses_and_doubles_nothing(self, tmp_path: Path, place: int) -> None:
        line = Line(tmp_path / "journal", segment_bytes_max=2000)
        line.stream.failing.fails_at = place
        for size in (3, 1, 4, 2, 5):
            line.write(size)
            line.step()
            line.ledger.take(1)
        line.settle()
        assert line.ledger.nonces == line.written

    def test_an_outage_leaves_everything_in_the_files(self, line: Line) -> None:
        line.stream.failing.down = True
        for size in (3, 1, 4):
            line.write(size)
            line.step()
        line.stream.failing.down = False
        line.settle()
        assert line.ledger.nonces == line.written

    @settings(max_examples=150, deadline=None)
    @given(st.data())
    def test_whatever_happens_in_whatever_order_each_share_counts_once(self, data: st.DataObject) -> None:
        with TemporaryDirectory() as name:
            line = Line(Path(name) / "journal", segment_bytes_max=1000)
            for _ in range(data.draw(st.integers(1, 25))):
                match data.draw(
                    st.sampled_from(["write", "write", "step", "step", "take", "flush", "restart", "fail"])
                ):
                    case "write":
                        line.write(data.draw(st.integers(1, 5)))
                    case "step":
                        line.step()
                    case "take":
                        line.ledger.take(data.draw(st.integers(0, 3)))
                    case "flush":
                        line.stream.flush()
                    case "restart":
                        line.restart()
                    case "fail":
                        line.stream.failing.fails_at = line.stream.failing.passed + data.draw(st.integers(0, 3))
            line.settle()
            assert line.ledger.nonces == line.written
            line.bench.close()


class TestRemoved:
    """The journal begins behind a record that the ledger, as far as is known, lacks."""

    def shortened(self, folder: Path) -> Line:
        line = Line(folder, segment_bytes_max=400)
        line.write(1, 1, 1, 1, 1, 1)
        line.settle()
        segment_paths(line.bench.folder)[0].unlink()
        line.stream.flush()
        line.restart()
        return line

    def test_nothing_is_shipped_until_it_is_known_how_far_the_ledger_is(self, tmp_path: Path) -> None:
        line = self.shortened(tmp_path / "journal")
        with logged() as names:
            line.step()
        assert line.stream.entries == []
        assert names == []
        line.stream.committed.update(line.ledger.high_water)
        line.write(2)
        line.settle()
        assert line.ledger.nonces == line.written

    def test_a_ledger_that_lacks_them_is_said_after_a_minute_and_once(self, tmp_path: Path) -> None:
        line = self.shortened(tmp_path / "journal")
        with logged() as names:
            waited_s = sum(line.step() or 0.0 for _ in range(12))
            line.step()
        assert waited_s == 60.0
        assert names == ["journal_records_gone"]
        assert line.stream.entries == []
