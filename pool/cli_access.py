"""The commands about who may see and do what: `steppe operator` and `steppe access`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from pool import config_file
from pool.cli_common import Group, config_option, json_option, say, says_what_is_wrong

if TYPE_CHECKING:
    from pool.roles.access import AccessBooks


class Made(Struct, frozen=True):
    """A new credential. address: the path of the page that it opens; empty for a token and a key."""

    id: int
    secret: str
    address: str


@contextmanager
def _books(file: Path) -> Iterator[tuple[AccessBooks, str]]:
    """What is refused there ends the command with its reason."""
    loaded = config_file.load(file)
    from payout.ports import LedgerUnavailable
    from pool.access.scope import AccessRefused
    from pool.roles.access import open_access
    from pool.roles.dispatch import this_person

    try:
        with open_access(loaded) as books:
            yield books, f"cli:{this_person()}"
    except (AccessRefused, LedgerUnavailable) as error:
        raise click.ClickException(str(error)) from error


@click.group(cls=Group)
def operator() -> None:
    """Operators of the page and the API: who sees and may do everything, on web.admin_listen."""


@operator.command("password")
@config_option
@click.argument("name", default="operator")
@json_option
@says_what_is_wrong
def operator_password(file: Path, name: str, as_json: bool) -> None:
    """Set an operator's password: asked for twice, or the first line of standard input. What NAME had before ends."""
    if sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    with _books(file) as (books, who):
        from pool.roles.access import HERE

        books.set_password(name, password, who, HERE)
    address = f"http://{config_file.load(file).web.admin_listen}/"
    say(as_json, {"name": name, "address": address}, lambda: [f"{name}: password set; log in at {address}"])


@operator.command("link")
@config_option
@click.argument("name", default="operator")
@json_option
@says_what_is_wrong
def operator_link(file: Path, name: str, as_json: bool) -> None:
    """Print a link that lets an operator in once, within 15 minutes: when a password is forgotten or locked out."""
    with _books(file) as (books, who):
        from pool.roles.access import HERE

        secret = books.invite(name, who, HERE)
    link = f"http://{config_file.load(file).web.admin_listen}/#/enter/{secret}"
    say(as_json, {"name": name, "link": link}, lambda: [link])


@click.group(cls=Group)
def access() -> None:
    """Watchers' links, account owners' keys, programs' tokens; and the log of who did what."""


@access.command("make")
@config_option
@click.argument("kind", type=click.Choice(["link", "key", "token"]))
@click.argument("name")
@click.option("--scope", default="pool", show_default=True, help="Sees pool, account:NAME, site:NAME or fleet:NAME.")
@click.option("--days", type=int, help="Until it expires; a link must expire.")
@click.option(
    "--may",
    "rights",
    type=click.Choice(["payouts", "moves"]),
    multiple=True,
    help="What a token may do beside reading; may be given twice.",
)
@json_option
@says_what_is_wrong
def access_make(
    file: Path, kind: str, name: str, scope: str, days: int | None, rights: tuple[str, ...], as_json: bool
) -> None:
    """Make a watcher's link, an account owner's key (NAME is the account), or a program's token.

    Its secret is printed now and never again: the pool keeps a hash.
    """
    from pool.access.credential import wish

    with _books(file) as (books, who):
        from pool.roles.access import HERE
        from pool.roles.clock import SystemClock

        if kind == "key" and scope == "pool":
            scope = f"account:{name}"
        number, secret = books.issue(wish(kind, name, scope, rights, days, SystemClock().time_ms()), who, HERE)
    address = f"/#/enter/{secret}" if kind == "link" else ""
    made = Made(number, secret, address)
    where = f"http://{config_file.load(file).web.listen}{address}" if address else secret
    say(as_json, made, lambda: iter([where]))


@access.command("list")
@config_option
@json_option
@says_what_is_wrong
def access_list(file: Path, as_json: bool) -> None:
    """List what holds now, sessions included."""
    from pool.access.views import credential_row

    with _books(file) as (books, _):
        rows = tuple(credential_row(row) for row in books.directory().rows.values())

    def text() -> Iterator[str]:
        for row in rows:
            until = "for good" if row.until_ms is None else f"until {_time(row.until_ms)}"
            yield f"{row.id}\t{row.kind}\t{row.name}\t{row.scope}\t{','.join(row.rights)}\t{until}\tby {row.made_by}"

    say(as_json, rows, text)


@access.command("revoke")
@config_option
@click.argument("number", metavar="ID", type=click.IntRange(min=1))
@json_option
@says_what_is_wrong
def access_revoke(file: Path, number: int, as_json: bool) -> None:
    """End a credential, and every session it made, within two seconds."""
    with _books(file) as (books, who):
        from pool.roles.access import HERE

        row = books.revoke(number, who, HERE)
    told = {"id": number, "kind": row.kind, "name": row.name}
    say(as_json, told, lambda: [f"{row.kind} {row.name}: revoked"])


@access.command("log")
@config_option
@click.option("--count", type=click.IntRange(1, 100_000), default=50, show_default=True, help="The newest so many.")
@click.option("--verify", is_flag=True, help="Read all of it and check that nothing was changed or taken out.")
@json_option
@says_what_is_wrong
def access_log(file: Path, count: int, verify: bool, as_json: bool) -> None:
    """Show who did what, newest first."""
    from pool.access.views import log_row

    with _books(file) as (books, _):
        broken = books.broken() if verify else None
        found = books.entries(0, count)
    if broken is not None:
        raise click.ClickException(
            f"row {broken} of the log is not what it was, or is gone: look who changed the database"
        )
    rows = tuple(log_row(row) for row in found.rows)

    def text() -> Iterator[str]:
        for row in rows:
            yield "\t".join((_time(row.time_ms), row.who, row.action, row.target, row.origin, row.result))
        if verify:
            yield f"{found.kept} rows, each as it was written"

    say(as_json, rows, text)


def _time(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms // 1000, UTC).isoformat(sep=" ")
