"""Keys of `steppe top`."""

from __future__ import annotations

import pytest

from pool.top.view import Pane, View, press


def after(*keys: str, view: View | None = None) -> View:
    found = view or View()
    for key in keys:
        pressed = press(found, key)
        assert pressed is not None
        found = pressed
    return found


@pytest.mark.parametrize("key", ["q", "Q"])
def test_q_is_the_end(key: str) -> None:
    assert press(View(), key) is None


def test_a_key_sorts_and_the_same_once_more_turns_the_order() -> None:
    assert (after("r").sort, after("r").is_descending) == ("rejects", True)
    assert after("r", "r").is_descending is False
    assert after("r", "r", "r").is_descending is True
    assert after("r", "r", "h").is_descending is True


def test_names_begin_with_the_first() -> None:
    assert after("n").is_descending is False
    assert after("n", "n").is_descending is True


def test_behind_a_slash_keys_are_a_filter_until_enter() -> None:
    typed = after("/", "q", "r", "-", "1")
    assert (typed.search, typed.is_typing, typed.sort) == ("qr-1", True, "hashrate")
    assert after("enter", view=typed) == View(search="qr-1")
    assert after("backspace", view=typed).search == "qr-"


def test_escape_ends_the_filter() -> None:
    assert after("/", "x", "escape") == View()
    assert after("/", "x", "enter", "escape") == View()


def test_a_filter_takes_neither_control_characters_nor_more_than_a_login_has() -> None:
    assert after("/", "\x01", "\x1b[A", "\u202e").search == ""
    assert len(after("/", *"x" * 500).search) == 130


def test_another_order_or_filter_begins_at_the_first_page() -> None:
    assert after("down", "down").page == 3
    assert after("down", "r").page == 1
    assert after("down", "/", "x").page == 1
    assert after("up").page == 1


def test_panes_have_keys() -> None:
    assert [after(key).pane for key in "wsa"] == [Pane.WORKERS, Pane.SITES, Pane.ALARMS]
    assert after("a", "/").pane is Pane.WORKERS


def test_other_keys_change_nothing() -> None:
    assert after("x", "\t", "5") == View()
