"""The command `steppe explain`: what happened to a credit, a payout, a share or a balance, and why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from pool.cli_books import books_of, instant_of, journal_folders, journals_option
from pool.cli_common import Group, config_option, json_option, say, says_what_is_wrong


@click.group(cls=Group)
def explain() -> None:
    """Explain in words and numbers, from journal and ledger, so that each step can be followed by hand."""


@explain.command("credit")
@config_option
@click.argument("credit_id", metavar="ID")
@json_option
@says_what_is_wrong
def explain_credit(file: Path, credit_id: str, as_json: bool) -> None:
    """How a credit came about.

    ID: HEIGHT:ACCOUNT or HASH:ACCOUNT of a block, pps:ACCOUNT:PERIOD, or fpps:DAY:ACCOUNT.
    """
    from payout.store.explained import Explained
    from pool.explain.words import words

    with books_of(file) as (_, engine):
        found = Explained(engine).credit(credit_id)
    say(as_json, found, lambda: words(found))


@explain.command("payout")
@config_option
@click.argument("payout_id", metavar="ID", type=click.IntRange(1, 2**62))
@click.option("--account", help="Only the line of this account.")
@json_option
@says_what_is_wrong
def explain_payout(file: Path, payout_id: int, account: str | None, as_json: bool) -> None:
    """A payout by its number: who is paid, when, by which transaction, who bore the fee."""
    from payout.store.explained import Explained
    from pool.explain.words import words

    with books_of(file) as (_, engine):
        found = Explained(engine).payout(payout_id, account)
    say(as_json, found, lambda: words(found))


@explain.command("balance")
@config_option
@click.argument("account", metavar="ACCOUNT")
@json_option
@says_what_is_wrong
def explain_balance(file: Path, account: str, as_json: bool) -> None:
    """The balance of an account: how it came about by kind, and where each part of it is."""
    from payout.store.explained import Explained
    from pool.explain.words import words
    from pool.roles.clock import SystemClock

    with books_of(file) as (_, engine):
        found = Explained(engine).balance(account, SystemClock().time_ms())
    say(as_json, found, lambda: words(found))


@explain.command("reject")
@config_option
@click.argument("share_id", metavar="ID")
@journals_option
@json_option
@says_what_is_wrong
def explain_reject(file: Path, share_id: str, more_journals: tuple[Path, ...], as_json: bool) -> None:
    """Why a share was refused.

    ID: JOURNAL:NUMBER, the hash of its header, or LOGIN@TIME for what was refused about then.
    """
    from pool.explain import find
    from pool.explain.reject import explained_of
    from pool.explain.words import words

    with books_of(file, ledger=False) as (config, _):
        journals = journal_folders(config, more_journals)
        if "@" in share_id:
            name, _, moment = share_id.partition("@")
            near = find.refused_near(journals, *_account_and_worker(name), instant_of(moment, "ID"))
            if not near:
                raise find.NotFound(f"no share of {name} was refused within a minute of {moment}: {find.HOW_TO_FIND}")
        elif ":" in share_id or len(share_id) != 64:
            near = [find.by_id(journals, share_id)]
        else:
            near = [find.by_hash(journals, share_id.lower())]
        explained = [explained_of(journals, each) for each in near]
    if len(explained) == 1:
        say(as_json, explained[0], lambda: words(explained[0]))
        return
    say(
        as_json,
        explained,
        lambda: (f"{each.id}\t{each.login}\t{each.outcome}\tjob {each.job_id}" for each in explained),
    )


@explain.command("shares")
@config_option
@click.argument("login", metavar="LOGIN")
@click.option("--from", "first", required=True, help="The first moment, as 2026-11-28T09:30 in UTC.")
@click.option("--to", "behind", help="The moment after the last, ten minutes later at most; default: a minute later.")
@journals_option
@json_option
@says_what_is_wrong
def explain_shares(
    file: Path, login: str, first: str, behind: str | None, more_journals: tuple[Path, ...], as_json: bool
) -> None:
    """List the shares of a worker in a short time: time, id, outcome, job, difficulty; and the block that one was."""
    from payout.instants import format_instant
    from pool.explain import shares

    from_ms = instant_of(first, "--from")
    to_ms = from_ms + shares.SPAN_MS_DEFAULT if behind is None else instant_of(behind, "--to")
    if not from_ms < to_ms <= from_ms + shares.SPAN_MS_MAX:
        raise click.BadParameter("at most ten minutes after --from", param_hint="--to")
    with books_of(file, ledger=False) as (config, _):
        found = shares.shares_of(journal_folders(config, more_journals), login, from_ms, to_ms)

    def text() -> Iterator[str]:
        for row in found.rows:
            facts = (format_instant(row.time_ms), row.id, row.outcome, row.job_id, f"{row.difficulty:g}")
            yield "\t".join((*facts, row.block_hash or ""))
        if found.next_ms is not None:
            yield f"more: --from {found.next_ms} --to {to_ms}"
        elif not found.rows:
            yield f"the journals here have no share of {login} in that time"

    say(as_json, found, text)


def _account_and_worker(name: str) -> tuple[str, str]:
    account, _, worker = name.partition(".")
    return account, worker
