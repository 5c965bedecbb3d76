"""From the journal into the statistics; pool/journal/statistics.py."""

from pathlib import Path

import pytest
from twisted.logger import capturedLogs

from pool.journal.journal import SEGMENT_BYTES_MAX
from pool.journal.statistics import Statistics
from pool.ports import StoreUnavailable
from pool.stats.tally import Tallies
from tests.pool.journal.fakes import FakeBoard
from tests.pool.journal.samples import Bench, fold, share


class Line:
    """A journal whose commits are durable at once, the fold, and the board it publishes on."""

    def __init__(self, folder: Path, segment_bytes_max: int = SEGMENT_BYTES_MAX) -> None:
        self.bench = Bench(folder, segment_bytes_max=segment_bytes_max)
        self.board = FakeBoard()
        self.now = 0.0
        self.restart()

    def restart(self) -> None:
        """A fold that knows what was kept."""
        journal = self.bench.journal
        self.statistics = Statistics(
            self.bench.folder, journal.frontend, lambda: journal.durable_seq, self.board, lambda: self.now
        )

    def write(self, *workers: str) -> None:
        """Commit one share of each of these workers."""
        for worker in workers:
            self.bench.journal.append(share(1, worker=worker))
        self.bench.commit()
        self.bench.clock.advance(1.0)

    def after(self, seconds: float) -> None:
        """Time passes, then one step."""
        self.now += seconds
        self.statistics.step()

    def pass_seconds(self, seconds: float) -> None:
        self.now += seconds

    def shown(self) -> dict[str, int]:
        return {name: tally.accepted for name, tally in sorted(self.board.workers.items())}


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path / "journal")


def test_shares_are_shown_within_a_second(line: Line) -> None:
    line.write("a", "a", "b")
    line.after(1.0)
    assert line.shown() == {"aisulu.a": 2, "aisulu.b": 1}


def test_it_is_published_once_a_second_however_often_it_steps(line: Line) -> None:
    line.after(0.0)
    line.write("a")
    line.after(0.4)
    assert line.shown() == {}


def test_after_the_first_time_only_changes_are_published(line: Line) -> None:
    line.write("a", "b")
    line.after(1.0)
    line.board.workers.clear()
    line.write("b")
    line.after(1.0)
    assert (line.shown(), line.board.wholes) == ({"aisulu.b": 2}, 1)


def test_after_a_flush_everything_is_published_again(line: Line) -> None:
    line.write("a", "b")
    line.after(1.0)
    line.board.flush()
    line.after(1.0)
    assert line.shown() == {"aisulu.a": 1, "aisulu.b": 1}


@pytest.mark.parametrize("place", range(8))
def test_a_failure_at_any_place_of_publishing_leaves_the_board_right(line: Line, place: int) -> None:
    line.board.failing.fails_at = place
    for name in ("a", "b", "a", "c", "b"):
        line.write(name)
        try:
            line.after(1.0)
        except StoreUnavailable:
            continue
    line.after(1.0)
    assert line.shown() == {"aisulu.a": 2, "aisulu.b": 2, "aisulu.c": 1}


def test_while_redis_is_away_counting_goes_on(line: Line) -> None:
    line.board.failing.down = True
    line.write("a")
    with pytest.raises(StoreUnavailable):
        line.after(1.0)
    line.write("a")
    line.board.failing.down = False
    line.after(1.0)
    assert line.shown() == {"aisulu.a": 2}


def test_a_restart_goes_on_from_what_was_kept(line: Line) -> None:
    line.write("a")
    line.after(60.0)
    line.write("a")
    line.restart()
    line.after(1.0)
    assert line.shown() == {"aisulu.a": 2}


def test_a_restart_without_a_kept_fold_counts_the_whole_journal(line: Line) -> None:
    line.write("a")
    line.after(1.0)
    line.restart()
    line.after(1.0)
    assert line.shown() == {"aisulu.a": 1}


def test_what_takes_long_to_publish_is_published_less_often(line: Line) -> None:
    line.board.on_publish = lambda: line.pass_seconds(0.2)
    line.write("a")
    line.after(1.0)
    line.write("a")
    line.after(1.0)
    assert line.shown() == {"aisulu.a": 1}
    line.after(9.0)
    assert line.shown() == {"aisulu.a": 2}


def test_kept_sums_that_are_none_are_made_anew(line: Line) -> None:
    line.write("a")
    line.after(60.0)
    path = line.bench.folder / "statistics.json"
    path.write_bytes(path.read_bytes().replace(b",[1,0,0,", b",[-1,"))
    line.restart()
    line.after(1.0)
    assert line.shown() == {"aisulu.a": 1}


@pytest.mark.parametrize("content", [b"", b"{}", b"[1,2", b'{"version":0,"frontend":"x","seq":1,"state":{}}'])
def test_a_kept_fold_that_cannot_be_read_is_made_anew(line: Line, content: bytes) -> None:
    line.write("a")
    (line.bench.folder / "statistics.json").write_bytes(content)
    line.restart()
    line.after(1.0)
    assert line.shown() == {"aisulu.a": 1}


def test_a_kept_fold_of_records_that_are_no_more_is_made_anew(line: Line, tmp_path: Path) -> None:
    line.write("a", "a", "a")
    line.after(0.0)
    line.statistics.keep()
    other = Line(tmp_path / "other")
    other.write("a")
    text = (line.bench.folder / "statistics.json").read_text()
    own = text.replace(line.bench.journal.frontend, other.bench.journal.frontend)
    (other.bench.folder / "statistics.json").write_text(own)
    other.restart()
    other.after(1.0)
    assert other.shown() == {"aisulu.a": 1}


def test_a_kept_fold_from_before_the_first_record_goes_on_with_that_record(tmp_path: Path) -> None:
    line = Line(tmp_path / "journal", segment_bytes_max=300)
    file = line.bench.folder / "statistics.json"
    line.write("a")
    line.after(0.0)
    line.statistics.keep()
    of_long_ago = file.read_bytes()
    for name in ("b", "b", "b", "c"):
        line.write(name)
    for segment in sorted(line.bench.folder.glob("*.seg"))[:-1]:
        segment.unlink()
    file.write_bytes(of_long_ago)
    line.restart()
    with capturedLogs() as told:
        line.after(0.0)
        line.after(1.0)
    assert [(each["event"], each["first_seq"], each["last_seq"]) for each in told] == [("statistics_incomplete", 2, 4)]
    assert line.shown() == {"aisulu.a": 1, "aisulu.c": 1}


def test_a_long_journal_is_folded_in_parts(line: Line) -> None:
    for _ in range(3):
        line.write(*["a"] * 800)
    assert line.statistics.step() == 0.0


def test_the_fold_is_that_of_the_records(line: Line) -> None:
    line.write("a", "b")
    line.write("a")
    line.after(1.0)
    expected = Tallies()
    fold(expected, [share(1, worker=worker) for worker in ("a", "b", "a")])
    assert line.board.workers == expected.snapshot().workers
