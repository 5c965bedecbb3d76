"""`scripts/chaos payments`: every kill of a payment, played to the end, and a table of what came of each."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from msgspec import Struct
from sqlalchemy import Engine

from pool.node.loopback import free_port
from pool.node.private import PrivateNode, find_bitcoind
from pool.store.sql import connect
from pool.store.upgrade import upgrade
from tests.databases import NAMES, sqlite_url
from tests.postgresql import Databases, server
from tests.regtest.paying_pool import Chain, PayingPool, mine_coins
from tests.regtest.payment_kills import KILLS, Kill, owe, play


class Outcome(Struct, frozen=True):
    """What came of a kill. wrong: empty if every line was paid exactly once."""

    kill: Kill
    seconds: float
    wrong: str = ""


def main() -> int:
    """The exit code: 0 if every line of every run was paid exactly once."""
    words = _read_arguments()
    bitcoind = find_bitcoind()
    if bitcoind is None:
        print("there is no bitcoind on PATH or in STEPPE_BITCOIND; scripts/chaos fetches one", file=sys.stderr)
        return 1
    chosen = [each for each in KILLS if each.database in words.database and words.match in each.title]
    with tempfile.TemporaryDirectory(prefix="steppe-kills-") as folder, server() as databases:
        node = PrivateNode(bitcoind, "regtest", Path(folder, "node"), free_port())
        node.start()
        try:
            mine_coins(node, len(chosen) + 5)
            chain = Chain(node)
            outcomes = [_outcome(each, node, chain, Path(folder), databases) for each in chosen]
        finally:
            node.stop()
    print(_as_json(outcomes) if words.json else as_table(outcomes))
    return any(each.wrong for each in outcomes)


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/chaos payments", description=__doc__)
    parser.add_argument("--database", choices=NAMES, action="append", help="Default: both.")
    parser.add_argument("--match", default="", help="Only kills whose title has these words.")
    parser.add_argument("--json", action="store_true", help="Print JSON.")
    words = parser.parse_args()
    words.database = words.database or NAMES
    return words


def _outcome(each: Kill, node: PrivateNode, chain: Chain, folder: Path, databases: Databases) -> Outcome:
    print(each.title, end=" ", file=sys.stderr, flush=True)
    began = time.monotonic()
    place = Path(tempfile.mkdtemp(dir=folder))
    engine: Engine = connect(sqlite_url(place) if each.database == "sqlite" else databases(""))
    upgrade(engine)
    pool = PayingPool(engine, node, place)
    wrong = ""
    try:
        owe(pool)
        play(each, pool, chain)
    except AssertionError as error:
        wrong = f"{error}\n{(place / 'payer.log').read_text()[-2000:]}"
    finally:
        pool.close()
        engine.dispose()
    outcome = Outcome(each, time.monotonic() - began, wrong)
    print(f"{outcome.seconds:.0f} s{' WRONG: ' + wrong if wrong else ''}", file=sys.stderr, flush=True)
    return outcome


def as_table(outcomes: list[Outcome]) -> str:
    """A row for each step, moment and victim; a column for each database."""
    said: dict[tuple[str, str, str], dict[str, str]] = {}
    for each in outcomes:
        row = said.setdefault((each.kill.step, each.kill.victim, each.kill.when), {})
        row[each.kill.database] = "**no**" if each.wrong else "once"
    lines = [f"| step | killed | when | {' | '.join(NAMES)} |", "| --- | --- | --- |" + " --- |" * len(NAMES)]
    lines += [
        f"| {' | '.join(what)} | {' | '.join(row.get(name, '') for name in NAMES)} |" for what, row in said.items()
    ]
    good = sum(not each.wrong for each in outcomes)
    lines.append(f"\n{good} of {len(outcomes)} played to the end with every line paid exactly once")
    return "\n".join(lines)


def _as_json(outcomes: list[Outcome]) -> str:
    return json.dumps([_row(each) for each in outcomes], indent=2)


def _row(each: Outcome) -> dict[str, object]:
    return {
        "step": each.kill.step,
        "killed": each.kill.victim,
        "when": each.kill.when,
        "place": each.kill.place,
        "database": each.kill.database,
        "paid_once": not each.wrong,
        "seconds": round(each.seconds, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
