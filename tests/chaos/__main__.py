"""`scripts/chaos`: a run for a bounded time, and what came of it."""

from __future__ import annotations

import argparse
import contextlib
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from pool.node.private import find_bitcoind
from pool.supervisor import stop_signals
from tests.chaos.faults import FAULTS, groups_for, named
from tests.chaos.report import as_json, as_table
from tests.chaos.run import Options, run
from tests.postgresql import server


def main() -> int:
    """The exit code: 0 if nothing was lost, doubled or wrong; 1 if anything was, or the run could not go on."""
    words = _read_arguments()
    bitcoind = find_bitcoind()
    if bitcoind is None:
        print("there is no bitcoind on PATH or in STEPPE_BITCOIND; scripts/chaos fetches one", file=sys.stderr)
        return 1
    faults = words.faults or groups_for(words.database, words.journal)
    folder = Path(tempfile.mkdtemp(prefix="steppe-chaos-"))
    with contextlib.ExitStack() as stack:
        stop = stack.enter_context(stop_signals())
        database_url = stack.enter_context(server())("") if words.database == "postgresql" else ""
        options = Options(
            bitcoind=bitcoind,
            chain=words.chain,
            database=words.database,
            database_url=database_url,
            folder=folder,
            seed=words.seed,
            seconds=words.minutes * 60,
            pace_seconds=words.pace,
            faults=tuple(faults),
            journal_mode=words.journal,
        )
        report = run(options, lambda what: print(what, file=sys.stderr, flush=True), stop)
    print(as_json(report) if words.json else as_table(report))
    if report.is_good and not words.keep:
        shutil.rmtree(folder)
    return 0 if report.is_good else 1


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="of faults; the end takes a minute more")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 32), help="chooses the faults")
    parser.add_argument("--faults", type=_faults, help="groups, or single faults; default: all groups")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--journal", choices=("relaxed", "fsync"), default="relaxed", help="its mode")
    parser.add_argument("--chain", choices=("regtest", "signet"), default="regtest", help="regtest: a share is a block")
    parser.add_argument("--pace", type=float, default=4.0, help="seconds from one fault to the next, the mean")
    parser.add_argument("--keep", action="store_true", help="leave the folder of a good run too")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    return parser.parse_args()


def _faults(text: str) -> list[str]:
    wanted = text.split(",")
    try:
        named(wanted)
    except KeyError as error:
        there_are = ", ".join([*FAULTS, *(name for group in FAULTS.values() for name in group)])
        raise argparse.ArgumentTypeError(f"{error} is neither a group nor a fault: {there_are}") from error
    return wanted


sys.exit(main())
