"""payout.accounting as a whole: batches in any form, crashes anywhere, and the same books in the end."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import Engine, event

from payout.accounts import Plan, Scheme, Stake
from payout.fee_days import DAY_MS, day_of
from payout.ledger import LedgerError
from payout.pps import DayBlock, fee_rate_of, less_fee
from payout.rewards import Startup, split_reward, sum_weights, take_window, window_capacity
from payout.scoring import work_of
from payout.store.shares import SqlShares
from pool.ports import Record, ShareBatch
from pool.store.sql import reading
from pool.work.share import Outcome, Share
from tests.databases import PostgresqlBooks, dump, fresh
from tests.payout.scene import MINUTE_MS, REWARD_SAT, RULES, START_MS, Scene, batch, job, share, unsound


class FakeSource:
    """Hands out batches once, and remembers what it was told of them."""

    def __init__(self, *batches: ShareBatch) -> None:
        self.batches = list(batches)
        self.told: list[tuple[str, int, int]] = []

    def read(self) -> Sequence[ShareBatch]:
        read, self.batches = self.batches, []
        return read

    def committed(self, batch: ShareBatch, high_water: int) -> None:
        self.told.append(("committed", batch.first_seq, high_water))

    def resend(self, batch: ShareBatch, high_water: int) -> None:
        self.told.append(("resend", batch.first_seq, high_water))


class TestDrain:
    def drain(self, scene: Scene, source: FakeSource) -> int:
        return sum(taken.accepted for taken in scene.accounting.drain(source))

    def test_what_is_in_the_books_is_told_to_the_source(self, sqlite: Engine) -> None:
        source = FakeSource(batch([share("a")] * 2), batch([share("b")], 3))
        assert self.drain(Scene(sqlite), source) == 3
        assert source.told == [("committed", 1, 2), ("committed", 3, 3)]

    def test_a_batch_that_came_again_is_told_as_committed(self, sqlite: Engine) -> None:
        source = FakeSource(batch([share("a")] * 2), batch([share("a")]))
        assert self.drain(Scene(sqlite), source) == 2
        assert source.told[-1] == ("committed", 1, 2)

    def test_after_a_gap_the_source_is_told_where_to_go_on(self, sqlite: Engine) -> None:
        source = FakeSource(batch([share("a")]), batch([share("a")], 5), batch([share("b")], 1, "f2"))
        assert self.drain(Scene(sqlite), source) == 2
        assert source.told == [("committed", 1, 1), ("resend", 5, 1), ("committed", 1, 1)]

    def test_all_that_waits_is_one_transaction(self, sqlite: Engine) -> None:
        scene = Scene(sqlite)
        commits: list[object] = []
        note = commits.append
        event.listen(sqlite, "commit", note)
        taken = self.drain(scene, FakeSource(*(batch([share("a")], seq) for seq in range(1, 6))))
        event.remove(sqlite, "commit", note)
        assert taken == 5
        assert len(commits) == 1

    def test_before_a_batch_that_cannot_be_taken_the_others_are(self, sqlite: Engine) -> None:
        scene = Scene(sqlite)
        source = FakeSource(batch([share("a")]), replace(batch([share("b")], 2), payload=b"\xc1"))
        with pytest.raises(LedgerError, match="records 2 to 2 of journal f1 cannot be read"):
            self.drain(scene, source)
        assert source.told == [("committed", 1, 1)]

    def test_an_empty_source_is_no_work(self, sqlite: Engine) -> None:
        assert self.drain(Scene(sqlite), FakeSource()) == 0


NAMES = st.sampled_from(["alice", "bob", "kz", "ru"])
OUTCOMES = st.sampled_from([Outcome.ACCEPTED] * 4 + [Outcome.STALE])
RECORDS = st.lists(
    st.tuples(NAMES, st.sampled_from(["1/4", "1/3", "1"]), st.integers(0, 3), OUTCOMES, st.sampled_from([None, 1])),
    max_size=20,
).map(
    lambda rows: [
        share(name, difficulty, minute=minute, outcome=outcome, slice_id=slice_id)
        for name, difficulty, minute, outcome, slice_id in rows
    ]
)
CUTS = st.lists(st.integers(1, 20), max_size=6)


def opened(engine: Engine) -> Scene:
    scene = Scene(engine)
    scene.account("kz", Scheme.PPS, 250)
    scene.account("ru", Scheme.PPS)
    scene.account("host", Scheme.PPLNS)
    assert scene.slice("kz", "net 333 host; left 10 tax:KZ; share @owner 80 host 20") == 1
    return scene


def feed(scene: Scene, records: Sequence[Record], cuts: Sequence[int] = (), frontend: str = "f1") -> None:
    edges = sorted({0, len(records), *(cut for cut in cuts if cut < len(records))})
    for start, stop in pairwise(edges):
        assert not scene.accounting.take(batch(records[start:stop], start + 1, frontend)).gap


def money(scene: Scene) -> tuple[Any, ...]:
    """The ledger, the window and what is owed per share: all that may not depend on how shares came."""
    with scene.ledger.read() as books:
        assert unsound(books) == []
        owed = {(each.account, each.accrued_psat, each.carry_psat) for each in books.accruals.due(2**62)}
        return list(books.journal.rows()), books.shares.window(0, books.shares.end()), owed


def earned_psat(engine: Engine) -> dict[int, int]:
    """All that accounts ever earned per share."""
    totals: dict[int, int] = {}
    for account_id, _, sat, psat, _ in dump(engine)["pps_accrual"]:
        totals[account_id] = totals.get(account_id, 0) + sat * 10**12 + psat
    return totals


SCHEMES = st.lists(
    st.tuples(
        st.sampled_from(["alice", "bob", "kz", "ru", "so"]),
        st.sampled_from(["1/4", "1/3", "1"]),
        st.integers(0, 3),
        OUTCOMES,
        st.sampled_from([100, 101, 102]),
        st.booleans(),
    ),
    max_size=24,
).map(
    lambda rows: [
        share(
            name,
            difficulty,
            minute=minute,
            outcome=outcome,
            height=height,
            block=f"B{number}" if is_block else None,
        )
        for number, (name, difficulty, minute, outcome, height, is_block) in enumerate(rows)
    ]
)


def opened_all(engine: Engine, startup: Startup = Startup.DISTRIBUTE) -> Scene:
    """Accounts under all schemes, two of which change theirs, and a stop between two heights."""
    scene = Scene(engine, replace(RULES, startup=startup))
    for name, scheme in zip(("alice", "bob", "kz", "ru", "so"), Scheme, strict=True):
        scene.account(name, scheme, 175)
    scene.change_plan("bob", Scheme.SOLO, 50, 2)
    scene.change_plan("so", Scheme.FPPS, 100, 1)
    scene.decide(101, is_stopped=True)
    scene.decide(102, is_stopped=False)
    return scene


def settle_all(scene: Scene, records: Sequence[Record]) -> None:
    """Put all blocks into the chain, one height each, to maturity, and end the day."""
    for found in records:
        if isinstance(found, Share) and found.block_hash is not None:
            scene.chain.ours[found.height] = found.block_hash
    scene.reach(102)
    scene.reach(202)
    scene.accounting.take(batch([job((day_of(START_MS) + DAY_MS - START_MS) // MINUTE_MS)], 1, "f9"))
    scene.settle_day(day_of(START_MS), [0, 0, 0, 12_345, 999_999, 3, 4, 5])


class TestProperties:
    @settings(max_examples=40, deadline=None)
    @given(records=SCHEMES, cuts=CUTS, again=CUTS, startup=st.sampled_from(Startup))
    def test_under_all_schemes_grouping_and_replay_change_nothing_and_every_satoshi_is_somebodys(
        self, sqlite_file: bytes, records: list[Record], cuts: list[int], again: list[int], startup: Startup
    ) -> None:
        with fresh(sqlite_file) as once, fresh(sqlite_file) as twice:
            plain, cut = opened_all(once, startup), opened_all(twice, startup)
            feed(plain, records)
            feed(cut, records, cuts)
            feed(cut, records, again)
            for scene in (plain, cut):
                settle_all(scene, records)
            feed(cut, records, again)
            assert money(cut) == money(plain)
            balances = plain.balances()
            with plain.ledger.read() as books:
                blocks = list(books.blocks.every())
            mature = [block for block in blocks if block.life.state == "mature"]
            assert balances.get("asset:wallet", 0) == REWARD_SAT * len(mature)
            for block in mature:
                assert sum(each.gross_sat for each in block.credits) + block.reserve_sat == REWARD_SAT
                assert all(each.fee_sat + each.bought_sat <= each.gross_sat for each in block.credits)
                if block.found.taker is not None:
                    assert [each.key.account for each in block.credits] == [block.found.finder]
                assert not any(each.key.scheme is Scheme.SOLO for each in block.credits if block.found.taker is None)

    @settings(max_examples=60, deadline=None)
    @given(
        bases=st.lists(st.integers(0, 10**24), min_size=1, max_size=6),
        fees=st.lists(st.integers(0, 10**10), min_size=1, max_size=20),
        fee_bps=st.integers(0, 10_000),
    )
    def test_a_bonus_is_the_rate_of_the_base_to_less_than_a_picosatoshi_for_each_part(
        self, bases: list[int], fees: list[int], fee_bps: int
    ) -> None:
        rate = fee_rate_of([DayBlock(height, paid, 900_000) for height, paid in enumerate(fees)])
        exact = sum(bases) * Fraction(rate.fees_sat, rate.subsidy_sat) * Fraction(10_000 - fee_bps, 10_000)
        apart = sum(less_fee(rate.bonus_psat(base), fee_bps) for base in bases)
        assert 0 <= exact - apart < 2 * len(bases)

    @settings(max_examples=30, deadline=None)
    @given(records=RECORDS, cuts=CUTS, again=CUTS)
    def test_however_the_records_are_cut_and_repeated_the_books_are_the_same(
        self, sqlite_file: bytes, records: list[Record], cuts: list[int], again: list[int]
    ) -> None:
        with fresh(sqlite_file) as once, fresh(sqlite_file) as twice:
            plain, cut = opened(once), opened(twice)
            feed(plain, records)
            feed(cut, records, cuts)
            feed(cut, records, again)
            assert money(cut) == money(plain)

    @settings(max_examples=30, deadline=None)
    @given(records=RECORDS, cuts=CUTS, bounds=st.lists(st.integers(0, 3), max_size=3))
    def test_whether_batches_are_taken_together_or_one_by_one_the_books_are_the_same(
        self, sqlite_file: bytes, records: list[Record], cuts: list[int], bounds: list[int]
    ) -> None:
        edges = sorted({0, len(records), *(cut for cut in cuts if cut < len(records))})
        batches = [batch(records[start:stop], start + 1) for start, stop in pairwise(edges)]
        with fresh(sqlite_file) as one, fresh(sqlite_file) as two:
            alone, together = opened(one), opened(two)
            for scene in (alone, together):
                with scene.ledger.write() as books:
                    for at, minute in enumerate(sorted(set(bounds))):
                        plan = Plan(Scheme.PPLNS if at % 2 else Scheme.PPS, at, START_MS + minute * MINUTE_MS + 1)
                        books.accounts.change_plan("kz", plan, START_MS)
            for each in batches:
                alone.accounting.take(each)
            list(together.accounting.drain(FakeSource(*batches)))
            assert money(alone) == money(together)
            without_shares = [
                {name: rows for name, rows in dump(engine).items() if name != "share_batch"} for engine in (one, two)
            ]
            assert without_shares[0] == without_shares[1]

    @settings(max_examples=30, deadline=None)
    @given(records=RECORDS, other=RECORDS, cuts=CUTS)
    def test_however_two_journals_interleave_everybody_earns_the_same(
        self, sqlite_file: bytes, records: list[Record], other: list[Record], cuts: list[int]
    ) -> None:
        with fresh(sqlite_file) as one, fresh(sqlite_file) as two:
            in_turn, mixed = opened(one), opened(two)
            feed(in_turn, records)
            feed(in_turn, other, frontend="f2")
            edges = sorted({0, 20, *cuts})
            for start, stop in pairwise(edges):
                for frontend, whole in (("f2", other), ("f1", records)):
                    part = whole[start:stop]
                    mixed.accounting.take(batch(part, start + 1, frontend))
            assert earned_psat(two) == earned_psat(one)
            assert money(mixed)[1] == money(in_turn)[1]

    @settings(max_examples=30, deadline=None)
    @given(records=RECORDS.filter(bool), cuts=CUTS, place=st.integers(0, 19), x=st.sampled_from(["1/2", "1", "3"]))
    def test_a_block_pays_what_the_rule_says_of_the_flat_list(
        self, sqlite_file: bytes, records: list[Share], cuts: list[int], place: int, x: str
    ) -> None:
        place %= len(records)
        records[place] = replace(records[place], block_hash=b"B1".ljust(32, b"\0"))
        with fresh(sqlite_file) as engine:
            scene = Scene(engine, replace(RULES, window_x=Fraction(x)))
            scene.account("host", Scheme.PPLNS)
            assert scene.slice("host", None) == 1
            feed(scene, records, cuts)
            scene.reach(100, B1=100)
            with scene.ledger.read() as books:
                booked = next(books.blocks.every())
        assert {each.key: each.gross_sat for each in booked.credits} == by_the_rule(records[: place + 1], x)


def by_the_rule(records: Sequence[Share], x: str) -> dict[Stake, int]:
    """Gross amounts of the window that ends with the last of these shares, all of it in memory."""
    accepted = [each for each in records if each.outcome is Outcome.ACCEPTED]
    scores = [(Stake(each.account, each.slice_id or 0, Scheme.PPLNS, 100), work_of(each).units) for each in accepted]
    capacity = window_capacity(Fraction(x))
    weights = sum_weights(take_window(reversed(scores), capacity))
    split = split_reward(REWARD_SAT, weights, dict.fromkeys(weights, 100), capacity, RULES.startup)
    return {credit.key: credit.gross_sat for credit in split.credits}


class Crash(Exception):
    """The process ends here."""


class CrashAt:
    """Ends the process before its nth statement; a commit is one, too."""

    def __init__(self, engine: Engine, at: int) -> None:
        self._left = at
        self._engine = engine
        event.listen(engine, "before_cursor_execute", self._statement)
        event.listen(engine, "commit", self._statement)

    def _statement(self, *_: object) -> None:
        self._left -= 1
        if self._left == 0:
            raise Crash

    def lift(self) -> None:
        event.remove(self._engine, "before_cursor_execute", self._statement)
        event.remove(self._engine, "commit", self._statement)


STORY: list[list[Record]] = [
    [share("alice"), share("kz", "1/2"), share("bob", block="B1")],
    [share("kz", minute=1), share("new", minute=1, outcome=Outcome.STALE, block="B2"), share("ru", minute=1)],
    [share("alice", minute=3, slice_id=1), job(3)],
]


def play(scene: Scene) -> None:
    """The whole story. Played again after a crash, it goes on where the books and the chain stand."""
    first_seq = 1
    for records in STORY:
        scene.accounting.take(batch(records, first_seq))
        first_seq += len(records)
    for tip, blocks in ((100, {"B1": 100}), (106, {"B1": 0, "B2": 100}), (200, {})):
        if tip >= scene.chain.tip:
            scene.reach(tip, **blocks)


def play_with_a_crash(engine: Engine, at: int) -> bool:
    """Play, crash, and play again in a new process; False if the story ended before the crash."""
    scene = opened(engine)
    crash = CrashAt(engine, at)
    try:
        play(scene)
    except Crash:
        crash.lift()
        play(Scene(engine, chain=scene.chain))
        return True
    crash.lift()
    return False


def test_after_a_crash_before_any_statement_the_books_are_the_same(sqlite_file: bytes) -> None:
    with fresh(sqlite_file) as engine:
        play(opened(engine))
        whole = dump(engine)
    went_down, statement = True, 0
    while went_down:
        statement += 1
        with fresh(sqlite_file) as engine:
            went_down = play_with_a_crash(engine, statement)
            assert dump(engine) == whole, f"after a crash before statement {statement}"
    assert statement > 100  # or the story is not told at all


def test_on_postgresql_too(postgresql_books: PostgresqlBooks) -> None:
    def books_after_a_crash(statement: int) -> dict[str, Any]:
        with postgresql_books() as engine:
            play_with_a_crash(engine, statement)
            return dump(engine)

    whole = books_after_a_crash(10**9)
    for statement in range(1, 150, 7):  # SQLite has seen each of them; here the transactions are another's
        assert books_after_a_crash(statement) == whole, f"after a crash before statement {statement}"


def test_the_line_of_score_never_shrinks(sqlite: Engine) -> None:
    scene = opened(sqlite)
    ends = []
    for records in STORY:
        scene.take(*records)
        with reading(sqlite) as connection:
            ends.append(SqlShares(connection).end())
    assert ends == sorted(set(ends))
