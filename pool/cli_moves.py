"""The commands about planned moves: `steppe move`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pool import config_file
from pool.cli_common import Group, Instant, config_option, json_option, say, says_what_is_wrong
from pool.cli_logged import logged
from pool.fleet.pace import DEFAULT_PACE

if TYPE_CHECKING:
    from pool.fleet.move import Step
    from pool.fleet.planning import Planned
    from pool.fleet.report import MoveReport
    from pool.roles.dispatch import Dispatch

_MINUTE_MS = 60_000
_LISTED_MAX = 40

_reason_option = click.option("--reason", default="", help="Why; it is kept with the order.")
_key_option = click.option("--key", default="", help="A name of this order: given twice, it is done once.")
_name_argument = click.argument("name")


@contextmanager
def _dispatch(file: Path) -> Iterator[Dispatch]:
    """What is refused there ends the command with its reason."""
    loaded = config_file.load(file)
    from payout.ports import LedgerUnavailable
    from pool.fleet.move import MoveRefused
    from pool.ports import StoreUnavailable
    from pool.roles.dispatch import open_dispatch

    try:
        with logged(loaded), open_dispatch(loaded) as dispatch:
            yield dispatch
    except (MoveRefused, LedgerUnavailable, StoreUnavailable) as error:
        raise click.ClickException(str(error)) from error


@click.group(cls=Group)
def move() -> None:
    """Planned moves: a fleet goes from one region's endpoint to another's, in waves."""


@move.command("plan")
@config_option
@_name_argument
@click.option("--account", default="", help="Whose machines; a draft says it.")
@click.option("--workers", "pattern", default="", help="Which: a pattern, as sc-*; default: all, or as a draft says.")
@click.option("--from", "origin", default="", metavar="SITE", help="Where they are; a draft says it.")
@click.option("--to", "target", required=True, metavar="SITE", help="Where they go.")
@click.option("--from-endpoint", default="", metavar="HOST:PORT", help="Default: as the region's stratum roles say.")
@click.option("--to-endpoint", default="", metavar="HOST:PORT", help="Likewise.")
@click.option("--pace", default=DEFAULT_PACE, show_default=True, help="20/min, or waves of a part of all: 10%/30s.")
@click.option("--deadline", type=Instant(), help="When the old site goes dark; default: as its next notice says.")
@click.option("--on", "planned_on", type=Instant(), help="When all should mine at the new one; default: the deadline.")
@click.option("--tolerance", type=click.IntRange(0, 525_600), default=60, show_default=True, help="Minutes until late.")
@click.option("--start", type=Instant(), help="Begin by itself then; default: by `steppe move start`.")
@click.option(
    "--wait",
    "wait_seconds",
    type=click.IntRange(0, 600),
    default=0,
    show_default=True,
    help="Seconds that machines are asked to wait before they go.",
)
@click.option(
    "--grace",
    "grace_seconds",
    type=click.IntRange(1, 3600),
    default=10,
    show_default=True,
    help="Seconds until who did not go is reset.",
)
@click.option("--words", default="", help="The notice in its own words and zone, for the record.")
@click.option("--dry-run", is_flag=True, help="Keep nothing; list who would be told what, and when.")
@json_option
@says_what_is_wrong
def plan(
    file: Path,
    name: str,
    account: str,
    pattern: str,
    origin: str,
    target: str,
    from_endpoint: str,
    to_endpoint: str,
    pace: str,
    deadline: int | None,
    planned_on: int | None,
    tolerance: int,
    start: int | None,
    wait_seconds: int,
    grace_seconds: int,
    words: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Plan a move: one that a notice opened (`steppe move list` has its name), or a new one. Nobody is told anything
    before it starts."""
    from pool.fleet.planning import Asked
    from pool.roles.dispatch import this_person

    asked = Asked(
        name=name,
        account=account,
        pattern=pattern,
        origin=origin,
        target=target,
        origin_endpoint=from_endpoint,
        target_endpoint=to_endpoint,
        pace=pace,
        deadline_ms=deadline,
        planned_on_ms=planned_on,
        tolerance_ms=tolerance * _MINUTE_MS,
        start_ms=start,
        wait_seconds=wait_seconds,
        grace_seconds=grace_seconds,
        words=words,
    )
    with _dispatch(file) as dispatch:
        planned = dispatch.plan(asked, this_person(), keep=not dry_run)
    say(as_json, planned, lambda: _due_text(planned, to_target=True, every=dry_run))


@move.command("list")
@config_option
@json_option
@says_what_is_wrong
def list_moves(file: Path, as_json: bool) -> None:
    """List all moves, newest first."""
    with _dispatch(file) as dispatch:
        reports = dispatch.every()
    say(as_json, reports, lambda: map(_line, reports))


