"""Progress of long work: a line for who looks at a terminal, nothing for others."""

from __future__ import annotations

import io
import sys

import pytest

from pool.cli_progress import Progress


class FakeTerminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal_of(monkeypatch: pytest.MonkeyPatch) -> FakeTerminal:
    """In place of standard error; called within a test, as pytest has its own there in between."""
    found = FakeTerminal()
    monkeypatch.setattr(sys, "stderr", found)
    return found


def test_a_terminal_sees_how_far_it_is_and_nothing_is_left_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_of(monkeypatch)
    with Progress("backup") as progress:
        progress(0.5)
        progress(1.0)
    said = terminal.getvalue()
    assert "backup [###############...............]  50%" in said
    assert "100%" in said
    assert said.endswith("\r")
    assert said.split("\r")[-2].strip() == ""


def test_work_of_unknown_length_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_of(monkeypatch)
    with Progress("rebuild") as progress:
        progress.added(1000, "records")
        progress.added(500, "records")
    assert "rebuild 1,000 records" in terminal.getvalue()


def test_it_is_not_drawn_more_often_than_an_eye_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_of(monkeypatch)
    with Progress("audit") as progress:
        for number in range(10_000):
            progress(number / 100_000)
    assert terminal.getvalue().count("audit") < 100


def test_others_see_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("backup") as progress:
        progress(0.5)
        progress.counted(7, "records")
    assert capsys.readouterr() == ("", "")
