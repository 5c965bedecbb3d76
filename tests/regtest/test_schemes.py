"""Accounts under all five schemes mine real blocks, to maturity and over the end of a day of FPPS; every satoshi is
accounted for, by sums that share no code with the pool. On regtest every share is a block, so a window of eight blocks
is the eight newest shares.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine

from payout.accounting import Accounting
from payout.audit import audit
from payout.store.ledger import SqlLedger
from pool.demo import RESERVE_SAT
from pool.journal.format import Group
from pool.node.chain import BitcoindChain
from pool.node.private import PrivateNode
from pool.ports import ShareBatch
from pool.rebuild.journals import Journals
from pool.rebuild.rebuild import Live, rebuild
from pool.roles.accounting import rules_of
from pool.roles.database import reach_database
from pool.roles.work import rpc_settings
from pool.store.sql import connect
from pool.work.job import Job
from tests.pool.rebuild.pools import write_journal
from tests.regtest.whole_pool import WholePool, eventually

PLANS = {"po": ("pplns", 100), "ps": ("pps", 200), "fp": ("fpps", 250), "pp": ("pps_plus", 200), "so": ("solo", 150)}
DAY_MS = 86_400_000
# More than the shares take, from the first one to the settling of their day.
STORY_SECONDS = 300
LATER = "f" * 16


@pytest.fixture(scope="module")
def pool(regtest_node: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholePool]:
    it = WholePool(tmp_path_factory.mktemp("pool"), regtest_node, "regtest")
    it.config_path.write_text(it.config_path.read_text().replace("0.0001", "1e-9"))
    for name, (scheme, fee_bps) in PLANS.items():
        it.add_account(name, scheme, fee_bps)
    it.node.call(
        "generatetoaddress", 130, it.node.call("getnewaddress")
    )  # coins whose fees blocks can have; and the subsidy halves at 150
    it.start()
    yield it
    if it.process is not None and it.process.poll() is None:
        it.stop()


def fee_paying_transactions(pool: WholePool, count: int) -> None:
    for _ in range(count):
        pool.node.call(
            "sendtoaddress", pool.node.call("getnewaddress"), 0.5, "", "", False, True, None, "unset", None, 300
        )


def shares_of(pool: WholePool) -> list[dict[str, Any]]:
    """The pool's blocks, oldest first: each is one accepted share."""
    return sorted(pool.blocks(), key=lambda block: int(block["height"]))


def away_from_midnight() -> None:
    """All shares are of one day, the one that is settled then: if midnight (UTC) is too near, wait for it."""
    left_seconds = (DAY_MS - time.time() * 1000 % DAY_MS) / 1000
    if left_seconds < STORY_SECONDS:
        time.sleep(left_seconds + 1)


@pytest.mark.timeout(2 * STORY_SECONDS)
def test_every_satoshi_of_five_schemes_is_accounted_for(pool: WholePool, tmp_path: Path) -> None:
    away_from_midnight()
    # A round for each, twice; the windows of eight hold shares of all, and those of SOLO none.
    for round_ in range(2):
        for name in PLANS:
            fee_paying_transactions(pool, 2 + round_)
            pool.mine_blocks(f"{name}.rig", 2)
    # The one under PPS goes to PPLNS at a stated time, and what it had earned stays.
    at = datetime.fromtimestamp(int(time.time()) + 30, UTC)
    said = pool.steppe("account", "plan", "ps", "--scheme", "pplns", "--fee-bps", "0", "--from", at.isoformat())
    assert said.splitlines()[-1].split("\t")[:3] == ["planned", "pplns", "0 bps"]
    eventually("the time of the change", lambda: time.time() > at.timestamp() + 1)
    fee_paying_transactions(pool, 3)
    pool.mine_blocks("ps.rig", 2)
    eventually("all blocks in the chain", lambda: len(pool.blocks("immature")) == 22)
    pool.node.mine(101)
    eventually("maturity", lambda: len(pool.blocks("mature")) == 22)
    assert pool.get("/api/v1/accounts/ps")["account"]["books"]["plans"][-1]["scheme"] == "pplns"
    blocks, config = shares_of(pool), pool.config
    assert pool.stop() == 0

    engine = reach_database(config)
    try:
        day = _end_the_day(pool, engine, tmp_path)
        with SqlLedger(engine).read() as books:
            assert audit(books) == ()
            balances_sat = {name: amount for name, amount in books.journal.balances_sat().items() if amount}
        assert balances_sat == _expected(pool, blocks, day)
        chain = BitcoindChain(rpc_settings(config)[0])
        empty = connect(f"sqlite:///{tmp_path / 'again.sqlite'}")
        journals = Journals([Path(config.pool.data_dir) / "journal", tmp_path / "journal"])
        report = rebuild(
            Live(engine, None, chain),
            journals,
            empty,
            rules_of(config),
            lambda *_: None,
        )
        empty.dispose()
        chain.close()
        assert [check.differences for check in report.checks if check.different] == []
        assert report.identical
    finally:
        engine.dispose()


