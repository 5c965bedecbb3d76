"""pool.rebuild.rebuild: what is computed again is what the pool has, and what was changed is named."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import Engine

from payout import treasury
from payout.accounts import Plan, Scheme
from payout.fee_days import DAY_MS, day_of
from payout.ledger import posting
from payout.treasury import Terms
from pool.ports import NodeUnavailable, Record, ShareBatch
from pool.rebuild.journals import RebuildImpossible
from pool.work.share import Outcome
from tests.databases import PostgresqlBooks, dump, fresh
from tests.payout.scene import MINUTE_MS, RULES, START_MS, batch, job, share
from tests.payout.test_accounting import RECORDS
from tests.pool.rebuild.pools import ONE, TWO, Pool, differences


def play(pool: Pool) -> None:
    """Two journals, both schemes, a change of plan; blocks that are mature, orphaned for a while, dead, open."""
    scene = pool.scene
    scene.account("kz", Scheme.PPS, 100)
    scene.account("host", Scheme.PPLNS)
    scene.slice("kz", "net 333 host; left 10 tax:KZ; share @owner 80 host 20")
    with scene.ledger.write() as books:
        books.accounts.change_plan("kz", Plan(Scheme.PPLNS, 50, START_MS + 3 * MINUTE_MS), START_MS)
    pool.take(job(0), share("alice"), share("kz", block="B1", height=100), share("bob", slice_id=1))
    pool.take(job(0), share("bob", "1/3"), share("bob", block="B3", height=150), frontend=TWO)
    pool.take(share("carol", outcome=Outcome.STALE, block="B5", height=120))
    scene.reach(150, B1=100, B3=150)
    pool.take(job(1), frontend=TWO)
    pool.take(
        share("kz", slice_id=1),
        share("alice", minute=2, block="B2", height=200),
        share("alice", block="B4", height=300),
    )
    scene.reach(160, B3=0)
    scene.reach(170, B3=150)
    pool.take(share("kz", minute=2), share("kz", minute=3), share("kz", minute=2), frontend=TWO)
    pool.take(job(5))
    scene.reach(200, B2=200, B3=0)


@pytest.fixture
def pool(sqlite: Engine, sqlite_file: bytes, tmp_path: Path) -> Pool:
    made = Pool(tmp_path, sqlite, sqlite_file)
    play(made)
    return made


def play_all_schemes(pool: Pool) -> None:
    """All five, changes of plan and one taken back, a stop and a going on, two days of FPPS, a funded reserve."""
    scene = pool.scene
    for scheme in Scheme:
        scene.account(f"on_{scheme.value}", scheme, 100)
    scene.account("host", Scheme.PPLNS)
    scene.slice("on_pps", "net 333 host; left 10 tax:KZ; share @owner 80 host 20")
    with scene.ledger.write() as books:
        treasury.fund(books, Terms(RULES.reserve, RULES.subsidy_sat), "in", 5_000_000, START_MS)
    scene.change_plan("on_pps", Scheme.PPS_PLUS, 250, 2)
    scene.change_plan("on_fpps", Scheme.FPPS, 250, 2)
    scene.change_plan("on_solo", Scheme.PPLNS, 0, 3)
    scene.change_plan("on_pplns", Scheme.SOLO, 0, 9)
    with scene.ledger.write() as books:
        books.accounts.cancel_plan("on_pplns", START_MS)
    scene.decide(103, is_stopped=True)
    scene.decide(105, is_stopped=False)
    for minute in range(4):
        shares = [
            share(f"on_{scheme.value}", "1/3", minute=minute, height=100 + 2 * minute, slice_id=minute % 2 or None)
            for scheme in Scheme
        ]
        found = share("on_solo", minute=minute, block=f"B{minute}", height=100 + 2 * minute)
        pool.take(*shares, found, share("on_pps_plus", minute=minute, block=f"C{minute}", height=101 + 2 * minute))
    scene.reach(107, **{f"B{minute}": 100 + 2 * minute for minute in range(4)})
    scene.reach(107, **{f"C{minute}": 101 + 2 * minute for minute in range(4)})
    for day in range(2):
        minutes = (day_of(START_MS) + (day + 1) * DAY_MS - START_MS) // MINUTE_MS
        pool.take(share("on_fpps", minute=minutes - 1), share("on_solo", minute=minutes, height=200), job(minutes))
        scene.chain.add_day(day_of(START_MS) + day * DAY_MS, [0, 5, 5, 5, 100_000, 200_000, 300_000, 7, 8])
        assert any(scene.accounting.settle_day() for _ in range(20))
    scene.chain.tip = 220


class TestIdentical:
    def test_all_schemes_their_changes_and_their_days_are_computed_again(
        self, engine: Engine, sqlite_file: bytes, tmp_path: Path
    ) -> None:
        pool = Pool(tmp_path, engine, sqlite_file)
        play_all_schemes(pool)
        report = pool.rebuild()
        assert differences(report) == {}
        counted = {check.what: check.live for check in report.checks}
        assert (counted["blocks"], counted["what FPPS adds fees to, by day"]) == (8, 3)
        kinds = {row.posting.kind for row in pool.scene.rows()}
        assert kinds == {"block.immature", "pps", "fpps", "reserve"}
        assert "1 rows of plan_cancel" in report.taken_over
        assert "2 rows of pps_stop" in report.taken_over
        assert not [each for each in report.taken_over if each.startswith("0 ")]

    def test_a_whole_story_is_computed_again_to_the_satoshi(
        self, engine: Engine, sqlite_file: bytes, tmp_path: Path
    ) -> None:
        pool = Pool(tmp_path, engine, sqlite_file)
        play(pool)
        report = pool.rebuild()
        assert differences(report) == {}
        assert report.identical
        counted = {check.what: (check.live, check.rebuilt) for check in report.checks}
        assert counted["batches of shares"] == (7, 7)
        assert counted["blocks"] == (5, 5)
        assert counted["postings of the ledger"][0] >= 8
        assert counted["statistics: workers"] == (6, 6)
        assert all(live == rebuilt for live, rebuilt in counted.values())

    def test_on_postgresql_too(self, pool: Pool, postgresql_books: PostgresqlBooks) -> None:
        with postgresql_books() as engine:
            assert pool.rebuild_into(engine).identical

    def test_twice_is_the_same_row_for_row(self, pool: Pool, sqlite_file: bytes) -> None:
        with fresh(sqlite_file) as one, fresh(sqlite_file) as two:
            assert pool.rebuild_into(one).identical
            assert pool.rebuild_into(two).identical
            assert dump(one) == dump(two)
            live = dump(pool.scene.engine)
            assert {name: rows for name, rows in dump(one).items() if rows != live[name]} == {}

    def test_nothing_at_all_is_identical(self, sqlite: Engine, sqlite_file: bytes, tmp_path: Path) -> None:
        (tmp_path / "journal").mkdir()
        assert Pool(tmp_path, sqlite, sqlite_file).rebuild().identical

    def test_what_is_not_in_the_ledger_yet_is_left_out(self, pool: Pool) -> None:
        pool.write(share("late"))
        assert pool.rebuild().identical

    def test_a_batch_that_ended_within_a_group_is_cut_there(
        self, sqlite: Engine, sqlite_file: bytes, tmp_path: Path
    ) -> None:
        pool = Pool(tmp_path, sqlite, sqlite_file)
        whole = pool.write(job(0), share("alice"), share("bob"))
        short = replace(whole, count=2, payload=batch([job(0), share("alice")]).payload)
        pool.scene.accounting.take(short)
        pool.scene.accounting.take(whole)
        report = pool.rebuild()
        assert differences(report) == {}
        assert [check.rebuilt for check in report.checks if check.what == "batches of shares"] == [2]

    def test_a_window_and_policy_of_another_time_are_taken_from_the_block(self, pool: Pool) -> None:
        pool.rules = replace(RULES, window_x=Fraction(1, 2))
        assert pool.rebuild().identical

    def test_a_block_that_pays_nothing_leaves_no_row_and_comes_out_where_it_is(
        self, sqlite: Engine, sqlite_file: bytes, tmp_path: Path
    ) -> None:
        pool = Pool(tmp_path, sqlite, sqlite_file)
        pool.scene.chain.reward_sat = 0
        pool.take(share("alice", block="B1", height=100), share("bob", block="B2", height=101))
        pool.scene.reach(100, B1=100)
        pool.scene.reach(105, B1=0)
        pool.scene.reach(106, B1=100, B2=101)
        pool.scene.reach(108, B1=0)
        assert pool.scene.rows() == []
        assert differences(pool.rebuild()) == {}

    def test_what_people_booked_is_taken_over(self, pool: Pool) -> None:
        paid = posting("adjust:7", "adjust", "7", START_MS, {"equity:opening": -5, "adjust:7": 5})
        with pool.scene.ledger.write() as books:
            books.journal.post([paid])
        assert pool.rebuild().identical

    @settings(max_examples=15, deadline=None)
    @given(one=RECORDS, two=RECORDS, cuts=st.lists(st.integers(1, 20), max_size=5), again=st.booleans())
    def test_however_records_came_in_the_rebuilt_is_the_same(
        self, sqlite_file: bytes, one: list[Record], two: list[Record], cuts: list[int], again: bool
    ) -> None:
        with fresh(sqlite_file) as engine, TemporaryDirectory() as folder:
            pool = Pool(Path(folder), engine, sqlite_file)
            pool.scene.account("kz", Scheme.PPS, 250)
            pool.scene.account("host", Scheme.PPLNS)
            pool.scene.slice("kz", "net 333 host; left 10 tax:KZ; share @owner 80 host 20")
            (Path(folder) / "journal").mkdir()
            for start, stop in pairwise(sorted({0, 20, *cuts})):
                for frontend, records in ((ONE, one), (TWO, two)):
                    if part := records[start:stop]:
                        written = pool.write(*part, frontend=frontend)
                        pool.scene.accounting.take(written)
                        if again:
                            pool.scene.accounting.take(written)
            assert differences(pool.rebuild()) == {}


class TestTampering:
    @pytest.mark.parametrize(
        ("change", "named"),
        [
            ("UPDATE high_water SET seq = seq + 1", None),
            ("UPDATE share_batch SET shares = (SELECT shares FROM share_batch WHERE id = 2) WHERE id = 1", "batch 1"),
            ("UPDATE share_batch SET score_after = zeroblob(24) WHERE id = 3", "batch 3"),
            ("DELETE FROM share_batch WHERE id = 4", "batch"),
            ("UPDATE stake SET fee_bps = 7 WHERE id = 1", "alice (slice 0, pplns, 7 bps)"),
            ("UPDATE plan SET fee_bps = 7 WHERE account_id = 3", "bps"),
            ("UPDATE account SET name = 'mallory' WHERE name = 'alice'", "mallory"),
            ("UPDATE pps_accrual SET earned_psat = earned_psat + 1 WHERE period_ms = 1700000040000", "psat"),
            ("UPDATE pps_carry SET carry_psat = carry_psat + 1", "kz"),
            ("UPDATE entry SET amount_sat = amount_sat - 1 WHERE account = 'liab:kz:available'", "liab:kz:available"),
            ("UPDATE journal SET time_ms = time_ms + 1 WHERE id = 1", "its hash does not fit its content"),
            ("DELETE FROM journal WHERE id = 2", "it does not follow the row before it"),
            ("UPDATE journal SET key = key || 'x' WHERE kind = 'pps'", "none live, pps:kz:"),
            ("UPDATE credit SET gross_sat = gross_sat + 1, fee_sat = fee_sat + 1", "sat, fee"),
            ("UPDATE block SET reward_sat = reward_sat + 1 WHERE state = 'mature'", "1000001 sat"),
            ("UPDATE block SET finder = 'mallory' WHERE state = 'mature'", "mallory"),
            ("UPDATE block SET state = 'mature' WHERE state = 'immature'", ":mature: none live"),
            ("UPDATE block SET seq = 1 WHERE height = 300", "seq=1"),
            ("DELETE FROM credit", "none live"),
            ("DELETE FROM block WHERE height = 300", "none live"),
            ("UPDATE progress SET value = 7 WHERE name = 'pps_period_ms'", "pps_period_ms: 7 live"),
        ],
    )
    def test_what_was_changed_in_the_ledger_is_named(self, pool: Pool, change: str, named: str | None) -> None:
        pool.tamper(change)
        if named is None:
            with pytest.raises(RebuildImpossible, match="ends before record"):
                pool.rebuild()
            return
        report = pool.rebuild()
        assert not report.identical
        assert named in "\n".join(report.lines())

    def test_sums_over_batches_are_compared(self, sqlite: Engine, sqlite_file: bytes, tmp_path: Path) -> None:
        pool = Pool(tmp_path, sqlite, sqlite_file)
        for _ in range(64):
            pool.take(share("alice"))
        assert pool.rebuild().identical
        pool.tamper("UPDATE share_sum SET sums = x'80'")
        assert differences(pool.rebuild()) == {"sums of batches": ["sum 0 of height 1"]}

    def test_a_worker_s_counter_in_redis_is_named(self, pool: Pool) -> None:
        found = pool.tallies.shown[ONE]
        assert found is not None
        seq, snapshot = found
        tally = snapshot.workers["alice.rig"]
        pool.tallies.shown[ONE] = (
            seq,
            replace(snapshot, workers={**snapshot.workers, "alice.rig": replace(tally, work=tally.work + 1)}),
        )
        ((what, (text,)),) = differences(pool.rebuild()).items()
        assert what == "statistics: workers"
        assert text == (
            f"alice.rig, journal {ONE} up to record {seq}: work {tally.work + 1} live, {tally.work} rebuilt"
        )

    def test_a_worker_that_is_missing_in_redis_is_named(self, pool: Pool) -> None:
        found = pool.tallies.shown[ONE]
        assert found is not None
        pool.tallies.shown[ONE] = found[0], replace(found[1], workers={})
        assert "only rebuilt" in "\n".join(pool.rebuild().lines())

    @pytest.mark.parametrize("ring", ["fine", "coarse"])
    def test_a_step_of_the_hashrate_over_time_in_redis_is_named(self, pool: Pool, ring: str) -> None:
        found = pool.tallies.shown[ONE]
        assert found is not None
        seq, snapshot = found
        assert snapshot.history is not None
        first, *others = getattr(snapshot.history, ring)
        changed = replace(snapshot.history, **{ring: (replace(first, rejected=first.rejected + 1), *others)})
        pool.tallies.shown[ONE] = seq, replace(snapshot, history=changed)
        ((what, (text,)),) = differences(pool.rebuild()).items()
        assert what == "statistics: over time"
        assert f"s from {first.start_s}, journal {ONE} up to record {seq}: " in text
        assert text.endswith(f"rejected {first.rejected + 1} live, {first.rejected} rebuilt")

    def test_a_history_that_is_missing_in_redis_is_named(self, pool: Pool) -> None:
        found = pool.tallies.shown[ONE]
        assert found is not None
        pool.tallies.shown[ONE] = found[0], replace(found[1], history=None)
        assert all("only rebuilt" in text for text in differences(pool.rebuild())["statistics: over time"])

    def test_statistics_that_have_faded_are_not_compared_but_told(self, pool: Pool) -> None:
        pool.tallies.shown[ONE] = None
        report = pool.rebuild()
        assert report.identical
        assert f"statistics of journal {ONE} have faded from Redis: nothing to compare" in report.taken_over

    def test_a_block_that_the_chain_does_not_have_is_named(self, pool: Pool) -> None:
        pool.scene.chain.ours = {}
        assert "not in the chain" in "\n".join(pool.rebuild().lines())

    def test_a_node_that_is_away_is_told(self, pool: Pool) -> None:
        pool.scene.chain.failure = NodeUnavailable("nobody answers")
        report = pool.rebuild()
        assert report.identical
        assert "not compared any further: nobody answers" in "\n".join(report.lines())


class TestImpossible:
    def test_a_place_that_is_not_empty_is_refused(self, pool: Pool) -> None:
        with pytest.raises(RebuildImpossible, match="is not empty, it has rows in account: name another place"):
            pool.rebuild_into(pool.scene.engine)

    def test_a_journal_that_is_not_there_is_named(self, pool: Pool) -> None:
        pool.tallies.shown.clear()
        pool.scene.accounting.take(ShareBatch("3" * 16, 1, 1, batch([share("alice")]).payload))
        with pytest.raises(RebuildImpossible, match="the journal 3333333333333333 is not here"):
            pool.rebuild()
