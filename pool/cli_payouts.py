"""The commands about money that leaves: `steppe payout`, and the address and threshold of an account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pool import config_file
from pool.bitcoin.amount import format_btc
from pool.cli_common import Group, config_option, json_option, say, says_what_is_wrong
from pool.cli_logged import logged

if TYPE_CHECKING:
    from payout.desk_views import BrokenReport
    from pool.roles.counter import Counter

_rate_option = click.option(
    "--fee-rate", type=click.IntRange(1, 10_000), help="In sat/vB; default: the node's estimate."
)
_newest_option = click.option(
    "--newest", metavar="TXID", default="", help="Refuse it unless this is still the newest transaction of the batch."
)


@contextmanager
def at_the_counter(file: Path) -> Iterator[Counter]:
    """The operator's side of the pool's money; what is refused there ends the command with its reason."""
    loaded = config_file.load(file)
    from payout.accounts import AccountRefused
    from payout.desk import DeskRefused
    from payout.payment import StateChanged
    from payout.payment_ports import WalletWaits
    from payout.ports import LedgerUnavailable
    from pool.ports import NodeUnavailable
    from pool.roles.counter import open_counter

    try:
        with logged(loaded), open_counter(loaded) as counter:
            yield counter
    except (AccountRefused, DeskRefused, StateChanged, WalletWaits, LedgerUnavailable, NodeUnavailable) as error:
        raise click.ClickException(str(error)) from error


@click.group(cls=Group)
def payout() -> None:
    """Payments: who is paid, what is on its way, and what a person may do about it."""


@payout.command("plan")
@config_option
@json_option
@says_what_is_wrong
def payout_plan(file: Path, as_json: bool) -> None:
    """Show who a run would pay now, and why the others wait. Nothing is changed."""
    with at_the_counter(file) as counter:
        plan = counter.plan()

    def text() -> Iterator[str]:
        for each in plan.lines:
            yield f"{each.account}\t{format_btc(each.amount_sat)} BTC\t{each.address}"
        accounts = "1 account" if len(plan.lines) == 1 else f"{len(plan.lines)} accounts"
        yield f"{accounts}, {format_btc(plan.total_sat)} BTC, at {plan.fee_rate_sat_kvb} sat/kvB"
        for waits in plan.waiting:
            least = f", needs {format_btc(waits.min_sat)}" if waits.reason == "below_minimum" else ""
            why = f": {waits.text}" if waits.text else ""
            yield f"waits: {waits.account}\t{format_btc(waits.available_sat)} BTC\t{waits.reason}{least}{why}"

    say(as_json, plan, text)


@payout.command("run")
@config_option
@json_option
@says_what_is_wrong
def payout_run(file: Path, as_json: bool) -> None:
    """Have the accounting role pay now whoever can be paid, instead of at the daily hour."""
    with at_the_counter(file) as counter:
        asked = counter.run()
    say(as_json, asked, lambda: iter([f"asked for; {asked.note}"]))


@payout.command("list")
@config_option
@click.option("--count", type=click.IntRange(1, 10_000), default=50, show_default=True, help="The newest so many.")
@json_option
@says_what_is_wrong
def payout_list(file: Path, count: int, as_json: bool) -> None:
    """List the batches, newest first."""
    with at_the_counter(file) as counter:
        page = counter.payouts(count)

    def text() -> Iterator[str]:
        for row in page.rows:
            yield f"{row.id}\t{row.state}\t{format_btc(row.total_sat)} BTC\t{row.confirmations} deep\t{row.txid or '-'}"
        if page.stopped is not None:
            yield f"payouts are stopped: {page.stopped}"

    say(as_json, page, text)


@payout.command("show")
@config_option
@click.argument("payout_id", metavar="ID", type=click.IntRange(min=1))
@json_option
@says_what_is_wrong
def payout_show(file: Path, payout_id: int, as_json: bool) -> None:
    """Show one batch: its lines, its transactions, its rows in the ledger."""
    with at_the_counter(file) as counter:
        detail = counter.payout(payout_id)

    def text() -> Iterator[str]:
        row = detail.payout
        yield f"payout {row.id}: {row.state}, {format_btc(row.total_sat)} BTC, {row.confirmations} deep"
        if row.draft is not None:
            yield f"a transaction to {row.draft} waits for signatures"
        for line in detail.lines:
            yield f"line\t{line.account}\t{format_btc(line.amount_sat)} BTC\t{line.address}"
        for each in detail.attempts:
            signed = "signed" if each.is_signed else "given out to be signed"
            yield f"transaction {each.number}\t{each.purpose}, {signed}\t{each.txid}\tfee {each.fee_sat} sat"
        for entry in detail.ledger:
            yield f"ledger\t{entry.key}\t{entry.account}\t{entry.amount_sat}"

    say(as_json, detail, text)


@payout.command("release")
@config_option
@click.argument("payout_id", metavar="ID", type=click.IntRange(min=1))
@json_option
@says_what_is_wrong
def payout_release(file: Path, payout_id: int, as_json: bool) -> None:
    """Give the money of a batch back to its accounts, if nothing of it was signed or what was is dead for good."""
    with at_the_counter(file) as counter:
        row = counter.release(payout_id)
    say(as_json, row, lambda: iter([f"payout {row.id}: released, {format_btc(row.total_sat)} BTC available again"]))


@payout.command("bump")
@config_option
@click.argument("payout_id", metavar="ID", type=click.IntRange(min=1))
@_rate_option
@_newest_option
@json_option
@says_what_is_wrong
def payout_bump(file: Path, payout_id: int, fee_rate: int | None, newest: str, as_json: bool) -> None:
    """Replace the transaction of a batch by one with a higher fee."""
    with at_the_counter(file) as counter:
        drafted = counter.bump(payout_id, fee_rate, newest)
    say(as_json, drafted, lambda: iter([drafted.note]))


@payout.command("cancel")
@config_option
@click.argument("payout_id", metavar="ID", type=click.IntRange(min=1))
@_rate_option
@_newest_option
@json_option
@says_what_is_wrong
def payout_cancel(file: Path, payout_id: int, fee_rate: int | None, newest: str, as_json: bool) -> None:
    """Spend an input of a batch back to the pool; six blocks deep, its money is available again."""
    with at_the_counter(file) as counter:
        drafted = counter.cancel(payout_id, fee_rate, newest)
    say(as_json, drafted, lambda: iter([drafted.note]))


@payout.command("export")
@config_option
@click.argument("payout_id", metavar="ID", type=click.IntRange(min=1))
@click.argument("target", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@json_option
@says_what_is_wrong
def payout_export(file: Path, payout_id: int, target: Path, as_json: bool) -> None:
    """Write the PSBT of a batch that waits for signatures to FILE, for the signer."""
    with at_the_counter(file) as counter:
        psbt = counter.export(payout_id).psbt
        try:
            target.write_text(psbt + "\n", encoding="ascii")
        except OSError as error:
            raise click.ClickException(
                f"{target} cannot be written: {error.strerror}; export it again elsewhere"
            ) from error
    exported = {"payout": payout_id, "file": str(target)}
    say(as_json, exported, lambda: iter([f"payout {payout_id}: sign {target}, then `steppe payout import` it"]))


@payout.command("import")
@config_option
@click.argument("source", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
@says_what_is_wrong
def payout_import(file: Path, source: Path, as_json: bool) -> None:
    """Take a signed PSBT from FILE; refused if it is not what was exported."""
    try:
        psbt = source.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{source} cannot be read as base64 text: {error}") from error
    with at_the_counter(file) as counter:
        row = counter.take_signed(psbt)
    say(as_json, row, lambda: iter([f"payout {row.id}: {row.state}, transaction {row.txid}"]))


@payout.command("status")
@config_option
@json_option
@says_what_is_wrong
def payout_status(file: Path, as_json: bool) -> None:
    """Show whether payouts go on, how many batches are where, and what is wrong with the books and how to mend it."""
    with at_the_counter(file) as counter:
        status = counter.status()

    def text() -> Iterator[str]:
        yield f"payouts are stopped: {status.reason}" if status.is_stopped else "payouts go on"
        for state, count in status.batches.items():
            yield f"{state}\t{count}"
        yield from broken_lines(status.broken)

    say(as_json, status, text)


def broken_lines(found: Iterable[BrokenReport]) -> Iterator[str]:
    for each in found:
        yield f"BROKEN invariant {each.invariant}, {each.title}"
        yield f"  {each.what}"
        yield f"  {each.mend}"


@payout.command("stop")
@config_option
@click.argument("reason")
@json_option
@says_what_is_wrong
def payout_stop(file: Path, reason: str, as_json: bool) -> None:
    """Send nothing more until `resume`; what is on its way is still followed."""
    with at_the_counter(file) as counter:
        switch = counter.switch(is_stopped=True, reason=reason)
    say(as_json, switch, lambda: iter(["payouts are stopped"]))


@payout.command("resume")
@config_option
@click.argument("reason")
@click.option(
    "--nothing-was-paid",
    is_flag=True,
    help="Of books that were restored: you vouch for it, and the wallet is not asked.",
)
@json_option
@says_what_is_wrong
def payout_resume(file: Path, reason: str, nothing_was_paid: bool, as_json: bool) -> None:
    """Let payouts go on, once somebody has looked: REASON says what was found."""
    with at_the_counter(file) as counter:
        switch = counter.switch(is_stopped=False, reason=reason, nothing_was_paid=nothing_was_paid)
    say(as_json, switch, lambda: iter(["payouts go on"]))


@payout.command("foreign")
@config_option
@json_option
@says_what_is_wrong
def payout_foreign(file: Path, as_json: bool) -> None:
    """List what the wallet sent after the backup that the books were restored from, and that they do not know."""
    with at_the_counter(file) as counter:
        found = counter.foreign()

    def text() -> Iterator[str]:
        for payment in found:
            sent = f"{format_btc(payment.paid_sat)} BTC, fee {payment.fee_sat} sat, {payment.confirmations} deep"
            yield f"{payment.txid}\t{sent}"
            for address, amount_sat, accounts in payment.outputs:
                yield f"  {format_btc(amount_sat)} BTC\t{address}\t{' or '.join(accounts) or 'no account'}"
        if not found:
            yield "nothing"

    say(as_json, found, text)


@payout.command("adopt")
@config_option
@click.argument("txid")
@json_option
@says_what_is_wrong
def payout_adopt(file: Path, txid: str, as_json: bool) -> None:
    """Book a transaction of `steppe payout foreign` as the payments that it was."""
    with at_the_counter(file) as counter:
        booked = counter.adopt(txid)
    say(as_json, booked, lambda: iter([f"booked: {format_btc(booked.paid_sat)} BTC paid by {booked.txid}"]))


@payout.command("fund", context_settings={"ignore_unknown_options": True})  # negative amounts begin with -
@config_option
@click.argument("ticket")
@click.argument("satoshi", type=int)
@json_option
@says_what_is_wrong
def payout_fund(file: Path, ticket: str, satoshi: int, as_json: bool) -> None:
    """Book coins that came into the wallet otherwise than by blocks; negative: that left it otherwise than by payouts.

    TICKET names why, once and for ever: the ledger's account is adjust:TICKET.
    """
    with at_the_counter(file) as counter:
        booked = counter.fund(ticket, satoshi)
    say(as_json, booked, lambda: iter([f"booked: {satoshi} satoshi, adjust:{ticket}"]))


def add_account_commands(account: click.Group) -> None:
    """Add those about where and when an account is paid."""
    account.add_command(_address)
    account.add_command(_threshold)


@click.command("address")
@config_option
@click.argument("name")
@click.argument("address", required=False)
@click.option("--cancel", is_flag=True, help="Take back the change that is on hold.")
@json_option
@says_what_is_wrong
def _address(file: Path, name: str, address: str | None, cancel: bool, as_json: bool) -> None:
    """Pay an account at ADDRESS from the end of a hold on; without ADDRESS: show its addresses."""
    if address is not None and cancel:
        raise click.UsageError("give an address, or --cancel")
    with at_the_counter(file) as counter:
        if cancel:
            counter.cancel_address(name)
        elif address is not None:
            counter.change_address(name, address)
        changes = counter.addresses(name)

    def text() -> Iterator[str]:
        for each in changes:
            yield f"{each.address}\tfrom {each.valid_from}{', cancelled' if each.cancelled_ms is not None else ''}"

    say(as_json, changes, text)


@click.command("threshold")
@config_option
@click.argument("name")
@click.argument("satoshi", required=False, type=click.IntRange(1, 2_100_000_000_000_000))
@click.option("--default", "as_default", is_flag=True, help="As payouts.threshold_sat says again.")
@json_option
@says_what_is_wrong
def _threshold(file: Path, name: str, satoshi: int | None, as_default: bool, as_json: bool) -> None:
    """Pay an account once it has SATOSHI; without it: show from when on it is paid."""
    if satoshi is not None and as_default:
        raise click.UsageError("give an amount, or --default")
    with at_the_counter(file) as counter:
        if satoshi is not None or as_default:
            counter.change_threshold(name, satoshi)
        threshold = counter.threshold(name)
    say(as_json, threshold, lambda: iter([f"{name}: {threshold.threshold_sat} satoshi ({threshold.note})"]))