def _end_the_day(pool: WholePool, engine: Engine, tmp_path: Path) -> int:
    """Let the chain and a journal go on into the next day, until the day's fees are booked; when the day began."""
    now_ms = int(time.time() * 1000)
    day_ms = now_ms - now_ms % DAY_MS
    record = msgspec.msgpack.encode(
        Job("f", day_ms + DAY_MS + 1, 1, 0, b"", b"", b"", (), 0x207FFFFF, 0, 0, 0, 0, 0, True)
    )
    write_journal(tmp_path / "journal" / "later", LATER, [Group(1, 1, record)])
    chain = BitcoindChain(rpc_settings(pool.config)[0])
    accounting = Accounting(SqlLedger(engine), chain, rules_of(pool.config), chain)
    assert accounting.settle_day() is None  # the day is not over
    accounting.take(ShareBatch(LATER, 1, 1, record))
    assert accounting.settle_day() is None  # nor for the chain
    pool.node.call("setmocktime", (day_ms + DAY_MS) // 1000 + 7_200)
    pool.node.mine(12)
    list(accounting.follow(now_ms))
    settled = next(filter(None, (accounting.settle_day() for _ in range(1_000))))
    assert settled.accounts == 1
    assert accounting.settle_day() is None
    chain.close()
    return day_ms


def _expected(pool: WholePool, blocks: list[dict[str, Any]], day_ms: int) -> dict[str, int]:
    """All balances, from the node's blocks and the order of the shares."""
    owed: Counter[str] = Counter()
    window: list[tuple[str, int]] = []  # the shares on the line: scheme and account, fee
    wallet_sat = 0
    base: Counter[str] = Counter()
    for number, block in enumerate(blocks):
        stats = pool.node.call("getblockstats", block["height"], ["totalfee", "subsidy"])
        subsidy_sat, fees_sat = int(stats["subsidy"]), int(stats["totalfee"])
        reward_sat = subsidy_sat + fees_sat
        wallet_sat += reward_sat
        name = block["finder"].partition(".")[0]
        scheme, fee_bps = ("pplns", 0) if number >= 20 else PLANS[name]
        if scheme == "solo":
            fee_sat = reward_sat * fee_bps // 10_000
            owed.update({f"liab:{name}:available": reward_sat - fee_sat, "income:pool_fee": fee_sat})
            continue
        if scheme != "pplns":  # a share is worth the subsidy
            base[name] += subsidy_sat * (10_000 - fee_bps)
        window.append((f"{name} {scheme}", fee_bps))
        weights = Counter(window[-8:])
        gross, fees = _split(reward_sat, weights), _split(fees_sat, weights)
        for stake in weights:
            (owner, under), bps = stake[0].split(), stake[1]
            own_sat = {"pplns": gross[stake], "pps_plus": min(fees[stake], gross[stake])}.get(under, 0)
            fee_sat = own_sat * bps // 10_000 if under == "pplns" else 0
            owed[f"liab:{owner}:available"] += own_sat - fee_sat
            owed["income:pool_fee"] += fee_sat
            owed["equity:pps_reserve"] += gross[stake] - own_sat
    for name, tenthousandths in base.items():
        paid_sat = tenthousandths // 10_000
        owed[f"liab:{name}:available"] += paid_sat
        owed["equity:pps_reserve"] -= paid_sat
    bonus_sat = int(Fraction(base["fp"], 10_000) * _rate(pool, day_ms))
    owed.update({"liab:fp:available": bonus_sat, "equity:pps_reserve": RESERVE_SAT - bonus_sat})
    return {"asset:wallet": wallet_sat + RESERVE_SAT} | {name: -amount for name, amount in owed.items() if amount}


def _split(total_sat: int, weights: Counter[tuple[str, int]]) -> dict[tuple[str, int], int]:
    whole = sum(weights.values())
    exact = {key: Fraction(total_sat * weight, whole) for key, weight in weights.items()}
    parts = {key: int(part) for key, part in exact.items()}
    by_rest = sorted(exact, key=lambda key: (parts[key] - exact[key], key))
    for key in by_rest[: total_sat - sum(parts.values())]:
        parts[key] += 1
    return parts


def _rate(pool: WholePool, day_ms: int) -> Fraction:
    """Fees over subsidies of the day's blocks without three at each end."""
    found = []
    for height in range(pool.node.call("getblockcount") + 1):
        stats = pool.node.call("getblockstats", height, ["time", "totalfee", "subsidy"])
        if day_ms <= int(stats["time"]) * 1000 < day_ms + DAY_MS:
            found.append((int(stats["totalfee"]), height, int(stats["subsidy"])))
    used = sorted(found)[3:-3]
    assert sum(fees for fees, _, _ in used) > 0
    return Fraction(sum(fees for fees, _, _ in used), sum(subsidy for _, _, subsidy in used))
