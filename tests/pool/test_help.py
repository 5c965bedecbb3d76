"""`--help`: of every command and option something is said, and said to its end."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from pool.cli import main
from tests.pool.test_cli import steppe


def every(command: click.Command, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from every(below, *path, name)


COMMANDS = dict(every(main))
each_group = pytest.mark.parametrize(
    "path", [path for path, command in COMMANDS.items() if isinstance(command, click.Group)], ids=" ".join
)


@each_group
def test_a_list_of_commands_cuts_no_sentence(path: tuple[str, ...]) -> None:
    listed = steppe(*path, "--help").output.partition("Commands:")[2]
    assert listed
    assert "..." not in listed


def test_a_command_that_is_hidden_is_not_listed() -> None:
    hidden = [path[-1] for path, command in COMMANDS.items() if command.hidden]
    assert [name for name in hidden if f"  {name} " in steppe("--help").output] == []


def test_each_option_says_what_it_is() -> None:
    silent = [
        (*path, *parameter.opts)
        for path, command in COMMANDS.items()
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden and not parameter.help
    ]
    assert silent == []
