"""The commands that play a whole case: `steppe scenario`."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import click

from pool.cli_common import Group, json_option, say
from pool.cli_progress import Progress


@click.group(cls=Group)
def scenario() -> None:
    """Whole cases, played through by the pool itself, with a report."""


@scenario.command("live-move")
@click.option("--machines", type=click.IntRange(16, 1000), default=320, show_default=True, help="That move.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for the report: summary.txt, summary.json, arrivals.svg.",
)
@click.option(
    "--chain",
    type=click.Choice(["regtest", "signet"]),
    default="regtest",
    show_default=True,
    help="A chain of its own: on regtest each share is a block, on signet one in 560.",
)
@click.option("--pace", default="10%/6s", show_default=True, help="Of the waves, as in `steppe move plan`.")
@click.option(
    "--deaf-percent",
    type=click.IntRange(0, 50),
    default=5,
    show_default=True,
    help="Of the machines: those that ignore the redirect.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of what the machines do.")
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Books, journals and logs, kept afterwards; must be empty. Default: a temporary one.",
)
@json_option
def live_move(
    machines: int, out: Path, chain: str, pace: str, deaf_percent: int, seed: int, data_dir: Path | None, as_json: bool
) -> None:
    """Move a fleet from one region to another: real processes, connections and hashing on a private chain."""
    from pool.scenario import live_move as play
    from pool.scenario.chains import CHAINS
    from pool.scenario.live_move_report import words
    from pool.scenario.two_regions import ScenarioFailed, Stopped

    options = play.Options(machines, out, seed, pace, data_dir, deaf_percent, CHAINS[chain])
    try:
        report = play.run(options, say=partial(click.echo, err=as_json))
    except ScenarioFailed as error:
        raise click.ClickException(str(error)) from error
    except Stopped as stopped:
        raise click.ClickException("stopped before its end; nothing was written") from stopped
    say(as_json, report, lambda: ["", *words(report)])
    if not report.is_good:
        raise click.ClickException(f"what was found is not what must be: see {out / 'summary.txt'}")


@scenario.command("bit-mining-2021")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="A new or empty folder for journal, ledgers, reports and the picture.",
)
@click.option("--seed", type=click.IntRange(0), default=2021, show_default=True, help="Same seed, same bytes.")
@click.option(
    "--scale",
    type=click.IntRange(1, 200),
    default=1,
    show_default=True,
    help="One machine for so many, as fast as they together: quicker, with fewer shares.",
)
@json_option
def bit_mining(out: Path, seed: int, scale: int, as_json: bool) -> None:
    """BIT Mining's move from Sichuan in 2021, at true scale through journal, accounting and ledger."""
    from pool.scenario.bit_mining.case import case_of
    from pool.scenario.bit_mining.figures import words
    from pool.scenario.bit_mining.output import OutRefused, run

    try:
        with signals_as_ctrl_c() as stop_if_asked, Progress("playing June to August 2021") as progress:

            def tell(part: float) -> None:
                stop_if_asked()
                progress(part)

            told = run(case_of(seed, scale), out, tell)
    except (OutRefused, OSError) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt as stopped:
        raise click.ClickException("stopped before its end; nothing was written") from stopped
    say(as_json, told, lambda: words(told))
    click.echo(f"everything is in {out}", err=True)


@contextlib.contextmanager
def signals_as_ctrl_c() -> Iterator[Callable[[], None]]:
    """Within: the first of SIGINT, SIGTERM and SIGHUP raises KeyboardInterrupt, so that whoever began something removes
    it; those that follow do nothing, or they would end that halfway.

    What it raised is lost where somebody keeps every exception, as a Deferred does around the journal's fdatasync, and
    where objects are destroyed: to call what is given raises it again then.
    """
    was_asked = False

    def stop(_number: int, _frame: object) -> None:
        nonlocal was_asked
        was_asked = True
        for number in before:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    def stop_if_asked() -> None:
        if was_asked:
            raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: old for number in numbers if (old := signal.getsignal(number)) is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, stop)
    try:
        yield stop_if_asked
    finally:
        for number, old in before.items():
            signal.signal(number, old)
