"""Messages as people and programs read them."""

from __future__ import annotations

import json

import pytest

from pool.alerts.alert import Alert, Notice
from pool.alerts.channel import Message
from pool.alerts.messages import SUBJECT_CHARACTERS_MAX, one_line, payload, subject, text
from tests.regtest.test_hostile_names import NAMES

DISK = Alert("disk", "warn", "the disk is nearly full", "1 GiB is free", "Make room.")
NODE = Alert("nodes", "page", "no node gives work", "all are down")
BLOCK = Notice("Block 7 found", "By bit.rig-1", 3)


def test_the_subject_is_the_worst_and_how_much_more_there_is() -> None:
    assert subject("Steppe main", Message((NODE, DISK), (DISK,), ())) == (
        "[Steppe main] PAGE: no node gives work (and 2 more)"
    )
    assert subject("Steppe main", Message((), (), (BLOCK,))) == "[Steppe main] Block 7 found"
    assert subject("Steppe main", Message((), (DISK,), ())) == "[Steppe main] over: the disk is nearly full"


def test_the_text_has_all_of_it_with_the_mend() -> None:
    lines = text("Steppe main", Message((DISK,), (NODE,), (BLOCK,))).splitlines()
    assert lines[:3] == ["WARN  the disk is nearly full", "    1 GiB is free", "    Mend: Make room."]
    assert "Block 7 found" in lines
    assert "OVER  no node gives work" in lines


def test_programs_get_the_same() -> None:
    found = json.loads(payload("Steppe main", "main", Message((NODE,), (DISK,), (BLOCK,))))
    assert (found["severity"], found["raised"][0]["key"], found["resolved"][0]["key"]) == ("page", "nodes", "disk")
    assert found["notices"] == [{"title": "Block 7 found", "text": "By bit.rig-1"}]


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_is_one_line_of_a_message(name: str) -> None:
    alert = Alert("x", "warn", name, name, f"Look at {name}.")
    said = text("Steppe", Message((alert,), (alert,), ()))
    assert len(said.splitlines()) == len(text("Steppe", Message((DISK,), (DISK,), ())).splitlines())
    assert len(subject("Steppe", Message((alert,), (), ())).splitlines()) == 1
    assert len(subject("Steppe", Message((alert,), (), ()))) <= SUBJECT_CHARACTERS_MAX
    assert "\x1b" not in said
    assert one_line(name).isprintable() or max(name) >= "\u200b"
