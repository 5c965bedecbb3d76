"""The commands `steppe report`: what owners and hosts of fleets are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pool.cli_books import books_of
from pool.cli_common import Group, config_option, json_option, say, says_what_is_wrong
from pool.fleet.facts import FleetRefused
from pool.fleet.times import parse_time
from pool.reports.asked import Asked, Report
from pool.reports.document import html, text
from pool.reports.facts import ReportRefused
from pool.reports.papers import paper_of


class _Moment(click.ParamType[int]):
    """A time with its offset, as Unix milliseconds."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return parse_time(value)
        except FleetRefused as refused:
            self.fail(str(refused), param, ctx)


@click.group(cls=Group)
def report() -> None:
    """Reports about fleets, out of the books: for a terminal, as JSON, or as a page that prints."""


_TIMES = (
    click.Option(["--from", "from_ms"], type=_Moment(), help="Its first moment."),
    click.Option(["--to", "to_ms"], type=_Moment(), help="The first moment that is not in it; default: now."),
    click.Option(["--known", "known_ms"], type=_Moment(), help="As it was known at a time."),
)
_MARKS = (
    click.Option(["--off", "off_ms"], type=_Moment(), help="Of a fleet without a move: when it went dark."),
    click.Option(["--on", "on_ms"], type=_Moment(), help="Of a fleet without a move: when all of it was back."),
)


def _command(which: Report, argument: click.Argument, summary: str, *options: click.Option) -> None:
    @config_option
    @json_option
    @click.option("--html", "page", type=click.Path(dir_okay=False, path_type=Path), help="Write a page that prints.")
    @says_what_is_wrong
    def command(file: Path, as_json: bool, page: Path | None, name: str, **times: int | None) -> None:
        _tell(file, Asked(which, name, **times), as_json, page)

    made = click.command(which.value, help=summary)(command)
    made.params = [argument, *options, *made.params]
    report.add_command(made)


def _tell(file: Path, asked: Asked, as_json: bool, page: Path | None) -> None:
    from pool.ports import StoreUnavailable
    from pool.roles.clock import SystemClock
    from pool.roles.redis_link import open_redis
    from pool.roles.reports import Reports

    now_ms = SystemClock().time_ms()
    with books_of(file) as (config, engine):
        try:
            made = Reports(engine, now_ms, asked.known_ms).make(
                asked, lambda: open_redis(config).read_workers(now_ms), config.fleet.rack_rule
            )
        except (ReportRefused, StoreUnavailable) as error:
            raise click.ClickException(str(error)) from error
    paper = paper_of(made)
    if page is not None:
        try:
            page.write_text(html(paper), encoding="utf-8")
        except OSError as error:
            raise click.ClickException(f"{page} cannot be written: {error.strerror}") from error
        if not as_json:
            click.echo(page)
            return
    say(as_json, made, lambda: text(paper))


_command(
    Report.RELOCATION,
    click.Argument(["name"], metavar="MOVE|FLEET"),
    "Before, during and after: a move by its name; or ACCOUNT/FLEET, or ACCOUNT, with --off and --on.",
    *_MARKS,
    *_TIMES,
)
_command(
    Report.COMMISSIONING,
    click.Argument(["name"], metavar="[FLEET]", default=""),
    "How far the batches of ACCOUNT/FLEET, of an ACCOUNT or of all are; measured over the last day.",
    *_TIMES,
)
_command(
    Report.POWER,
    click.Argument(["name"], metavar="[SITE]", default=""),
    "What machines draw by hour, against capacity and reservations; the last day.",
    *_TIMES,
)
_command(
    Report.DOWNTIME,
    click.Argument(["name"], metavar="[FLEET]", default=""),
    "What machines in the dark did not earn, by cause; of ACCOUNT/FLEET, an ACCOUNT or all; the last 30 days.",
    *_TIMES,
)
_command(
    Report.SLA,
    click.Argument(["name"], metavar="CONTRACT"),
    "The uptime under a contract; the clock stands in announced windows; the last 30 days.",
    *_TIMES,
)
_command(
    Report.WEAK,
    click.Argument(["name"], metavar="[FLEET]", default=""),
    "Machines below nine tenths of nominal, beyond what luck explains, as of now.",
)
