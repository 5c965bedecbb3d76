"""The locks: whole, in step with what asks for them, and no larger than we want to answer for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.locks import FOLDER, pins

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
RUN_PACKAGES_MAX = 25
"""With all that they need in turn: each is a party that can break the pool, or into it."""

ASKED = {
    "run.txt": [
        *PROJECT["project"]["dependencies"],
        *(each for extra in PROJECT["project"]["optional-dependencies"].values() for each in extra),
    ],
    "build.txt": PROJECT["build-system"]["requires"],
    "dev.txt": [
        line.partition("#")[0].strip()
        for line in (FOLDER / "dev.in").read_text().splitlines()
        if not line.startswith(("#", "-c"))
    ],
}
each_lock = pytest.mark.parametrize("lock", ASKED)


@each_lock
def test_every_package_has_hashes_and_none_escapes_us(lock: str) -> None:
    assert all(pin.hashes and all(each.startswith("sha256:") for each in pin.hashes) for pin in pins(lock))
    named = re.findall(r"^([a-z0-9][^= ]*)", (FOLDER / lock).read_text(), re.MULTILINE)
    assert [pin.name for pin in pins(lock)] == named


@each_lock
def test_what_is_asked_for_is_in_the_lock_in_a_version_that_will_do(lock: str) -> None:
    versions = {pin.name: pin.version for pin in pins(lock)}
    for asked in map(Requirement, ASKED[lock]):
        assert asked.specifier.contains(versions[canonicalize_name(asked.name)]), f"{asked}: run scripts/pin"


@pytest.mark.parametrize("lock", ["run.txt", "dev.txt"])
def test_what_is_in_the_lock_is_asked_for(lock: str) -> None:
    asked = {canonicalize_name(Requirement(each).name) for each in ASKED[lock]}
    known = {pin.name for pin in pins(lock)}
    for pin in pins(lock):
        ours = any(each.startswith(("steppe ", "-r ")) for each in pin.needed_by)
        assert ours == (pin.name in asked), f"{pin.name}: run scripts/pin"
        assert {each for each in pin.needed_by if not each.startswith(("steppe ", "-"))} <= known


def test_a_package_of_two_locks_has_one_version() -> None:
    run = {pin.name: pin.version for pin in pins("run.txt")}
    assert [pin.name for pin in pins("dev.txt") if run.get(pin.name, pin.version) != pin.version] == []


def test_the_pool_runs_with_few_packages() -> None:
    extra = {canonicalize_name(Requirement(each).name) for each in ("psycopg", "psycopg-binary")}
    needed = [
        pin.name for pin in pins("run.txt") if pin.applies(python_full_version="3.12.0") and pin.name not in extra
    ]
    assert len(needed) <= RUN_PACKAGES_MAX, needed
