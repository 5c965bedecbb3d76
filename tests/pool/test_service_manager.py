"""What systemd hears of the pool."""

from __future__ import annotations

from pool.service_manager import ServiceManager


class Heard:
    """Takes the place of the socket."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def __call__(self, address: str, datagram: bytes) -> None:
        self.told.append((address, datagram.decode()))

    @property
    def states(self) -> list[str]:
        return [state for _, state in self.told]


def test_without_a_manager_nothing_is_said() -> None:
    heard = Heard()
    manager = ServiceManager({}, heard)
    manager.alive(0.0)
    manager.stopping(1.0)
    assert heard.told == []


def test_the_first_sign_of_life_says_that_we_are_there() -> None:
    heard = Heard()
    manager = ServiceManager({"NOTIFY_SOCKET": "/run/notify"}, heard)
    manager.alive(0.0)
    manager.alive(1.0)
    assert heard.told == [("/run/notify", "READY=1")]


def test_signs_of_life_come_twice_in_the_time_after_which_we_would_be_killed() -> None:
    heard = Heard()
    manager = ServiceManager({"NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": "30000000"}, heard)
    for second in range(61):
        manager.alive(float(second))
    assert heard.states == ["READY=1", *["WATCHDOG=1"] * 5]


def test_a_reload_has_a_beginning_and_an_end() -> None:
    heard = Heard()
    manager = ServiceManager({"NOTIFY_SOCKET": "/run/notify"}, heard)
    manager.alive(0.0)
    manager.reloading()
    manager.alive(1.0)
    assert [state.split("=")[0] for state in heard.states] == ["READY", "RELOADING", "READY"]


def test_an_end_that_takes_long_says_so() -> None:
    heard = Heard()
    ServiceManager({"NOTIFY_SOCKET": "/run/notify"}, heard).stopping(90.0)
    assert heard.states == ["STOPPING=1\nEXTEND_TIMEOUT_USEC=90000000"]


def test_a_name_in_no_folder_begins_with_a_zero() -> None:
    heard = Heard()
    ServiceManager({"NOTIFY_SOCKET": "@manager"}, heard).alive(0.0)
    assert heard.told[0][0] == "\0manager"


def test_a_manager_that_is_gone_ends_nothing() -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": "/nowhere/notify"})
    manager.alive(0.0)
