"""Sources that hang."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from pool.dashboard.ports import SourceUnavailable
from pool.top.patience import Patient
from tests.pool.dashboard.running import result_of


@pytest.fixture
def hanging() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_an_answer_is_given() -> None:
    assert result_of(Patient()(lambda: 7)) == 7


def test_an_answer_of_nothing_is_one() -> None:
    assert result_of(Patient()(lambda: None)) is None


def test_what_was_raised_is_raised() -> None:
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        result_of(Patient()(fail))


def test_who_hangs_is_not_waited_for(hanging: threading.Event) -> None:
    with pytest.raises(SourceUnavailable, match=r"no answer within 0.01 s"):
        result_of(Patient(0.01)(hanging.wait))


def test_while_it_hangs_it_is_not_asked_again(hanging: threading.Event) -> None:
    asked: list[int] = []
    patient = Patient(0.01)
    with pytest.raises(SourceUnavailable):
        result_of(patient(hanging.wait))
    with pytest.raises(SourceUnavailable, match="still no answer"):
        result_of(patient(lambda: asked.append(1)))
    assert asked == []
