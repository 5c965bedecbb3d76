"""The commands about fleets: each kind of fact is entered by one, with an argument or option for each of its fields."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pool import config_file
from pool.bitcoin.amount import format_btc
from pool.cli_common import Group, config_option, json_option, say, says_what_is_wrong
from pool.cli_logged import logged
from pool.fleet.cells import columns, is_required, write_cell
from pool.fleet.facts import Fact, FleetRefused
from pool.fleet.kinds import KINDS, kind_of
from pool.fleet.times import parse_time
from pool.fleet.views import GROUPS, rows, view

if TYPE_CHECKING:
    from pool.roles.fleets import Entered, FleetDesk

_WHEN = ("valid_from", "valid_to", "source")


@contextmanager
def _desk(file: Path) -> Iterator[FleetDesk]:
    """What is refused there ends the command with its reason."""
    loaded = config_file.load(file)
    from payout.ledger import LedgerError
    from payout.ports import LedgerUnavailable
    from pool.ports import StoreUnavailable
    from pool.roles.fleets import open_fleets
    from pool.store.fleets import EntriesRefused

    try:
        with logged(loaded), open_fleets(loaded) as desk:
            yield desk
    except (FleetRefused, EntriesRefused, LedgerError, LedgerUnavailable, StoreUnavailable, OSError) as error:
        raise click.ClickException(str(error)) from error


@click.group(cls=Group)
def fleet() -> None:
    """Fleets: whose machines there are; a whole fleet as CSV."""


@click.group(cls=Group)
def site() -> None:
    """Sites: where power is, how much, and what happens to it."""


@click.group(cls=Group)
def contract() -> None:
    """Contracts: who shares in what a fleet earns; energy, and what it costs."""


@click.group(cls=Group)
def batch() -> None:
    """Batches of machines: of which model, and how many are how far."""


@click.group(cls=Group)
def assign() -> None:
    """Assignments: which workers belong to which fleet, site and contract, from when on."""


def _entering(kind_name: str, summary: str) -> click.Command:
    """The command that enters a kind of fact."""
    kind = KINDS[kind_name]
    own = [name for name in columns(kind) if name not in _WHEN]
    arguments: list[click.Parameter] = [click.Argument([name]) for name in own if is_required(kind, name)]
    options = [
        click.Option([f"--{name.replace('_', '-')}", name], default="", help=_HELP.get(name, ""))
        for name in own
        if not is_required(kind, name)
    ]

    @config_option
    @json_option
    @click.option("--from", "valid_from", default="", help="Since when; default: now, or as soon as can be.")
    @click.option("--until", "valid_to", default="", help="Until when; default: until something follows.")
    @click.option("--source", default="", help="Who says so.")
    @says_what_is_wrong
    def enter(file: Path, as_json: bool, **cells: str) -> None:
        with _desk(file) as desk:
            entered = desk.enter_cells(kind_name, cells)
        _show_entered(entered, as_json)

    command = click.command(help=summary)(enter)
    command.params = [*arguments, *options, *command.params]
    return command


def _listing(group_name: str) -> click.Command:
    """The command that shows a group."""

    @click.command("list")
    @config_option
    @json_option
    @click.option("--at", default="", help="Only what holds at a time.")
    @click.option("--known", default="", help="As it was known at a time.")
    @says_what_is_wrong
    def listing(file: Path, as_json: bool, at: str, known: str) -> None:
        """Show the rows with their numbers."""
        with _desk(file) as desk:
            valid_ms, recorded_ms = (parse_time(text) if text else None for text in (at, known))
            found = rows(desk.register(), GROUPS[group_name], valid_ms, recorded_ms)
        _show(found, as_json, "nothing is known")

    return listing


def _ending(kind_name: str) -> click.Command:
    """The command that ends a row."""

    @click.command("end")
    @config_option
    @json_option
    @click.argument("number", type=click.IntRange(1))
    @click.argument("time")
    @click.option(
        "--kind",
        type=click.Choice(list(KINDS)),
        default=kind_name,
        show_default=True,
        help="Of the row of that number.",
    )
    @click.option("--source", default="", help="Who says so.")
    @says_what_is_wrong
    def ending(file: Path, as_json: bool, number: int, time: str, kind: str, source: str) -> None:
        """Let a row end at a time; at its own beginning, so that it never held."""
        with _desk(file) as desk:
            entered = desk.end(KINDS[kind], number, parse_time(time), source)
        _show_entered(entered, as_json)

    return ending


def _show_entered(entered: Entered, as_json: bool) -> None:
    _show(entered.facts, as_json, "known already")
    for line in entered.moves:
        click.echo(line, err=True)


def _show(facts: list[Fact], as_json: bool, nothing: str) -> None:
    def text() -> Iterator[str]:
        for fact in facts:
            cells = [f"{name}={write_cell(fact, name)}" for name in columns(type(fact))]
            said = "  ".join(cell for cell in cells if not cell.endswith("="))
            slice_id = getattr(fact, "slice_id", 0)
            yield f"{kind_of(fact)} {fact.row_id}" + (f" (slice {slice_id})" if slice_id else "") + f"  {said}"
        if not facts:
            yield nothing

    say(as_json, [view(fact) for fact in facts], text)


@fleet.command("import")
@config_option
@json_option
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@says_what_is_wrong
def fleet_import(file: Path, as_json: bool, folder: Path) -> None:
    """Record what the CSV files of a folder say: all of it, or nothing."""
    with _desk(file) as desk:
        entered = desk.import_from(folder)
    _show_entered(entered, as_json)


@fleet.command("export")
@config_option
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@json_option
@says_what_is_wrong
def fleet_export(file: Path, folder: Path, as_json: bool) -> None:
    """Write all that is known into CSV files of a folder."""
    with _desk(file) as desk:
        written = [str(folder / name) for name in desk.export_to(folder)]
    say(as_json, {"files": written}, lambda: written)


@fleet.command("unmatched")
@config_option
@json_option
@says_what_is_wrong
def fleet_unmatched(file: Path, as_json: bool) -> None:
    """Show workers at work that no assignment of their account fits: they are paid, but belong nowhere."""
    with _desk(file) as desk:
        found = desk.unmatched()
    say(as_json, found, lambda: (f"{each.account}\t{each.worker}" for each in found))


@contract.command("charge")
@config_option
@json_option
@says_what_is_wrong
def contract_charge(file: Path, as_json: bool) -> None:
    """Charge the readings of meters, and take from balances what they cover; the rest are invoices."""
    with _desk(file) as desk:
        done = desk.charge()

    def text() -> Iterator[str]:
        yield f"{done.new} new charges, {format_btc(done.posted_sat)} BTC taken"
        for each in done.open:
            yield f"invoice {each.id}\t{each.account}\tto {each.party}\t{format_btc(each.open_sat)} BTC"

    say(as_json, done, text)


_HELP = {
    "steps": "Such as `net 500 host; share @owner 80 partner 20`; default: all is the owner's.",
    "reason": "Why fewer machines are so far than before.",
    "batch": "ACCOUNT/FLEET/BATCH.",
    "contract": "Its name; default: none, all is the account's.",
    "site": "Where it holds; default: anywhere.",
    "announced": "When it was said.",
    "wording": "As it was said, in local words.",
    "reserved_w": "Watts that are paid for, used or not.",
    "planned": "When it is to hash.",
    "region": "Of the stratum endpoint that serves it.",
    "host": "Who runs it.",
    "price_minor": "What all of them cost, in minor units of the currency.",
    "currency": "Of the price, as USD.",
    "ordered": "Machines that are ordered; likewise below, each machine once.",
    "in_transit": "On their way.",
    "delivered": "At the site, not installed.",
    "installed": "Installed, not hashing.",
    "hashing": "At work.",
    "retired": "Not coming back.",
    "time_zone": "Of that wording, as Asia/Shanghai.",
    "price_from": "Only for energy that costs at least so much a kWh.",
    "price_to": "Only for energy that costs less than so much a kWh.",
}

_ENTERED = (
    (fleet, "add", "fleet", "Enter a fleet, as ACCOUNT/FLEET."),
    (site, "add", "site", "Enter a site."),
    (site, "capacity", "capacity", "Say how many watts a site has, from a time on."),
    (site, "event", "site_event", "Say what happens to a site: --from when it is effective."),
    (site, "levy", "levy", "Say what a country takes on energy, in minor units per kWh."),
    (contract, "add", "contract", "Enter a contract. It is never changed, only ended and followed."),
    (contract, "tariff", "tariff", "Say what energy costs, in minor units per kWh, and who gets that."),
    (contract, "reading", "reading", "Enter what a meter counted in a period, in Wh."),
    (contract, "rate", "rate", "Say what a minor unit of a currency is worth, in satoshi."),
    (batch, "model", "model", "Enter a model of machines, by its GH/s and W."),
    (batch, "add", "batch", "Enter a batch, as ACCOUNT/FLEET/BATCH; the GH/s are of all its machines."),
    (batch, "count", "count", "Say how many machines of a batch are how far."),
    (assign, "add", "assignment", "Assign the workers of an account that a pattern fits, such as kz-*."),
)

for _group, _verb, _kind, _summary in _ENTERED:
    _group.add_command(_entering(_kind, _summary), _verb)
for _group, _shown, _kind in (
    (fleet, "fleets", "fleet"),
    (site, "sites", "site"),
    (contract, "contracts", "contract"),
    (batch, "batches", "batch"),
    (assign, "assignments", "assignment"),
):
    _group.add_command(_listing(_shown))
    _group.add_command(_ending(_kind))

FLEET_GROUPS = (fleet, site, contract, batch, assign)
