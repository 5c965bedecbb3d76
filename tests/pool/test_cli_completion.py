"""Completion as a shell does it, in a real terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from pool.cli import main
from tests.terminal import Terminal


@pytest.fixture
def bash(tmp_path: Path) -> Iterator[Terminal]:
    """bash in a folder with one file, that completes steppe."""
    (tmp_path / "a-pool.toml").write_text("")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    found = Terminal("bash", "--norc", "--noprofile", "-i", PATH=path, PS1="$ ")
    found.type(f"cd {tmp_path}\n")
    found.type("source <(steppe completion bash); clear; echo rea''dy\n")
    found.shows("ready")
    yield found
    found.close()


def test_bash_completes_commands_their_commands_options_and_files(bash: Terminal) -> None:
    for begun, whole in (
        ("steppe journ\t", "$ steppe journal "),
        ("veri\t", "$ steppe journal verify "),
        ("--fol\t", "$ steppe journal verify --folder "),
    ):
        bash.type(begun)
        bash.shows(whole.rstrip())
    bash.type("\x15steppe check -c a-p\t")  # Ctrl-U: another line
    bash.shows("$ steppe check -c a-pool.toml")
    bash.type("\x15steppe payout re\t\t")
    bash.shows("release")
    bash.shows("resume")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script(shell: str) -> None:
    done = CliRunner().invoke(main, ["completion", shell])
    assert done.exit_code == 0
    assert f"_STEPPE_COMPLETE={shell}_complete" in done.stdout


def test_another_shell_is_named_with_those_that_are_known() -> None:
    done = CliRunner().invoke(main, ["completion", "tcsh"])
    assert done.exit_code == 2
    assert "'bash', 'zsh', 'fish'" in done.output
