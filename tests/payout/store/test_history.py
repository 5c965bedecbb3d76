"""payout.store.history: statements are the ledger, to the satoshi."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import Engine

from payout import ledger, settlement
from payout.accounts import AccountRefused, Plan, Scheme
from payout.ledger import posting
from payout.statement import Balance, Statement
from payout.store.history import SqlHistory
from pool.store.sql import reading
from tests.databases import fresh
from tests.payout.scene import MINUTE_MS, RULES, START_MS, Scene, block_hash, job, share

FOREVER_MS = START_MS + 10**10


def statement(
    engine: Engine, name: str, from_ms: int = 0, to_ms: int = FOREVER_MS, row: int | None = None
) -> Statement:
    with reading(engine) as connection:
        return SqlHistory(connection).statement(name, from_ms, to_ms, row)


def booked(scene: Scene, name: str) -> Balance:
    """What the ledger itself says."""
    with scene.ledger.read() as books:
        balances = books.journal.balances_sat()
    return Balance(*(-balances.get(f"liab:{name}:{kind}", 0) for kind in ("immature", "available", "reserved")))


@pytest.fixture
def scene(engine: Engine) -> Scene:
    """kz is on PPS; B1 is mature, B2 was orphaned."""
    made = Scene(engine)
    made.account("kz", Scheme.PPS, 200)
    made.take(share("alice"), share("bob", "1/2"), share("kz", block="B1", height=100))
    made.reach(100, B1=100)
    made.take(share("alice", minute=1, block="B2", height=101))
    made.reach(101, B2=101)
    made.reach(108, B2=0)
    made.reach(200)
    made.take(job(minute=2))
    return made


class TestLines:
    def test_a_block_is_a_line_with_gross_and_fee_and_its_end_another(self, scene: Scene) -> None:
        found = statement(scene.engine, "bob")
        assert [(line.kind, line.gross_sat, line.fee_sat, line.amount_sat) for line in found.lines] == [
            ("block.immature", 500_000, 5_000, 495_000),
            ("block.immature", 400_000, 4_000, 396_000),
            ("block.orphaned", -400_000, -4_000, -396_000),
            ("block.mature", None, None, 0),
        ]
        assert found.closing == Balance(0, 495_000, 0)

    def test_pay_per_share_is_a_line_and_what_the_reserve_bought_is_none(self, scene: Scene) -> None:
        assert {line.kind for line in statement(scene.engine, "kz").lines} == {"pps"}

    def test_every_account_closes_at_what_the_ledger_says(self, scene: Scene) -> None:
        for name in ("alice", "bob", "kz"):
            assert statement(scene.engine, name).closing == booked(scene, name)

    def test_shares_under_two_plans_are_two_lines_of_a_block(self, engine: Engine) -> None:
        made = Scene(engine)
        made.account("alice", Scheme.PPLNS, 100)
        with made.ledger.write() as books:
            books.accounts.change_plan("alice", Plan(Scheme.PPLNS, 300, START_MS + MINUTE_MS), START_MS)
        made.take(share("alice"), share("alice", minute=1, block="B1"))
        made.reach(100, B1=100)
        assert [(line.fee_bps, line.fee_sat) for line in statement(engine, "alice").lines] == [
            (100, 5_000),
            (300, 15_000),
        ]

    def test_an_adjustment_is_a_line_of_its_own(self, scene: Scene) -> None:
        entries = {"adjust:T1": 77, ledger.available("bob"): -77}
        with scene.ledger.write() as books:
            books.journal.post([posting("adjust:T1", "adjust", "T1", START_MS, entries)])
        assert [line.amount_sat for line in statement(scene.engine, "bob").lines if line.kind == "adjust"] == [77]

    def test_an_account_without_history_has_an_empty_one(self, scene: Scene) -> None:
        scene.account("new", Scheme.PPLNS)
        found = statement(scene.engine, "new")
        assert (found.opening, found.lines, found.closing) == (Balance(), (), Balance())


class TestTimes:
    def test_the_end_is_not_in_it_and_the_beginning_is(self, scene: Scene) -> None:
        settled_ms = next(line.time_ms for line in statement(scene.engine, "kz").lines)
        assert statement(scene.engine, "kz", 0, settled_ms).lines == ()
        assert len(statement(scene.engine, "kz", settled_ms, settled_ms + 1).lines) == 1

    def test_made_again_up_to_its_row_it_is_the_same_whatever_was_booked_since(self, scene: Scene) -> None:
        before = statement(scene.engine, "bob")
        late = {ledger.POOL_FEE: 5, ledger.available("bob"): -5}
        with scene.ledger.write() as books:
            books.journal.post([posting("late", "adjust", "late", START_MS, late)])
        assert statement(scene.engine, "bob") != before
        assert statement(scene.engine, "bob", row=before.ledger_row) == before

    def test_an_empty_time_an_unknown_account_and_an_unknown_row_are_refused(self, scene: Scene) -> None:
        for arguments in (("bob", 5, 5), ("nobody", 0, 5), ("bob", 0, 5, 10_000)):
            with pytest.raises(AccountRefused):
                statement(scene.engine, *arguments)


NAMES = ("alice", "bob", "kz", "plus", "lone")
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["share", "block", "mature", "orphan", "reserve", "confirm", "unconfirm", "release", "adjust"]),
        st.sampled_from(NAMES),
        st.integers(1, 3),
    ),
    min_size=1,
    max_size=25,
)


class Random:
    """A pool to which things happen in any order, and what its ledger said at each moment."""

    def __init__(self, engine: Engine) -> None:
        self.scene = Scene(engine, replace(RULES, window_x=Fraction(3)))
        schemes = (Scheme.PPLNS, Scheme.PPLNS, Scheme.PPS, Scheme.PPS_PLUS, Scheme.SOLO)
        for name, scheme in zip(NAMES, schemes, strict=True):
            self.scene.account(name, scheme, 250)
        self.engine = engine
        self.minute = 0
        self.blocks: dict[str, int] = {}
        self.batches: dict[int, tuple[str, int, str, int]] = {}  # id: account, amount, state, flips
        self.tip = 200

    def happen(self, what: str, name: str, number: int) -> None:
        self.minute += 1
        now_ms = START_MS + self.minute * MINUTE_MS
        scene = self.scene
        if what == "share":
            scene.take(*[share(name, f"{number}/7", minute=self.minute) for _ in range(number)])
        elif what == "block":
            label = f"B{len(self.blocks)}"
            self.tip += 1
            self.blocks[label] = self.tip
            scene.take(share(name, minute=self.minute, block=label, height=self.tip))
            self._reach(now_ms, self.tip, **{label: self.tip})
        elif what == "orphan" and self.blocks:
            self.tip += 7
            self._reach(now_ms, self.tip, **{next(reversed(self.blocks)): 0})
        elif what == "mature":
            self.tip += 40
            self._reach(now_ms, self.tip)
        elif what == "adjust":
            self._post(f"adjust:{self.minute}", "adjust", {"adjust:x": number, ledger.available(name): -number}, now_ms)
        else:
            self._pay(what, name, now_ms)

    def _reach(self, now_ms: int, tip: int, **blocks: int) -> None:
        self.scene.chain.tip = tip
        for label, height in blocks.items():
            self.scene.chain.ours = {
                at: found for at, found in self.scene.chain.ours.items() if found != block_hash(label)
            }
            if height:
                self.scene.chain.ours[height] = block_hash(label)
        list(self.scene.accounting.follow(now_ms))

    def _post(self, key: str, kind: str, amounts: dict[str, int], now_ms: int) -> None:
        with self.scene.ledger.write() as books:
            books.journal.post([posting(key, kind, key, now_ms, amounts)])

    def _pay(self, what: str, name: str, now_ms: int) -> None:
        """Rows as the payer makes them; the states of the batch itself are not what a statement is about."""
        with self.scene.ledger.write() as books:
            if what == "reserve":
                has_sat = -books.journal.balances_sat([ledger.available(name)]).get(ledger.available(name), 0)
                if has_sat > 0:
                    number = len(self.batches) + 1
                    books.journal.post([settlement.reserve(str(number), {name: has_sat}, now_ms)])
                    self.batches[number] = name, has_sat, "reserved", 0
                return
            wallet_sat = books.journal.balances_sat([ledger.WALLET]).get(ledger.WALLET, 0)
            for number, (owner, sat, state, flips) in self.batches.items():
                paid = settlement.confirm(str(number), {owner: sat}, 11, now_ms)
                paid = replace(paid, key=f"{paid.key}:{flips}" if flips else paid.key)
                if what == "confirm" and state == "reserved" and wallet_sat >= sat + 11:
                    books.journal.post([paid])
                    self.batches[number] = owner, sat, "confirmed", flips
                    return
                if what == "unconfirm" and state == "confirmed":
                    key = paid.key.replace("confirmed", "unconfirmed")
                    books.journal.post([ledger.reverse(paid, key, "payout.unconfirmed", now_ms)])
                    self.batches[number] = owner, sat, "reserved", flips + 1
                    return
                if what == "release" and state == "reserved":
                    books.journal.post([settlement.release(str(number), {owner: sat}, now_ms)])
                    self.batches[number] = owner, sat, "released", flips
                    return


@settings(max_examples=50, deadline=None)
@given(EVENTS, st.lists(st.integers(0, 27), min_size=1, max_size=4))
def test_statements_chain_and_close_at_what_the_ledger_says(
    sqlite_file: bytes, events: list[tuple[str, str, int]], cuts: list[int]
) -> None:
    with fresh(sqlite_file) as engine:
        pool = Random(engine)
        for what, name, number in events:
            pool.happen(what, name, number)
        moments = [0, *sorted({START_MS + cut * MINUTE_MS for cut in cuts}), FOREVER_MS]
        rows = pool.scene.rows()
        for name in NAMES:
            with reading(engine) as connection:
                made = [SqlHistory(connection).statement(name, *pair) for pair in pairwise(moments)]
            assert made[0].opening == Balance()
            for before, after in pairwise(made):
                assert before.closing == after.opening
            for each in made:
                at_end = [row for row in rows if row.posting.time_ms < each.to_ms]
                sums = {
                    kind: -sum(
                        entry.amount_sat
                        for row in at_end
                        for entry in row.posting.entries
                        if entry.account == f"liab:{name}:{kind}"
                    )
                    for kind in ("immature", "available", "reserved")
                }
                assert each.closing == Balance(*sums.values())
                assert each.closing.total_sat == each.opening.total_sat + sum(line.amount_sat for line in each.lines)
                assert sum(each.totals_sat.values()) == each.closing.total_sat - each.opening.total_sat
            assert made[-1].closing == booked(pool.scene, name)
