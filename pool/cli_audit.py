"""The commands that look into the books: `steppe audit`, and what a person says of blocks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from pool.cli_common import Group, config_option, json_option, say, says_what_is_wrong
from pool.cli_payouts import at_the_counter, broken_lines
from pool.cli_progress import Progress


@click.command()
@config_option
@click.option("--put-back-guards", is_flag=True, help="First make the triggers again that refuse changes.")
@json_option
@says_what_is_wrong
def audit(file: Path, put_back_guards: bool, as_json: bool) -> None:
    """Read the whole ledger and hold it to every invariant; exit 0 only if all of them hold."""
    with at_the_counter(file) as counter, Progress("audit") as progress:
        report = counter.audit(put_back_guards=put_back_guards, seen=lambda number, total: progress(number / total))

    def text() -> Iterator[str]:
        for name in report.put_back:
            yield f"made again: trigger {name}"
        yield from broken_lines(report.broken)
        yield f"{report.rows} rows and {report.blocks} blocks: " + (
            "WRONG" if report.broken else "every invariant holds"
        )

    say(as_json, report, text)
    sys.exit(1 if report.broken else 0)


@click.group(cls=Group)
def block() -> None:
    """Blocks that a person has to look at."""


@block.command("held")
@config_option
@json_option
@says_what_is_wrong
def block_held(file: Path, as_json: bool) -> None:
    """List the blocks that are held, and those that pay the pool and are not in its books."""
    with at_the_counter(file) as counter:
        found = counter.waiting_blocks()
    say(as_json, found, lambda: (f"{each.hash}\t{each.why}\t{each.reason}" for each in found))


@block.command("hold")
@config_option
@click.argument("block_hash", metavar="HASH")
@click.argument("reason")
@json_option
@says_what_is_wrong
def block_hold(file: Path, block_hash: str, reason: str, as_json: bool) -> None:
    """Keep what a block pays from becoming available, until it is released."""
    with at_the_counter(file) as counter:
        counter.hold(block_hash, reason, is_held=True)
    _done(as_json, block_hash, "held")


@block.command("release")
@config_option
@click.argument("block_hash", metavar="HASH")
@click.argument("reason")
@json_option
@says_what_is_wrong
def block_release(file: Path, block_hash: str, reason: str, as_json: bool) -> None:
    """Let what a held block pays become available as always."""
    with at_the_counter(file) as counter:
        counter.hold(block_hash, reason, is_held=False)
    _done(as_json, block_hash, "released")


@block.command("accept")
@config_option
@click.argument("block_hash", metavar="HASH")
@click.argument("reason")
@json_option
@says_what_is_wrong
def block_accept(file: Path, block_hash: str, reason: str, as_json: bool) -> None:
    """End the alarm about a block that pays the pool and is not in its books, once somebody knows why."""
    with at_the_counter(file) as counter:
        counter.accept(block_hash, reason)
    _done(as_json, block_hash, "accepted", "; `steppe payout resume` lets payouts go on")


def _done(as_json: bool, block_hash: str, done: str, more: str = "") -> None:
    say(as_json, {"hash": block_hash, "done": done}, lambda: [f"{block_hash}: {done}{more}"])


@click.command()
@config_option
@click.option("--all", "show_all", is_flag=True, help="Also groups that have not been tested yet.")
@json_option
@says_what_is_wrong
def withholding(file: Path, show_all: bool, as_json: bool) -> None:
    """Show who found fewer blocks than expected, by account and firmware, how likely that is, and what it may mean."""
    with at_the_counter(file) as counter:
        found = tuple(group for group in counter.luck() if show_all or group.test is not None)

    def text() -> Iterator[str]:
        for group in found:
            yield f"{group.kind} {group.name}\t{group.blocks} blocks, {group.expected_blocks} expected"
            if group.test is None:
                continue
            test = group.test
            yield f"  at {test.checkpoint} expected, among {test.groups} groups: {test.verdict}: {test.told}"
            for band in test.bands:
                yield f"  band {band.band}\t{band.found} found\t{band.expected} expected\tp = {band.probability}"

    say(as_json, found, text)
