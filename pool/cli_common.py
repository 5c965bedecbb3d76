"""What the commands of `steppe` share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import click
import msgspec

from pool import config_file

P = ParamSpec("P")

_SENTENCE_MAX = 300

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

EXIT_BAD_CONFIG = 78  # EX_CONFIG of sysexits.h

config_option = click.option(
    "-c",
    "--config",
    "file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The configuration file (TOML).",
)


class Group(click.Group):
    """Commands, listed with their whole first sentence: click cuts it at the end of a line."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        shown = {name: each for name, each in sorted(self.commands.items()) if not each.hidden}
        rows = [(name, each.get_short_help_str(_SENTENCE_MAX)) for name, each in shown.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class Instant(click.ParamType[int]):
    """A time with its zone, as Unix milliseconds."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        from payout.instants import parse_instant

        try:
            return parse_instant(value, needs_zone=True)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def says_what_is_wrong(command: Callable[P, None]) -> Callable[P, None]:
    """Configuration mistakes end the command with one line each instead of a traceback."""

    @wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except config_file.ConfigurationError as error:
            for mistake in error.mistakes:
                click.echo(str(mistake), err=True)
            sys.exit(EXIT_BAD_CONFIG)

    return wrapper


def say(as_json: bool, value: Any, text: Callable[[], Iterable[str]]) -> None:
    """Print an answer for programs, or for people."""
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(value, enc_hook=_plain)).decode())
        return
    for line in text():
        click.echo(line)


def _plain(value: Any) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no shape in JSON")


def host_and_port(address: str) -> tuple[str, int]:
    """Of an argument. Raises click.BadParameter."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or not 0 < int(port) < 65536:
        raise click.BadParameter(f"{address!r} is not HOST:PORT", param_hint="HOST:PORT")
    return host, int(port)
