"""pool.stats.rejects."""

from __future__ import annotations

from pool.stats.rejects import LOGGED_WORKERS_MAX, REJECTS_KEPT, WORKERS_KEPT, RecentRejects, Reject


def reject(time_ms: int = 1, reason: str = "stale") -> Reject:
    return Reject(time_ms, reason, "stale: a new block has come", "a1", 1000)


class TestChanges:
    def test_what_is_new_is_told_once_and_whole(self) -> None:
        rejects = RecentRejects()
        rejects.note("alice", reject(1))
        rejects.changes()
        rejects.note("alice", reject(2))
        assert rejects.changes() == ({"alice": (reject(1), reject(2))}, ())
        assert rejects.changes() == ({}, ())

    def test_the_newest_of_a_worker_stay(self) -> None:
        rejects = RecentRejects()
        for number in range(2 * REJECTS_KEPT):
            rejects.note("alice", reject(number))
        [kept] = rejects.changes()[0].values()
        assert [each.time_ms for each in kept] == list(range(REJECTS_KEPT, 2 * REJECTS_KEPT))

    def test_of_too_many_workers_the_one_that_was_silent_longest_is_forgotten(self) -> None:
        rejects = RecentRejects()
        for number in range(WORKERS_KEPT):
            rejects.note(f"a.{number}", reject())
        rejects.note("a.0", reject())
        rejects.note("one.more", reject())
        changed, forgotten = rejects.changes()
        assert forgotten == ("a.1",)
        assert len(changed) == WORKERS_KEPT

    def test_what_could_not_be_told_is_told_the_next_time(self) -> None:
        rejects = RecentRejects()
        rejects.note("alice", reject())
        changes = rejects.changes()
        rejects.again(*changes)
        assert rejects.changes() == changes

    def test_names_without_end_do_not_add_up(self) -> None:
        rejects = RecentRejects()
        for number in range(4 * WORKERS_KEPT):
            rejects.note(f"a.{number}", reject())
            if number % 1000 == 0:
                rejects.again(*rejects.changes())
        changed, forgotten = rejects.changes()
        assert len(changed) <= WORKERS_KEPT
        assert len(forgotten) <= 2 * WORKERS_KEPT


class TestSummary:
    def test_it_counts_by_worker_and_reason_and_begins_anew(self) -> None:
        rejects = RecentRejects()
        for reason in ("stale", "stale", "duplicate"):
            rejects.note("alice", reject(reason=reason))
        found = rejects.summary()
        assert found is not None
        assert (found.shares, found.workers_total, found.workers) == (3, 1, {"alice": {"stale": 2, "duplicate": 1}})
        assert rejects.summary() is None

    def test_it_names_those_with_the_most(self) -> None:
        rejects = RecentRejects()
        for number in range(100):
            for _ in range(1 + number):
                rejects.note(f"a.{number}", reject())
        found = rejects.summary()
        assert found is not None
        assert set(found.workers) == {f"a.{number}" for number in range(100 - LOGGED_WORKERS_MAX, 100)}
        assert found.workers_total == 100
