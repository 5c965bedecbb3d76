"""The faults by their names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.chaos.faults import FAILPOINTS, FAULTS, groups_for, named
from tests.test_documentation import ROOT, table


def test_a_group_stands_for_all_its_faults() -> None:
    assert list(named(["fork"])) == ["reorganization", "orphan race"]


def test_a_fault_may_be_named_alone() -> None:
    assert list(named(["kill work", "disk full"])) == ["kill work", "disk full"]


def test_what_is_neither_is_refused() -> None:
    with pytest.raises(KeyError, match="kill wrok"):
        named(["kill wrok"])


def test_postgresql_is_killed_only_where_it_is_used() -> None:
    assert set(FAULTS) - set(groups_for("sqlite", "fsync")) == {"postgresql"}


def test_the_power_is_cut_only_where_the_journal_promises_to_survive_that() -> None:
    assert set(FAULTS) - set(groups_for("postgresql", "relaxed")) == {"power"}
    assert set(groups_for("postgresql", "fsync")) == set(FAULTS)


def test_every_failpoint_that_is_named_is_somewhere_in_the_code() -> None:
    code = "".join(path.read_text() for folder in ("pool", "payout") for path in Path(ROOT, folder).rglob("*.py"))
    assert set(FAILPOINTS) <= set(re.findall(r'\bhit\("([a-z-]+)"\)', code))


def test_the_page_names_every_fault_in_its_group() -> None:
    documented: dict[str, set[str]] = {}
    group = ""
    for first, faults, _ in table("chaos.md", "group", "faults", "what it does"):
        group = first or group
        documented.setdefault(group, set()).update(faults.split(", "))
    there_are = {group: set(faults) for group, faults in FAULTS.items()}
    there_are["failpoint"] = {"failpoint NAME"}
    assert documented == there_are
