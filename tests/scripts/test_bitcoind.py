"""scripts/bitcoind: which bitcoind it takes, where nothing need be fetched."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "bitcoind"
SYSTEM_PATH = "/usr/bin:/bin"


def program(path: Path) -> Path:
    """A file that can be run, with the folders above it."""
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def run(cache: Path, *, path: str = SYSTEM_PATH, named: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SCRIPT)],
        env={"PATH": path, "XDG_CACHE_HOME": str(cache), "STEPPE_BITCOIND": named},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def cached(tmp_path: Path) -> Path:
    return program(tmp_path / "cache" / "steppe" / "bitcoind-29.4-1" / "bitcoind")


@pytest.fixture
def cache(cached: Path) -> Path:
    """The cache folder with one bitcoind in it."""
    return cached.parents[2]


def test_the_one_named_in_the_environment_comes_first(tmp_path: Path, cache: Path) -> None:
    named = program(tmp_path / "named" / "bitcoind")
    on_path = program(tmp_path / "path" / "bitcoind")
    assert run(cache, path=f"{on_path.parent}:{SYSTEM_PATH}", named=str(named)).stdout == f"{named}\n"


def test_a_name_in_the_environment_without_a_program_is_refused(cache: Path) -> None:
    done = run(cache, named="/nowhere/bitcoind")
    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "",
        "STEPPE_BITCOIND names no program: /nowhere/bitcoind\n",
    )


def test_the_one_on_path_comes_before_the_cache(tmp_path: Path, cache: Path) -> None:
    on_path = program(tmp_path / "path" / "bitcoind")
    assert run(cache, path=f"{on_path.parent}:{SYSTEM_PATH}").stdout == f"{on_path}\n"


def test_the_cached_one_is_found_without_a_word(cached: Path, cache: Path) -> None:
    done = run(cache)
    assert (done.stdout, done.stderr) == (f"{cached}\n", "")


def test_of_several_cached_the_newest_version_is_taken(cached: Path, cache: Path) -> None:
    newest = program(cache / "steppe" / "bitcoind-29.10-1" / "bitcoind")
    assert run(cache).stdout == f"{newest}\n"


def test_a_folder_still_being_fetched_is_no_cached_one(cached: Path, cache: Path) -> None:
    program(cache / "steppe" / ".fetching.AbCdEf" / "bitcoind")
    assert run(cache).stdout == f"{cached}\n"
