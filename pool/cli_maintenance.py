"""The commands `steppe maintenance ...`: messages to people, and alert rules, are silenced while somebody works on the
pool."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pool import config_file
from pool.cli_common import Group, config_option, json_option, say, says_what_is_wrong

if TYPE_CHECKING:
    from pool.store.redis import RedisStore, Silence

MINUTES_MAX = 7 * 24 * 60
REASON_CHARACTERS_MAX = 200


@click.group(cls=Group)
def maintenance() -> None:
    """Silence the pool's messages, and its alert rules for Prometheus, for a time; but not what is about blocks and
    money.

    What is wrong at the end, and was not before, is told then.
    """


@maintenance.command("on")
@config_option
@click.option("--minutes", type=click.IntRange(1, MINUTES_MAX), required=True, help="It ends by itself.")
@click.option("--reason", default="", help="For the log.")
@json_option
@says_what_is_wrong
def on(file: Path, minutes: int, reason: str, as_json: bool) -> None:
    """Silence them from now on, for so many minutes; once more: for so many from then."""
    if len(reason) > REASON_CHARACTERS_MAX or not reason.isprintable():
        raise click.BadParameter(f"one line of at most {REASON_CHARACTERS_MAX} characters", param_hint="--reason")
    from pool.roles.clock import SystemClock
    from pool.store.redis import Silence

    until_ms = SystemClock().time_ms() + minutes * 60_000
    silence = Silence(until_ms, reason)
    with _redis(file) as store:
        store.silence(silence, minutes * 60_000)
    _say(as_json, silence)


@maintenance.command("off")
@config_option
@json_option
@says_what_is_wrong
def off(file: Path, as_json: bool) -> None:
    """End it now."""
    with _redis(file) as store:
        store.silence(None)
    _say(as_json, None)


@maintenance.command("show")
@config_option
@json_option
@says_what_is_wrong
def show(file: Path, as_json: bool) -> None:
    """Say whether they are silenced."""
    with _redis(file) as store:
        found = store.silenced()
    _say(as_json, found)


def _say(as_json: bool, silence: Silence | None) -> None:
    text = "messages are sent"
    if silence is not None:
        until = _moment(silence.until_ms)
        text = f"no messages until {until}, but for blocks and money  {silence.reason}".rstrip()
    say(as_json, {"silenced": silence is not None, "silence": silence}, lambda: [text])


@contextmanager
def _redis(file: Path) -> Iterator[RedisStore]:
    config = config_file.load(file)
    from pool.ports import StoreUnavailable
    from pool.roles.redis_link import open_redis

    store = open_redis(config)
    try:
        yield store
    except StoreUnavailable as error:
        raise click.ClickException(str(error)) from error
    finally:
        store.close()


def _moment(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%d %H:%M UTC}"
