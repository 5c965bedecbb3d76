"""The commands about how accounts are paid: their plans, and the reserve of pay per share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pool import config_file
from pool.bitcoin.amount import format_btc
from pool.cli_common import Group, Instant, config_option, json_option, say, says_what_is_wrong
from pool.cli_logged import logged

if TYPE_CHECKING:
    from payout.desk_views import AccountView
    from payout.reserve import Standing
    from pool.roles.plans import PlanDesk

SCHEMES = ("pplns", "pps", "fpps", "pps_plus", "solo")


@contextmanager
def _desk(file: Path) -> Iterator[PlanDesk]:
    """What is refused there ends the command with its reason."""
    loaded = config_file.load(file)
    from payout.accounts import AccountRefused
    from payout.ports import LedgerUnavailable
    from payout.treasury import ReserveRefused
    from pool.roles.plans import open_desk

    try:
        with logged(loaded), open_desk(loaded) as desk:
            yield desk
    except (AccountRefused, ReserveRefused, LedgerUnavailable) as error:
        raise click.ClickException(str(error)) from error


def add_plan_commands(account: click.Group) -> None:
    """Add those about one account."""
    account.add_command(_add)
    account.add_command(_plan)
    account.add_command(_show)


@click.command("add")
@config_option
@click.argument("name")
@click.option("--scheme", type=click.Choice(SCHEMES), help="Default: the file's default_scheme.")
@click.option("--fee-bps", type=click.IntRange(0, 10_000), help="Default: the file's default_fee_bps.")
@click.option("--address", help="Where the account is paid.")
@json_option
@says_what_is_wrong
def _add(file: Path, name: str, scheme: str | None, fee_bps: int | None, address: str | None, as_json: bool) -> None:
    """Register an account before its first share."""
    with _desk(file) as desk:
        desk.add(name, scheme, fee_bps, address)
    say(as_json, {"account": name}, lambda: iter([f"{name}: added"]))


@click.command("plan")
@config_option
@click.argument("name")
@click.option("--scheme", type=click.Choice(SCHEMES), help="Default: as it is.")
@click.option("--fee-bps", type=click.IntRange(0, 10_000), help="In hundredths of a percent; default: as it is.")
@click.option(
    "--from", "from_ms", type=Instant(), metavar="TIME", help="As 2026-12-01T00:00Z; default: in a minute or two."
)
@click.option("--cancel", is_flag=True, help="Take back the change that is planned.")
@json_option
@says_what_is_wrong
def _plan(
    file: Path, name: str, scheme: str | None, fee_bps: int | None, from_ms: int | None, cancel: bool, as_json: bool
) -> None:
    """Change scheme or fee of an account from a time on; without a change: show its plans.

    Shares keep the plan that was in force when they were accepted, and so does what they earn.
    """
    changes = scheme is not None or fee_bps is not None
    if cancel and (changes or from_ms is not None):
        raise click.UsageError("give a change, or --cancel")
    if from_ms is not None and not changes:
        raise click.UsageError("--from without --scheme or --fee-bps changes nothing")
    with _desk(file) as desk:
        if cancel:
            desk.cancel_plan(name)
        elif changes:
            desk.change_plan(name, scheme, fee_bps, from_ms)
        view = desk.account(name)
    say(as_json, view.plans, lambda: _plan_lines(view))


@click.command("show")
@config_option
@click.argument("name")
@json_option
@says_what_is_wrong
def _show(file: Path, name: str, as_json: bool) -> None:
    """Show an account: its plans, what it has, and how its new shares count."""
    with _desk(file) as desk:
        view = desk.account(name)

    def text() -> Iterator[str]:
        yield f"account {view.name}, since {view.created}"
        yield from _plan_lines(view)
        if view.paid_as != view.scheme:
            yield f"new shares count as {view.paid_as}: the reserve of pay per share was used up"
        yield (
            f"available {format_btc(view.available_sat)} BTC, immature {format_btc(view.immature_sat)} BTC, "
            f"on its way {format_btc(view.reserved_sat)} BTC"
        )
        yield f"earned per share and not yet in the ledger: {view.pps_psat} picosatoshi"

    say(as_json, view, text)


def _plan_lines(view: AccountView) -> Iterator[str]:
    for each in view.plans:
        yield f"{each.state}\t{each.scheme}\t{each.fee_bps} bps\tfrom {each.valid_from}"


@click.group(cls=Group)
def reserve() -> None:
    """The reserve that pay per share is paid from."""


@reserve.command("show")
@config_option
@json_option
@says_what_is_wrong
def reserve_show(file: Path, as_json: bool) -> None:
    """Show what the reserve holds, and what it should hold."""
    with _desk(file) as desk:
        found = desk.reserve()

    def text() -> Iterator[str]:
        yield from _standing_lines(found.standing)
        for stop in found.stops:
            yield f"{'stopped' if stop.is_stopped else 'went on'} from jobs of height {stop.from_height}: {stop.reason}"

    say(as_json, found, text)


@reserve.command("fund")
@config_option
@click.argument("ticket")
@click.argument("satoshi", type=int)
@click.option("--from-fees", is_flag=True, help="The coins are fees that the pool has earned, not new ones.")
@json_option
@says_what_is_wrong
def reserve_fund(file: Path, ticket: str, satoshi: int, from_fees: bool, as_json: bool) -> None:
    """Book coins that came into the wallet for the reserve; negative: that were taken out of it.

    TICKET names why, once and for ever.
    """
    with _desk(file) as desk:
        found = desk.fund(ticket, satoshi, from_fees)
    say(as_json, {"level": found.level, "standing": found}, lambda: _standing_lines(found))


@reserve.command("resume")
@config_option
@click.argument("reason")
@json_option
@says_what_is_wrong
def reserve_resume(file: Path, reason: str, as_json: bool) -> None:
    """Pay per share again after the reserve was used up, once it is funded."""
    with _desk(file) as desk:
        decided = desk.resume(reason)
    say(
        as_json,
        decided,
        lambda: iter([f"from jobs of height {decided.from_height} on shares are paid for again"]),
    )


def _standing_lines(found: Standing) -> Iterator[str]:
    yield f"{found.level.value}: {format_btc(found.held_sat)} BTC held"
    if found.margin_bps is None:
        yield "nobody is paid per share"
        return
    yield f"a block is worth {format_btc(found.block_sat)} BTC, the margin is {found.margin_bps} bps"
    for what, limit_sat in (("an alarm", found.alarm_sat), ("no account more", found.close_sat)):
        yield f"{what} below {'any amount' if limit_sat is None else format_btc(limit_sat) + ' BTC'}"
    yield f"nothing per share at {format_btc(found.floor_sat)} BTC"
