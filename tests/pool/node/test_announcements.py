"""Whether announcements still come; the ZMQ socket itself is tested on a real node."""

from __future__ import annotations

from pool.node.announcements import SILENT_SECONDS, Awaited

A, B = b"a" * 32, b"b" * 32


class TestAwaited:
    def test_a_tip_that_was_announced_before_it_was_seen_is_no_silence(self) -> None:
        awaited = Awaited()
        awaited.announced(A)
        awaited.seen(A, 0.0)
        assert not awaited.is_silent(1000.0)

    def test_nor_is_one_that_was_announced_after(self) -> None:
        awaited = Awaited()
        awaited.seen(A, 0.0)
        awaited.announced(A)
        assert not awaited.is_silent(1000.0)

    def test_a_tip_that_was_not_announced_in_time_is(self) -> None:
        awaited = Awaited()
        awaited.seen(A, 5.0)
        assert [awaited.is_silent(5.0 + SILENT_SECONDS - 1), awaited.is_silent(5.0 + SILENT_SECONDS)] == [False, True]

    def test_the_time_goes_on_when_the_next_tip_is_not_announced_either(self) -> None:
        awaited = Awaited()
        awaited.seen(A, 0.0)
        awaited.seen(B, SILENT_SECONDS - 1)
        assert awaited.is_silent(SILENT_SECONDS)

    def test_any_announcement_ends_it(self) -> None:
        awaited = Awaited()
        awaited.seen(A, 0.0)
        awaited.announced(B)
        assert not awaited.is_silent(SILENT_SECONDS)

    def test_only_so_many_announcements_are_remembered(self) -> None:
        awaited = Awaited()
        for number in range(1000):
            awaited.announced(number.to_bytes(32, "big"))
        awaited.seen(bytes(32), 0.0)
        assert awaited.is_silent(SILENT_SECONDS)
