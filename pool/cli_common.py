"""What the commands of `steppe` share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import click

from pool import config_file

P = ParamSpec("P")

EXIT_BAD_CONFIG = 78  # EX_CONFIG of sysexits.h

config_option = click.option(
    "-c",
    "--config",
    "file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The configuration file (TOML).",
)


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
