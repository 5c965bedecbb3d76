"""The commands `steppe stratum ...`: what an operator tells the miners."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pool import config_file
from pool.cli_common import Group, config_option, host_and_port, json_option, say, says_what_is_wrong
from pool.config import Config

if TYPE_CHECKING:
    from pool.roles.control import Order


@click.group(cls=Group)
def stratum() -> None:
    """Tell the miners something, through the stratum processes that run on this machine."""


_account_option = click.option("--account", help="Only the miners of this account; default: all.")


@stratum.command("message")
@config_option
@_account_option
@click.argument("text")
@json_option
@says_what_is_wrong
def stratum_message(file: Path, account: str | None, text: str, as_json: bool) -> None:
    """Show a text on their screens (client.show_message)."""
    from pool.roles.control import ShowMessage

    _tell(file, ShowMessage(text, account), as_json)


@stratum.command("reconnect")
@config_option
@_account_option
@click.option("--wait", "wait_seconds", type=click.IntRange(0, 3600), default=0, help="Seconds before they do.")
@click.argument("address", metavar="HOST:PORT")
@json_option
@says_what_is_wrong
def stratum_reconnect(file: Path, account: str | None, wait_seconds: int, address: str, as_json: bool) -> None:
    """Have them connect elsewhere (client.reconnect)."""
    from pool.roles.control import Reconnect

    host, port = host_and_port(address)
    _tell(file, Reconnect(host, port, wait_seconds, account), as_json)


@stratum.command("version")
@config_option
@_account_option
@json_option
@says_what_is_wrong
def stratum_version(file: Path, account: str | None, as_json: bool) -> None:
    """Ask them who they are (client.get_version); the answers are their user agents from then on."""
    from pool.roles.control import AskVersion

    _tell(file, AskVersion(account), as_json)


@stratum.command("extranonce")
@config_option
@_account_option
@json_option
@says_what_is_wrong
def stratum_extranonce(file: Path, account: str | None, as_json: bool) -> None:
    """Give those that take one another extranonce1 (mining.set_extranonce)."""
    from pool.roles.control import ChangeExtranonce

    _tell(file, ChangeExtranonce(account), as_json)


def _tell(file: Path, order: Order, as_json: bool) -> None:
    loaded: Config = config_file.load(file)
    from pool.paths import Paths
    from pool.roles.control import tell

    answers = tell(Paths(Path(loaded.pool.data_dir)).control, order)
    if not answers:
        raise click.ClickException("no stratum process of this pool runs on this machine")

    def text() -> Iterator[str]:
        for name, answer in answers.items():
            yield f"stratum {name}: " + (answer.error or f"{answer.sessions} sessions")

    say(
        as_json,
        [{"process": name, "sessions": each.sessions, "error": each.error} for name, each in answers.items()],
        text,
    )
    if any(answer.error for answer in answers.values()):
        sys.exit(1)
