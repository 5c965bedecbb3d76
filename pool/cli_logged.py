"""Commands that change something are kept in the log of access, as orders through the API are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from pool.config import Config

_READS = frozenset({"list", "show", "status", "held", "plan", "audit", "withholding", "unmatched", "strays", "export"})
"""The last word of commands that only look, unless they are named below."""

_CHANGES = frozenset({"payout export", "move plan"})
_ONLY_WITH = {
    "account address": ("address", "cancel"),
    "account threshold": ("satoshi", "as_default"),
    "account plan": ("scheme", "fee_bps", "cancel"),
    "audit": ("put_back_guards",),
}
"""Commands that change something only when one of these is given."""


@contextmanager
def logged(config: Config) -> Iterator[None]:
    """Around what the command that runs does: a row before it, so that a crash is in the log too, and one after."""
    context = click.get_current_context()
    command = _command(context)
    if not _changes(command, context.params):
        yield
        return
    from pool.roles.access import HERE, open_access
    from pool.roles.dispatch import this_person

    target = " ".join(f"{name}={value}" for name, value in context.params.items() if _tells(name, value))
    who = f"cli:{this_person()}"
    with open_access(config) as books:
        books.record(who, command, target, HERE, "begun")
        try:
            yield
        except Exception as error:
            books.record(who, command, target, HERE, f"refused: {error}")
            raise
        books.record(who, command, target, HERE, "done")


def _command(context: click.Context) -> str:
    words: list[str] = []
    step: click.Context | None = context
    while step is not None and step.parent is not None:
        words.insert(0, step.info_name or "")
        step = step.parent
    return " ".join(words)


def _changes(command: str, params: dict[str, Any]) -> bool:
    if params.get("dry_run"):
        return False
    if command in _ONLY_WITH:
        return any(params.get(name) not in (None, False, "") for name in _ONLY_WITH[command])
    return command in _CHANGES or command.rpartition(" ")[2] not in _READS


def _tells(name: str, value: object) -> bool:
    return name not in ("file", "as_json") and value not in (None, False, "", ())
