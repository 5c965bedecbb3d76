"""Job ids over restarts and clock steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from pool.node.job_ids import JobIds
from tests.pool.node.captured import captured_events, names

NOW_MS = 1_700_000_000_000


def test_the_first_id_is_the_time(tmp_path: Path) -> None:
    assert JobIds(tmp_path / "job-ids").next(NOW_MS) == f"{NOW_MS:x}"


def test_two_in_a_millisecond_differ(tmp_path: Path) -> None:
    ids = JobIds(tmp_path / "job-ids")
    assert ids.next(NOW_MS) != ids.next(NOW_MS)


def test_a_restart_goes_on_above_every_earlier_id(tmp_path: Path) -> None:
    before = JobIds(tmp_path / "job-ids")
    last = [before.next(NOW_MS + 1000 * second) for second in range(5000)][-1]
    assert int(JobIds(tmp_path / "job-ids").next(NOW_MS), 16) > int(last, 16)


def test_a_clock_that_went_back_before_the_restart_repeats_no_id(tmp_path: Path) -> None:
    last = JobIds(tmp_path / "job-ids").next(NOW_MS)
    assert int(JobIds(tmp_path / "job-ids").next(NOW_MS - 3_600_000), 16) > int(last, 16)


def test_after_a_quarter_of_an_hour_the_ids_are_the_time_again(tmp_path: Path) -> None:
    JobIds(tmp_path / "job-ids").next(NOW_MS)
    later_ms = NOW_MS + 20 * 60 * 1000
    assert JobIds(tmp_path / "job-ids").next(later_ms) == f"{later_ms:x}"


def test_a_file_of_something_else_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "job-ids").write_text("something else")
    with pytest.raises(ValueError, match=r"job-ids should hold a job id in hex: remove it"):
        JobIds(tmp_path / "job-ids")


def test_a_disk_that_takes_nothing_does_not_stop_the_jobs(tmp_path: Path) -> None:
    ids = JobIds(tmp_path / "no folder" / "job-ids")
    with captured_events() as events:
        assert ids.next(NOW_MS) == f"{NOW_MS:x}"
    assert names(events) == ["job_ids_not_reserved"]
