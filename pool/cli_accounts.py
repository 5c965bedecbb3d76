"""The commands `steppe account ...`: who is paid, and how."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import click

from pool import config_file
from pool.cli_common import Group, config_option, json_option, say, says_what_is_wrong
from pool.cli_payouts import add_account_commands
from pool.cli_schemes import add_plan_commands
from pool.config import Config


@click.group(cls=Group)
def account() -> None:
    """Accounts: who is paid, and how."""


@account.command("list")
@config_option
@json_option
@says_what_is_wrong
def account_list(file: Path, as_json: bool) -> None:
    """Print all accounts with the plan in force."""
    loaded: Config = config_file.load(file)
    from payout.accounts import plan_at
    from payout.ports import LedgerUnavailable
    from pool import operations

    try:
        accounts = operations.accounts_of(loaded)
    except LedgerUnavailable as error:
        raise click.ClickException(str(error)) from error
    now_ms = int(time.time() * 1000)
    plans = [(each.name, plan_at(each.plans, now_ms)) for each in accounts]

    def text() -> Iterator[str]:
        for name, plan in plans:
            yield f"{name}\t{plan.scheme}\t{plan.fee_bps / 100:g} %"

    say(as_json, [{"account": name, "scheme": plan.scheme, "fee_bps": plan.fee_bps} for name, plan in plans], text)


add_account_commands(account)
add_plan_commands(account)
