"""stratum.slices."""

from __future__ import annotations

from stratum.login import Login
from stratum.slices import NEVER_MS, Slices


class Hourly:
    """Every hour another slice, for whoever asks."""

    def __init__(self) -> None:
        self.asked = 0
        self.slice_id = 0
        self.until_ms = 0

    def at(self, time_ms: int) -> Hourly:
        self.slice_id, self.until_ms = time_ms // 60, time_ms // 60 * 60 + 60
        return self

    def slice_of(self, account: str, worker: str) -> int | None:
        self.asked += 1
        return self.slice_id if worker else None


def test_without_a_table_there_is_no_slice_and_no_change() -> None:
    slices, login = Slices(), Login("bit", "kz-1")
    slices.look_up(login)
    assert (login.slice_id, slices.until_ms) == (None, NEVER_MS)


def test_a_table_holds_until_its_next_change() -> None:
    slices, login = Slices(), Login("bit", "kz-1")
    slices.take(Hourly(), 125)
    slices.look_up(login)
    assert (login.slice_id, slices.until_ms) == (2, 180)
    slices.change(180)
    assert login.turn != slices.turn
    slices.look_up(login)
    assert (login.slice_id, slices.until_ms) == (3, 240)


def test_a_login_that_nobody_named_has_none() -> None:
    slices, login = Slices(), Login("bit", "")
    slices.take(Hourly(), 125)
    slices.look_up(login)
    assert login.slice_id is None
