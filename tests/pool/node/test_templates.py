"""Templates of live jobs, in memory and after a restart."""

from __future__ import annotations

import resource
import signal
from pathlib import Path

from twisted.internet.defer import Deferred, maybeDeferred

from pool.bitcoin.merkle import branch
from pool.node.templates import TemplateShelf
from pool.work.block import Body, body_of
from pool.work.template import Template
from tests.pool.node.captured import captured_events, names
from tests.pool.work.templates import empty_template, template


def siblings_of(of: Template) -> tuple[bytes, ...]:
    return tuple(branch([transaction.txid for transaction in of.transactions]))


def shelf_in(folder: Path, now: float = 0) -> TemplateShelf:
    return TemplateShelf(folder, 600, now, maybeDeferred)


def test_a_template_is_found_by_its_job(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path)
    shelf.keep("1a", template(), siblings_of(template()), now=0)
    assert shelf.get("1a") == body_of(template())


def test_one_that_is_no_longer_in_memory_is_read_from_its_file(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path)
    for number in range(20):
        shelf.keep(f"{number}", empty_template(1 + number), siblings_of(empty_template(1 + number)), now=number)
    assert [shelf.get(f"{number}") for number in range(20)] == [
        body_of(empty_template(1 + number)) for number in range(20)
    ]


def test_a_template_outlives_the_process(tmp_path: Path) -> None:
    shelf_in(tmp_path).keep("1a", template(), siblings_of(template()), now=0)
    assert shelf_in(tmp_path).get("1a") == body_of(template())


def test_an_unknown_job_has_none(tmp_path: Path) -> None:
    assert shelf_in(tmp_path).get("1a") is None


def test_a_job_id_is_never_a_path(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"")
    assert shelf_in(tmp_path / "templates").get("../secret") is None


def test_its_time_is_over_when_a_later_one_comes(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path)
    shelf.keep("1a", empty_template(1), siblings_of(empty_template(1)), now=0)
    shelf.keep("1b", empty_template(2), siblings_of(empty_template(2)), now=601)
    assert (shelf.get("1a"), sorted(path.name for path in tmp_path.iterdir())) == (None, ["1b", "1b.transactions"])


def test_it_is_kept_for_the_whole_time(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path)
    shelf.keep("1a", empty_template(1), siblings_of(empty_template(1)), now=0)
    shelf.keep("1b", empty_template(2), siblings_of(empty_template(2)), now=600)
    assert shelf.get("1a") == body_of(empty_template(1))


def test_what_an_earlier_run_left_is_kept_as_long_again(tmp_path: Path) -> None:
    shelf_in(tmp_path).keep("1a", empty_template(1), siblings_of(empty_template(1)), now=0)
    shelf = shelf_in(tmp_path, now=5000)
    shelf.keep("1b", empty_template(2), siblings_of(empty_template(2)), now=5601)
    assert shelf.get("1a") is None


def test_what_a_crash_left_unfinished_is_removed(tmp_path: Path) -> None:
    (tmp_path / "1a.tmp").write_bytes(b"half")
    shelf_in(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_as_none(tmp_path: Path) -> None:
    (tmp_path / "1a").write_bytes(b"\xc1")
    assert shelf_in(tmp_path).get("1a") is None


def test_a_disk_that_takes_nothing_leaves_it_in_memory(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path / "templates")
    (tmp_path / "templates").rmdir()
    with captured_events() as events:
        shelf.keep("1a", template(), siblings_of(template()), now=0)
    assert (shelf.get("1a"), names(events)) == (body_of(template()), ["template_not_written"])


def test_a_share_may_come_before_the_thread_has_made_anything(tmp_path: Path) -> None:
    shelf = TemplateShelf(tmp_path, 600, 0, lambda work: Deferred())
    shelf.keep("1a", template(), siblings_of(template()), now=0)
    assert shelf.get("1a") == body_of(template())


def test_what_the_thread_made_for_a_job_that_is_dropped_meanwhile_is_dropped_too(tmp_path: Path) -> None:
    made: Deferred[Body] = Deferred()
    shelf = TemplateShelf(tmp_path, 600, 0, lambda work: made)
    shelf.keep("1a", template(), siblings_of(template()), now=0)
    shelf.keep("1b", empty_template(2), siblings_of(empty_template(2)), now=601)
    made.callback(body_of(template()))
    assert shelf.get("1a") is None


def test_transactions_that_are_not_the_jobs_are_as_none(tmp_path: Path) -> None:
    shelf_in(tmp_path).keep("1a", template(), siblings_of(template()), now=0)
    (tmp_path / "1a.transactions").write_bytes(b"torn")
    assert shelf_in(tmp_path).get("1a") is None


def test_a_disk_that_is_full_halfway_is_left_no_part_of_it(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
        shelf_in(tmp_path).keep("1a", template(), siblings_of(template()), now=0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert list(tmp_path.iterdir()) == []
