"""A random pool's money, many times over: shares of two journals, blocks that come and go, payments; told by a seed.

`check` plays one in memory as its records came; cut, grouped and sent again otherwise; and with its journals in another
order. What must be the same is the same, and every sum is held against the rule, written out here once more.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from payout import ledger, settlement
from payout.accounting import Accounting
from payout.accounts import Plan, Scheme, Stake
from payout.fold import Fold
from payout.intake import Rules
from payout.invariants import SOLVENT
from payout.ports import BookedBlock, LedgerStore
from payout.pps import PSAT, price
from payout.rewards import UNIT, Startup
from payout.scoring import Work, work_of
from pool.ports import Record, ShareBatch
from pool.work.share import Outcome, Share
from tests.payout.memory_books import MemoryBooks
from tests.payout.scene import MINUTE_MS, NETWORK, REWARD_SAT, RULES, START_MS, FakeChain, job

FRONTENDS = ("1" * 16, "2" * 16)
DIFFICULTIES = (1 / 4, 1 / 3, 1.0, 3 / 7, 0.001, 1e-9, 5.0)
_WINDOWS = tuple(map(Fraction, ("1/2", "1", "3/2", "8")))
_REORG_MAX = 20
_PLAIN = ("alice", "bob", "carol", "bc1qz", "Z")


class Piece(Struct, frozen=True):
    """Records of a journal that came in together. first_seq: of the first one."""

    frontend: str
    first_seq: int
    records: tuple[Record, ...]


class Reach(Struct, frozen=True):
    """The chain is so high now, and has these blocks of ours; else those of others."""

    tip: int
    ours: dict[int, bytes]


class Story(Struct, frozen=True):
    """One case. acts: what came in between two looks at the chain, and then the look."""

    seed: int
    rules: Rules
    plans: dict[str, tuple[Plan, ...]]
    acts: tuple[tuple[tuple[Piece, ...], Reach], ...]
    reward_sat: int


def story_of(seed: int) -> Story:
    """The story of a seed."""
    rng = random.Random(seed)
    rules = replace(
        RULES,
        window_x=rng.choice(_WINDOWS),
        startup=rng.choice(tuple(Startup)),
        default_fee_bps=rng.choice((0, 1, 100, 9_999, 10_000)),
    )
    half_way_ms = START_MS + 1 + rng.randrange(4) * MINUTE_MS
    plans = {
        "kz": (Plan(Scheme.PPS, rng.randrange(10_001), START_MS),),
        "ru": (Plan(Scheme.PPS, 0, START_MS), Plan(Scheme.PPLNS, 77, half_way_ms)),
        "alice": (Plan(Scheme.PPLNS, 3, START_MS), Plan(rng.choice((Scheme.PPS, Scheme.PPLNS)), 250, half_way_ms)),
    }
    heights: dict[bytes, int] = {}
    seqs = dict.fromkeys(FRONTENDS, 1)
    acts = []
    ours: dict[int, bytes] = {}
    minute, tip = 0, 99
    for _ in range(rng.randrange(2, 5)):
        pieces = []
        for frontend in rng.choices(FRONTENDS, k=rng.randrange(4)):
            records = []
            for _ in range(rng.randrange(6)):
                minute += rng.random() < 0.2
                records.append(_record(rng, minute, heights))
            if records:
                pieces.append(Piece(frontend, seqs[frontend], tuple(records)))
                seqs[frontend] += len(records)
        more = rng.choice((1, 3, 8, 100))
        # A chain changes by a new tip only, never deep down, and not while nobody looks for a hundred blocks.
        fixed = {height: ours.get(height) for height in heights.values() if more == 100 and height <= tip}
        fixed |= {height: ours.get(height) for height in heights.values() if height <= tip - _REORG_MAX}
        tip += more
        chosen = {height: each for each, height in heights.items() if rng.random() < 0.7} | fixed
        ours = {height: each for height, each in chosen.items() if each is not None}
        acts.append((tuple(pieces), Reach(tip, ours)))
    return Story(seed, rules, plans, tuple(acts), rng.choice((REWARD_SAT, 0, 1, 7, 312_500_001, 5_000_000_000)))


def _record(rng: random.Random, minute: int, heights: dict[bytes, int]) -> Record:
    if rng.random() < 0.1:
        return job(minute)
    block_hash = None
    height = 100
    if rng.random() < 0.15:
        height += len(heights) // 2  # two at one height, now and then
        block_hash = rng.randbytes(32)
        heights[block_hash] = height
    return Share(
        time_ms=START_MS + max(0, minute - (rng.random() < 0.1)) * MINUTE_MS + rng.randrange(1000),
        outcome=Outcome.STALE if rng.random() < 0.1 else Outcome.ACCEPTED,
        job_id="a",
        account=rng.choice(("kz", "ru", *_PLAIN)),
        worker="rig",
        extranonce1=b"",
        extranonce2=b"",
        version=0,
        ntime=0,
        nonce=0,
        difficulty=rng.choice(DIFFICULTIES),
        nbits=NETWORK,
        height=height,
        slice_id=rng.choice((None, None, 1)),
        block_hash=block_hash,
    )


def batch_of(piece: Piece, start: int = 0, stop: int | None = None) -> ShareBatch:
    """Records of a piece on their way."""
    encoded = [msgspec.msgpack.encode(record) for record in piece.records[start:stop]]
    return ShareBatch(piece.frontend, piece.first_seq + start, len(encoded), b"".join(encoded))


class _Source:
    """Hands out what it is given; a gap is refused, and nothing else is."""

    def __init__(self, batches: Sequence[ShareBatch]) -> None:
        self._batches = batches
        self.refused = 0

    def read(self) -> Sequence[ShareBatch]:
        return self._batches

    def committed(self, batch: ShareBatch, high_water: int) -> None:
        assert high_water >= batch.last_seq

    def resend(self, batch: ShareBatch, high_water: int) -> None:
        assert batch.first_seq > high_water + 1
        self.refused += 1


class Player:
    """Plays a story into books."""

    def __init__(self, story: Story, store: LedgerStore, chain: FakeChain | None = None) -> None:
        self._story = story
        self._chain = chain or FakeChain()
        self._chain.reward_sat = story.reward_sat
        self._accounting = Accounting(store, self._chain, story.rules)

    def as_told(self) -> None:
        """Every piece alone, as it came."""
        for pieces, reach in self._story.acts:
            for piece in pieces:
                self._drain([batch_of(piece)])
            self.reach(reach)

    def otherwise(self, rng: random.Random) -> None:
        """The records in the same order, but cut, grouped in transactions and sent again as chance has it."""
        before: list[Piece] = []
        for pieces, reach in self._story.acts:
            waiting: list[ShareBatch] = []
            for piece in pieces:
                edges = sorted({0, len(piece.records), *(rng.randrange(1, 9) for _ in range(rng.randrange(3)))})
                edges = [edge for edge in edges if edge <= len(piece.records)]
                for start, stop in pairwise(edges):
                    waiting.append(batch_of(piece, max(0, start - rng.randrange(2)), stop))  # some records again
                    if rng.random() < 0.2:
                        waiting.append(waiting[rng.randrange(len(waiting))])
                    if rng.random() < 0.3:
                        assert not self._drain(waiting)
                        waiting = []
                before.append(piece)
            assert not self._drain(waiting)
            if before and rng.random() < 0.3:
                self._drain([batch_of(rng.choice(before))])
                ahead = rng.choice(before)
                far = replace(batch_of(ahead), first_seq=1_000)
                assert self._drain([far]) == 1
            self.reach(reach)
            self.reach(reach)

    def in_another_order(self) -> None:
        """One journal before the other, between two looks at the chain."""
        for pieces, reach in self._story.acts:
            for piece in sorted(pieces, key=lambda piece: piece.frontend, reverse=True):
                self._drain([batch_of(piece)])
            self.reach(reach)

    def reach(self, reach: Reach) -> None:
        """Move the chain, and follow it."""
        self._chain.tip = max(self._chain.tip, reach.tip)
        self._chain.ours = reach.ours
        list(self._accounting.follow(START_MS))

    def _drain(self, batches: Sequence[ShareBatch]) -> int:
        """How many of them were refused for a gap."""
        source = _Source(batches)
        list(self._accounting.drain(source))
        return source.refused


def check(seed: int) -> MemoryBooks:
    """Play the story of a seed in its three forms; the books as told. Raises AssertionError."""
    story = story_of(seed)
    told, otherwise, swapped = books_of(story), books_of(story), books_of(story)
    Player(story, told).as_told()
    Player(story, otherwise).otherwise(random.Random(seed))
    Player(story, swapped).in_another_order()
    assert otherwise.shares.line == told.shares.line
    assert list(otherwise.journal.rows()) == list(told.journal.rows())
    assert otherwise.accruals.__dict__ == told.accruals.__dict__
    assert swapped.shares.window(0, swapped.shares.end()) == told.shares.window(0, told.shares.end())
    assert _earned_psat(swapped) == _earned_psat(told)
    in_turn = [piece for pieces, _ in story.acts for piece in pieces]
    in_other_turn = [
        piece for pieces, _ in story.acts for piece in sorted(pieces, key=lambda each: each.frontend, reverse=True)
    ]
    for books, order in ((told, in_turn), (swapped, in_other_turn)):
        check_money(story, books, [record for piece in order for record in piece.records])
    _pay(random.Random(seed), told)
    return told


def books_of(story: Story) -> MemoryBooks:
    """Empty books with the accounts of a story."""
    books = MemoryBooks()
    for name, plans in story.plans.items():
        books.accounts.open(name, *plans)
    return books


def check_ledger(books: MemoryBooks) -> None:
    """Sums, hashes and sides of zero. Coins may lack here: nobody funds a reserve."""
    fold = Fold()
    wrong = [finding for row in books.journal.rows() for finding in fold.take(row)]
    assert [*wrong, *(each for each in fold.check_balances() if each.invariant != SOLVENT)] == []


def check_money(story: Story, books: MemoryBooks, records: Iterable[Record]) -> None:
    """Every sum of the books beside the rule. records: in the order in which they came in."""
    check_ledger(books)
    for before in list(books.journal.rows()):
        assert books.journal.post([before.posting]) == 0  # again changes nothing
    line: list[tuple[Stake, int]] = []
    places: dict[bytes, int] = {}
    owed_psat: dict[str, int] = {}
    for record in records:
        if not isinstance(record, Share):
            continue
        if record.outcome is Outcome.ACCEPTED:
            plan = _plan(story, record)
            line.append((Stake(record.account, record.slice_id or 0, plan.scheme, plan.fee_bps), _work(record).units))
            if plan.scheme is Scheme.PPS:
                work = _work(record)
                earned = price(work.share, work.network, 900_000, plan.fee_bps).net_psat
                owed_psat[record.account] = owed_psat.get(record.account, 0) + earned
        if record.block_hash is not None:
            places.setdefault(record.block_hash, len(line))
    assert books.shares.line == line
    assert {each.found.block_hash for each in books.blocks.every()} == places.keys()
    for block in books.blocks.every():
        if block.reward_sat is not None:
            _check_block(story, block, line[: places[block.found.block_hash]])
    _check_accruals(books, owed_psat)


def _check_block(story: Story, block: BookedBlock, line: Sequence[tuple[Stake, int]]) -> None:
    """Source: docs/payouts.md 1.4 to 1.6."""
    reward_sat, x = story.reward_sat, story.rules.window_x
    left = capacity = x.numerator * UNIT // x.denominator
    weights: dict[Stake, int] = {}
    for stake, units in reversed(line):
        weight = min(units, left)
        if not weight:
            break
        weights[stake] = weights.get(stake, 0) + weight
        left -= weight
    taken = capacity - left
    shared_sat = reward_sat if taken else 0
    if story.rules.startup is Startup.RESERVE:
        shared_sat = reward_sat * taken // capacity
    exact = {stake: Fraction(shared_sat * weight, taken) for stake, weight in weights.items()}
    gross_sat = {stake: part.numerator // part.denominator for stake, part in exact.items()}
    missing = shared_sat - sum(gross_sat.values())
    for stake in sorted(exact, key=lambda stake: (gross_sat[stake] - exact[stake], stake))[:missing]:
        gross_sat[stake] += 1
    assert {each.key: (each.weight, each.gross_sat) for each in block.credits} == {
        stake: (weights[stake], gross_sat[stake]) for stake in weights
    }
    for each in block.credits:
        fee_bps = 0 if each.key.scheme is Scheme.PPS else each.key.fee_bps
        assert each.fee_sat == each.gross_sat * fee_bps // 10_000
        assert each.bought_sat == (each.gross_sat if each.key.scheme is Scheme.PPS else 0)
    paid_sat = sum(each.net_sat + each.fee_sat + each.bought_sat for each in block.credits)
    assert (block.reward_sat, paid_sat + block.reserve_sat) == (reward_sat, reward_sat)


def _check_accruals(books: MemoryBooks, owed_psat: dict[str, int]) -> None:
    """What shares earned is in the ledger, carried, or waits for the end of its period: not a picosatoshi else."""
    found_psat = dict.fromkeys(owed_psat, 0)
    for row in books.journal.rows():
        if row.posting.kind == "pps":
            [paid_sat] = [each.amount_sat for each in row.posting.entries if each.account == ledger.PPS_RESERVE]
            found_psat[row.posting.ref] += paid_sat * PSAT
    for name, psat in books.accruals.carries_psat.items():
        found_psat[name] += psat
    for (period_ms, name), psat in books.accruals.earned_psat.items():
        if (period_ms, name) not in books.accruals.settled:
            found_psat[name] += psat
    assert found_psat == owed_psat


def _earned_psat(books: MemoryBooks) -> dict[str, int]:
    totals: dict[str, int] = {}
    for (_, name), psat in books.accruals.earned_psat.items():
        totals[name] = totals.get(name, 0) + psat
    return totals


def _pay(rng: random.Random, books: MemoryBooks) -> None:
    """Pay what can be paid in batches, each through a life of its own; the ledger returns to the satoshi or is paid."""
    for number in range(1, 4):
        balances = books.journal.balances_sat()
        candidates = [
            settlement.Candidate(name, -sat, rng.choice((1, 1_000)), name[0], 1, rng.random() < 0.9, 0, "active")
            for name, sat in ((entry.split(":")[1], sat) for entry, sat in balances.items() if _is_available(entry))
        ]
        coins_sat = balances.get(ledger.WALLET, 0)
        fee_sat = rng.randrange(1 + coins_sat // 10)
        chosen = settlement.select(candidates, 0, rng.randrange(1, 4), coins_sat - fee_sat)
        assert sum(chosen.outputs_sat.values()) == chosen.total_sat <= coins_sat - fee_sat
        assert {line.account for line in chosen.lines} | chosen.skipped.keys() == {each.account for each in candidates}
        if chosen.lines:
            _pay_batch(rng, books, str(number), {line.account: line.amount_sat for line in chosen.lines}, fee_sat)
    check_ledger(books)


def _pay_batch(rng: random.Random, books: MemoryBooks, name: str, amounts_sat: dict[str, int], fee_sat: int) -> None:
    before = books.journal.balances_sat()
    books.journal.post([settlement.reserve(name, amounts_sat, 1)])
    if rng.random() < 0.3:
        books.journal.post([settlement.release(name, amounts_sat, 2)])
        assert books.journal.balances_sat() == before
        return
    for flip in range(rng.randrange(3)):
        posted = replace(settlement.confirm(name, amounts_sat, fee_sat, 3), key=f"payout:{name}:confirmed{flip}")
        taken_back = ledger.reverse(posted, f"payout:{name}:unconfirmed{flip}", "payout.unconfirmed", 4)
        books.journal.post([posted, taken_back])
    books.journal.post([settlement.confirm(name, amounts_sat, fee_sat, 5)])
    assert books.journal.post([settlement.confirm(name, amounts_sat, fee_sat, 6)]) == 0
    after = books.journal.balances_sat()
    for account, sat in amounts_sat.items():
        assert ledger.reserved(account) not in after
        assert after.get(ledger.available(account), 0) - before[ledger.available(account)] == sat
    assert before[ledger.WALLET] - after.get(ledger.WALLET, 0) == sum(amounts_sat.values()) + fee_sat


def _is_available(account: str) -> bool:
    return account.startswith("liab:") and account.endswith(":available")


def _plan(story: Story, share: Share) -> Plan:
    plans = story.plans.get(share.account, (Plan(Scheme.PPLNS, story.rules.default_fee_bps, 0),))
    return next((plan for plan in reversed(plans) if plan.valid_from_ms <= share.time_ms), plans[0])


def _work(share: Share) -> Work:
    return _work_at(share.difficulty)


@lru_cache
def _work_at(difficulty: float) -> Work:
    return work_of(replace(_SHARE, difficulty=difficulty))


_SHARE = Share(0, Outcome.ACCEPTED, "a", "a", "", b"", b"", 0, 0, 0, 1.0, NETWORK, 100)


def pieces_of(story: Story) -> Iterator[Piece]:
    """All of it, as it came."""
    for pieces, _ in story.acts:
        yield from pieces
