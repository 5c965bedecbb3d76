"""The command `steppe`."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import cast

import click

from pool import config_file, config_words
from pool.cli_access import access, operator
from pool.cli_accounts import account
from pool.cli_audit import audit, block, withholding
from pool.cli_backup import backup, restore
from pool.cli_books import blocks, export, solvency, statement
from pool.cli_common import EXIT_BAD_CONFIG, Group, config_option, host_and_port, json_option, say, says_what_is_wrong
from pool.cli_completion import completion
from pool.cli_doctor import doctor
from pool.cli_explain import explain
from pool.cli_fleets import FLEET_GROUPS
from pool.cli_maintenance import maintenance
from pool.cli_moves import move
from pool.cli_payouts import payout
from pool.cli_progress import Progress
from pool.cli_reports import report
from pool.cli_scenario import scenario
from pool.cli_schemes import reserve
from pool.cli_stratum import stratum
from pool.cli_top import top
from pool.config import Config
from pool.journal_command import journal


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="steppe")
def main() -> None:
    """A Bitcoin mining pool server for fleets that move."""


@main.command()
@config_option
@click.option(
    "--role",
    type=click.Choice(["work", "stratum", "accounting", "web"]),
    help="Run this role alone, in this process; default: all four, supervised.",
)
@click.option(
    "--process",
    "number",
    type=click.IntRange(min=0),
    default=0,
    help="With --role stratum: which of stratum.processes it is, from 0.",
)
@click.option("--checked", is_flag=True, hidden=True, help="Whoever starts this role has looked at the machine.")
@says_what_is_wrong
def run(file: Path, role: str | None, number: int, checked: bool) -> None:
    """Run the pool."""
    config = config_file.load(file)
    if number and (role != "stratum" or number >= config.stratum.processes):
        raise click.BadParameter(f"there is no process {number} of it", param_hint="--process")
    from pool import service

    if not checked:
        _refuse(service.refusals_of(config))
    if role is not None:
        sys.exit(service.run_role(config, role, number))
    for fact in service.facts(config):
        click.echo(fact)
    sys.exit(service.run_all(config, file.resolve()))


@main.command()
@config_option
@json_option
@says_what_is_wrong
def check(file: Path, as_json: bool) -> None:
    """Check a configuration file, and whether a pool may start with it here; name every mistake."""
    mistakes: list[config_file.Mistake] = []
    refused: list[str] = []
    try:
        config = config_file.load(file)
    except config_file.ConfigurationError as error:
        if not as_json:
            raise
        mistakes = error.mistakes
    else:
        from pool import service

        refused = service.refusals_of(config)
        if not as_json:
            _refuse(refused)
    is_good = not mistakes and not refused
    say(
        as_json,
        {"file": str(file), "is_good": is_good, "mistakes": mistakes, "refused": refused},
        lambda: [f"{file}: good"],
    )
    sys.exit(0 if is_good else EXIT_BAD_CONFIG)


def _refuse(reasons: list[str]) -> None:
    """End with what stands against a start, if something does."""
    for reason in reasons:
        click.echo(reason, err=True)
    if reasons:
        sys.exit(EXIT_BAD_CONFIG)


@main.group(cls=Group)
def config() -> None:
    """The configuration: what there is to set."""


@config.command("sample")
def config_sample() -> None:
    """Print a file with every option, its unit, what is allowed and its default."""
    click.echo(config_words.sample())


@main.command()
@config_option
@click.option(
    "--into",
    metavar="DIR_OR_URL",
    help="A folder, or an empty database, that keeps what was rebuilt; default: a temporary folder.",
)
@click.option(
    "--journal",
    "journals",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    help="A folder that holds journals of other machines; may be given several times.",
)
@json_option
@says_what_is_wrong
def rebuild(file: Path, into: str | None, journals: tuple[Path, ...], as_json: bool) -> None:
    """Compute statistics and ledger again from the journals; exit 0 only if both are what the pool has."""
    loaded: Config = config_file.load(file)
    from payout.ledger import LedgerError
    from payout.ports import LedgerUnavailable
    from pool import operations
    from pool.ports import StoreUnavailable
    from pool.rebuild.journals import RebuildImpossible

    try:
        with Progress("rebuild") as progress:
            report = operations.rebuild(loaded, into, journals, partial(progress.added, what="records"))
    except (RebuildImpossible, LedgerError, LedgerUnavailable, StoreUnavailable, ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    say(as_json, report, report.lines)
    sys.exit(0 if report.identical else 1)


main.add_command(account)
main.add_command(stratum)
main.add_command(operator)
main.add_command(access)
for each in (
    reserve,
    payout,
    audit,
    block,
    withholding,
    blocks,
    statement,
    solvency,
    export,
    explain,
    *FLEET_GROUPS,
):
    main.add_command(each)


main.add_command(journal)
main.add_command(move)
main.add_command(maintenance)
main.add_command(report)
main.add_command(doctor)
main.add_command(top)
main.add_command(completion)
main.add_command(backup)
main.add_command(restore)
main.add_command(scenario)


@main.command()
@click.argument("address", metavar="HOST:PORT")
@click.option("-u", "--user", required=True, help="ACCOUNT or ACCOUNT.WORKER")
@click.option("-p", "--password", default="x", show_default=True, help="Such as d=8, a difficulty to begin with.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Hashes per second at most.")
@click.option("--shares", type=click.IntRange(min=1), help="End after so many accepted shares.")
def miner(address: str, user: str, password: str, rate: float | None, shares: int | None) -> None:
    """Mine on the CPU, over real Stratum v1."""
    from pool import miner as cpu
    from pool.supervisor import stop_signals

    host, port = host_and_port(address)
    with stop_signals() as stop:
        try:
            cpu.mine(
                host.strip("[]"),
                int(port),
                user,
                password,
                rate_hps=rate,
                shares=shares,
                say=click.echo,
                stop=stop,
            )
        except cpu.MinerError as error:
            raise click.ClickException(str(error)) from error


@main.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option
def vectors(file: Path, as_json: bool) -> None:
    """Run the worked payout examples of a file, one line each."""
    from payout import vectors as worked

    try:
        results = list(worked.run(file))
    except worked.BadFile as error:
        raise click.ClickException(str(error)) from error
    failed = sum(not result.passed for result in results)
    counts = f"{len(results) - failed} passed, {failed} failed"
    say(as_json, results, lambda: [*map(str, results), counts])
    sys.exit(1 if failed else 0)


@main.command()
@click.option(
    "--chain",
    type=click.Choice(["signet", "regtest"]),
    default="signet",
    show_default=True,
    help="A chain of its own, of that kind.",
)
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Kept afterwards; default: a temporary one.",
)
@click.option("--stratum-port", type=click.IntRange(1, 65535), help="Default: 3333, or a free one.")
@click.option("--http-port", type=click.IntRange(1, 65535), help="Default: 8080, or a free one.")
@click.option("--no-miner", is_flag=True, help="Do not start the bundled miner; point your own at the port.")
@click.option("--difficulty", type=click.FloatRange(min=1e-9), help="Share difficulty; default fits the chain.")
@click.option(
    "--blocks",
    type=click.IntRange(min=1),
    help="End well once so many blocks are accepted, matured and credited.",
)
def demo(
    chain: str,
    data_dir: Path | None,
    stratum_port: int | None,
    http_port: int | None,
    no_miner: bool,
    difficulty: float | None,
    blocks: int | None,
) -> None:
    """Run the whole pool on a private chain, with a miner."""
    from pool import demo as show
    from pool.node.private import PrivateChain

    options = show.Options(
        chain=cast(PrivateChain, chain),
        data_dir=data_dir,
        stratum_port=stratum_port,
        http_port=http_port,
        miner=not no_miner,
        difficulty=difficulty,
        blocks=blocks,
    )
    try:
        show.run(options, say=click.echo)
    except show.DemoFailed as error:
        raise click.ClickException(str(error)) from error
