"""The command `steppe doctor`."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from pool import config_file
from pool.cli_common import config_option, says_what_is_wrong

EXIT_BAD = 1
EXIT_WARNING = 2


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@says_what_is_wrong
def doctor(file: Path, as_json: bool) -> None:
    """Look at all that the pool stands on, as it is now; say what to mend.

    Nothing is changed, and the pool may run meanwhile. Exit code 0: all is good; 2: something should be done; 1: the
    pool does not work, or would lose something; 78: the file has mistakes.
    """
    config = config_file.load(file)
    from pool.doctor.examine import examine, worst
    from pool.doctor.finding import Health
    from pool.roles.clock import SystemClock

    found = examine(config, SystemClock())
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode({"health": worst(found), "findings": found})).decode())
    else:
        width = max(len(each.what) for each in found)
        for each in found:
            click.echo(f"{_SIGNS[each.health.value]} {each.what:<{width}}  {each.text}")
            if each.mend:
                click.echo(f"     {'':<{width}}  -> {each.mend}")
    sys.exit({Health.BAD: EXIT_BAD, Health.WARNING: EXIT_WARNING}.get(worst(found), 0))


_SIGNS = {"good": "good", "unknown": "?   ", "warning": "warn", "bad": "BAD "}
