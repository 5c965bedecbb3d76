"""Random cases of money in SQL: the ledger of a story is the one in memory, row for row, and so is its rebuild."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from payout.accounts import Plan
from tests.databases import fresh
from tests.payout.fake_wallet import script
from tests.payout.memory_books import MemoryBooks
from tests.payout.money_cases import Player, pieces_of, story_of
from tests.payout.payment_story import OWED_SAT, pay_out, paying, tell
from tests.payout.scene import START_MS
from tests.pool.rebuild.pools import Pool, differences


def check_in_sql(seed: int, told: MemoryBooks, empty: bytes) -> None:
    """told: the books of the story in memory, which may have gone on. empty: a database file without a row."""
    story = story_of(seed)
    with fresh(empty) as engine, TemporaryDirectory() as folder:
        pool = Pool(Path(folder), engine, empty, story.rules)
        (Path(folder) / "journal").mkdir()
        with pool.scene.ledger.write() as books:
            for name, (first, *later) in story.plans.items():
                books.accounts.add(name, first.scheme, first.fee_bps, None, first.valid_from_ms)
                for plan in later:
                    books.accounts.change_plan(name, Plan(plan.scheme, plan.fee_bps, plan.valid_from_ms), START_MS)
        assert pool.scene.slice("kz", None) == 1
        for piece in pieces_of(story):
            pool.write(*piece.records, frontend=piece.frontend)
        Player(story, pool.scene.ledger, pool.scene.chain).as_told()
        rows = pool.scene.rows()
        assert rows == list(islice(told.journal.rows(), len(rows)))
        pool.scene.balances()
        assert differences(pool.rebuild()) == {}


def check_payments(story: Sequence[str], empty: bytes) -> None:
    """Whatever happens to payments, every line is paid exactly once, and a rebuild has the same ledger at any time."""
    with fresh(empty) as engine, TemporaryDirectory() as folder:
        (Path(folder) / "journal").mkdir()
        pool = Pool(Path(folder), engine, empty)
        scene = paying(engine)
        tell(scene, story)
        assert differences(pool.rebuild()) == {}
        pay_out(scene)
        assert scene.wallet.paid_sat() == {script(name): sat for name, sat in OWED_SAT.items()}
        assert scene.stopped() is None
        scene.balances()
        assert differences(pool.rebuild()) == {}