@move.command("show")
@config_option
@_name_argument
@click.option("--machines", "with_machines", is_flag=True, help="Every machine, too.")
@json_option
@says_what_is_wrong
def show(file: Path, name: str, with_machines: bool, as_json: bool) -> None:
    """Show a move: how many machines are where, and the stragglers by rack."""
    with _dispatch(file) as dispatch:
        report, machines = dispatch.show(name)

    def text() -> Iterator[str]:
        yield _line(report)
        if report.target is not None:
            yield f"deadline {_at(report.deadline_ms)}, late from {_at(report.late_ms)}"
        for rack in report.racks:
            counts = ", ".join(f"{count} {what}" for what, count in rack.counts.items() if count)
            yield f"rack {rack.rack or '(no name)'}\t{counts}"
            yield from (f"  straggler\t{login}" for login in rack.stragglers)
            yield from (f"  in transit\t{login}" for login in rack.gone)
        yield from (f"at both ends\t{login}" for login in report.twice)
        for event in report.events:
            yield f"{_at(event.time_ms)}\t{event.step.value} by {event.actor}\t{event.reason}".rstrip()
        if with_machines:
            for each in machines:
                told = "-" if each.told_ms is None else _at(each.told_ms)
                arrived = "-" if each.arrived_ms is None else _at(each.arrived_ms)
                yield f"{each.login}\t{each.status}\ttold {told}\tarrived {arrived}"

    say(as_json, {"move": report, "machines": machines} if with_machines else report, text)


def _order(name: str, step_name: str, text: str, *, dry: str = "", forces: bool = False) -> None:
    """Add a command that orders a step. dry: which dry run it has."""

    def command(
        file: Path, name: str, reason: str, key: str, as_json: bool, dry_run: bool = False, force: bool = False
    ) -> None:
        from pool.fleet.move import Step
        from pool.roles.dispatch import this_person

        step: Step = Step[step_name]
        with _dispatch(file) as dispatch:
            if dry_run:
                planned = dispatch.due_back(name) if dry == "back" else dispatch.due(name)
                say(as_json, planned, lambda: _due_text(planned, to_target=dry != "back", every=True))
                return
            after = dispatch.step(name, step, this_person(), reason, key=key, force=force)
        say(as_json, {"move": name, "state": after.value}, lambda: iter([f"move {name}: {after.value}"]))

    command.__doc__ = text
    options = [config_option, _name_argument, _reason_option, _key_option, json_option]
    if dry:
        options.append(
            click.option("--dry-run", is_flag=True, help="Change nothing; list who would be told, and when.")
        )
    if forces:
        options.append(click.option("--force", is_flag=True, help="Though machines have not arrived."))
    decorated: Any = says_what_is_wrong(command)
    for option in options:
        decorated = option(decorated)
    move.command(name)(decorated)


_order("start", "START", "Begin: from now on machines are told to go.", dry="there")
_order("pause", "PAUSE", "Tell nobody more, and reset nobody, until `resume`.")
_order("resume", "RESUME", "Go on where it was paused.", dry="there")
_order("rollback", "ROLL_BACK", "Send back, in waves, who was told to go.", dry="back")
_order("close", "CLOSE", "Say that it is done; drop a draft, with --reason.", forces=True)


@move.command("strays")
@config_option
@json_option
@says_what_is_wrong
def strays(file: Path, as_json: bool) -> None:
    """List workers that came on in another region without a move; changes of their accounts' addresses are held."""
    with _dispatch(file) as dispatch:
        found = dispatch.strays()

    def text() -> Iterator[str]:
        for each in found:
            yield f"{each.login}\tfrom {each.from_region} to {each.to_region}\t{_at(each.seen_ms)}"
        yield f"{len(found)} workers"

    say(as_json, found, text)


@move.command("confirm")
@config_option
@click.argument("account")
@json_option
@says_what_is_wrong
def confirm(file: Path, account: str, as_json: bool) -> None:
    """Say that an account's workers are where they should be; its address may be changed again."""
    from pool.roles.dispatch import this_person

    with _dispatch(file) as dispatch:
        found = dispatch.confirm(account, this_person())
    say(as_json, found, lambda: iter([f"{account}: {len(found)} workers confirmed"]))


def _due_text(planned: Planned, *, to_target: bool, every: bool) -> Iterator[str]:
    plan = planned.plan
    to = plan.target if to_target else plan.origin
    shown = planned.due if every else planned.due[:_LISTED_MAX]
    for each in shown:
        told = f"client.reconnect {to.host} {to.port} {plan.wait_seconds}"
        yield f"{_at(each.at_ms)}\t{each.rack or '-'}\t{each.login}\t{told}"
    if len(shown) < len(planned.due):
        yield f"... and {len(planned.due) - len(shown)} more: --dry-run lists all"
    if planned.note:
        yield f"note: {planned.note}"
    last = f", the last at {_at(planned.due[-1].at_ms)}" if planned.due else ""
    kept = "planned" if planned.is_kept else "dry run, nothing is kept"
    yield f"move {planned.name}: {len(planned.due)} machines{last}; deadline {_at(plan.deadline_ms)}; {kept}"


def _line(report: MoveReport) -> str:
    counts = ", ".join(f"{count} {what}" for what, count in report.counts.items() if count)
    late = f", {report.late} LATE" if report.late else ""
    told = f"{report.machines} machines: {counts}{late}" if counts else "no machines"
    line = f"{report.name}\t{report.state}\t{report.way}\t{told}"
    if report.target is None:
        line += f"\tworkers {report.pattern} of {report.account}, power ends at {_at(report.deadline_ms)}"
    elif report.notice_ms is not None and report.notice_ms != report.deadline_ms:
        line += f"\tpower ends at {_at(report.notice_ms)} by the newest notice, the plan says {_at(report.deadline_ms)}"
    if report.lacks:
        line += f"; lacks {', '.join(report.lacks)}: `steppe move plan {report.name} --to SITE`"
    return line


def _at(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
