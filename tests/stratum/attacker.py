"""A miner that tries to be paid for more than it hashed, by whatever order of requests.

It plays with difficulties, old jobs, variants, spellings, replays over other sessions, resumed ones and restarts.
Whatever it does: a header is paid once; a share meets the difficulty that it is paid by; and the difficulty of an
extranonce1 on a job is what it was when the two could first be hashed together. Then each hash has one chance, fixed
beforehand, and pays on average what it cost.

A long run: `scripts/fuzz attacker 600`.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import native
from pool.work.job import Job
from pool.work.share import Outcome, Share
from pool.work.variant import NO_MARK
from stratum.difficulty import judged_target
from stratum.resume import check_of, former_run
from stratum.session import Session
from stratum.states import State
from tests.stratum.scene import MAINNET_NBITS, NEXT_TIP, NTIME, TIP, Miner, Pool, make_job, request

# Easy enough that a few hashes decide, and far enough apart to be worth a choice.
DIFFICULTIES = (1e-10, 1e-9, 4e-9, 2e-8)
START = 1e-9

LOGINS = ("alice.rig1", "bob")
PASSWORDS = ("x", "md=4e-9", *(f"d={difficulty!r}" for difficulty in DIFFICULTIES))

# Judged against a difficulty: these say something about the hash.
_MEASURED = (Outcome.ACCEPTED, Outcome.LOW_DIFFICULTY, Outcome.DUPLICATE)


class Books:
    """What was ever journalled, over all runs."""

    def __init__(self) -> None:
        self.records: list[Any] = []
        self.checks: dict[str, native.JobCheck] = {}
        self.paid: set[bytes] = set()
        # The difficulty that a hash was measured by, whatever came of it.
        self.measured: dict[bytes, float] = {}
        # By extranonce1 and job: the difficulty due when the two were first known together; None without a session.
        self.promised: dict[tuple[bytes, str], float | None] = {}

    def take(self, record: Any) -> None:
        self.records.append(record)
        if isinstance(record, Job):
            self.checks[record.job_id] = check_of(record)
        elif isinstance(record, Share) and record.outcome in _MEASURED:
            self.measure(record)

    def measure(self, share: Share) -> None:
        promised = self.promised[share.extranonce1, share.job_id]
        assert share.difficulty == promised, (share, promised)
        check = self.checks[share.job_id]
        header = check.header(share.extranonce1, share.extranonce2, share.version, share.ntime, share.nonce)
        digest = native.sha256d(header)
        assert self.measured.setdefault(digest, share.difficulty) == share.difficulty, share
        if share.outcome is Outcome.ACCEPTED:
            assert digest not in self.paid, share
            self.paid.add(digest)
            assert digest[::-1] <= judged_target(share.difficulty, share.nbits)[::-1], share


class Attacker(RuleBasedStateMachine):
    """One pool after the other, with one journal, and up to five connections."""

    def __init__(self) -> None:
        super().__init__()
        self.books = Books()
        self.runs = 0
        self.jobs = 0
        self.read = 0
        # What the attacker knows.
        self.session_ids: list[str] = []
        self.job_ids: list[str] = []
        # The last session that held an extranonce1, of this run; None if it is of an earlier one.
        self.holders: dict[bytes, Session | None] = {}
        self.miners: list[Miner] = []
        self.memory: dict[str, tuple[float, int]] = {}
        self.tip = TIP
        self.now_ms = NTIME * 1000
        self.start()

    def start(self) -> None:
        self.runs += 1
        counters = range(0x1000 * self.runs, 0x1000 * self.runs + 600)
        values = [b"\x07" + counter.to_bytes(3, "big") for counter in counters]
        self.pool = Pool(START, minimum=1e-10, maximum=1e-6, extranonces=values)
        self.pool.clock.now_ms = self.now_ms
        if self.books.records:
            self.pool.server.restore(former_run(self.books.records))
        self.pool.server.remembered.learn(self.memory, self.now_ms)
        self.pool.server.start()
        self.read = 0
        self.new_job(repeat=self.runs > 1)

    def new_job(self, *, repeat: bool = False) -> None:
        """From the work role; after a restart it repeats the newest."""
        self.jobs += not repeat
        coinb1 = bytes(30) + self.jobs.to_bytes(4, "big") + NO_MARK + b"\x0c"
        self.pool.server.take_job(make_job(f"{0xA000 + self.jobs:x}", self.tip, coinb1=coinb1))

    @rule(
        login=st.sampled_from(LOGINS), password=st.sampled_from(PASSWORDS), early=st.booleans(), old=st.integers(0, 9)
    )
    def connect(self, login: str, password: str, early: bool, old: int) -> None:
        if len(self.miners) >= 5:
            self.disconnect(0)
        session_id = self.session_ids[-1 - old] if old < len(self.session_ids) else None
        lines = [
            request("mining.subscribe", ["x"] if session_id is None else ["x", session_id]),
            request("mining.authorize", [login, password], 2),
        ]
        self.miners.append(self.pool.connect(*(reversed(lines) if early else lines)))

    @rule(old=st.integers(0, 9))
    def subscribe(self, old: int) -> None:
        """And think about the rest later."""
        if len(self.miners) >= 5:
            self.disconnect(0)
        session_id = self.session_ids[-1 - old] if old < len(self.session_ids) else None
        self.miners.append(self.pool.connect(request("mining.subscribe", ["x", session_id])))

    @precondition(lambda self: len(self.miners) > 0)
    @rule(which=st.integers(0, 4))
    def disconnect(self, which: int) -> None:
        self.miners.pop(which % len(self.miners)).disconnect()

    @precondition(lambda self: len(self.miners) > 0)
    @rule(password=st.sampled_from(PASSWORDS), login=st.sampled_from(LOGINS), which=st.integers(0, 4))
    def authorize(self, password: str, login: str, which: int) -> None:
        self.send(which, request("mining.authorize", [login, password], 3))

    @precondition(lambda self: len(self.miners) > 0)
    @rule(difficulty=st.sampled_from(DIFFICULTIES), which=st.integers(0, 4))
    def suggest(self, difficulty: float, which: int) -> None:
        self.send(which, request("mining.suggest_difficulty", [difficulty], None))

    @precondition(lambda self: len(self.miners) > 0)
    @rule(difficulty=st.sampled_from(DIFFICULTIES), which=st.integers(0, 4))
    def configure(self, difficulty: float, which: int) -> None:
        options = {"minimum-difficulty.value": difficulty}
        self.send(which, request("mining.configure", [["minimum-difficulty", "subscribe-extranonce"], options], 5))

    @precondition(lambda self: len(self.miners) > 0 and len(self.job_ids) > 0)
    @rule(nonces=st.integers(1, 40), job=st.integers(0, 3), spelling=st.sampled_from("xX0"), which=st.integers(0, 4))
    def submit(self, nonces: int, job: int, spelling: str, which: int) -> None:
        self.hand_in(which, self.job_ids[-1 - job % len(self.job_ids)], nonces, spelling)

    @precondition(lambda self: len(self.miners) > 0 and len(self.job_ids) > 0)
    @rule(which=st.integers(0, 4), nonces=st.integers(1, 40))
    def replay_all(self, which: int, nonces: int) -> None:
        """Whatever there is for whatever was known lately."""
        for job_id in self.job_ids[-6:]:
            self.hand_in(which, job_id, nonces, "x")

    def hand_in(self, which: int, job_id: str, nonces: int, spelling: str) -> None:
        logins = self.miners[which % len(self.miners)].protocol.session.logins
        login = next(iter(logins), LOGINS[0])
        for nonce in range(0xA0, 0xA0 + nonces):
            text = {"x": f"{nonce:08x}", "X": f"{nonce:X}", "0": f"{nonce:x}"}[spelling]
            self.send(which, request("mining.submit", [login, job_id, "00" * 8, f"{NTIME:08x}", text], 4))
        self.pool.turn()

    @rule(seconds=st.sampled_from((1, 3, 11, 70)))
    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.pool.pass_seconds(1)
            self.learn()

    @rule()
    def next_job(self) -> None:
        self.new_job()

    @rule()
    def next_tip(self) -> None:
        self.tip = NEXT_TIP if self.tip == TIP else TIP
        self.new_job()

    @rule()
    def change_extranonce(self) -> None:
        self.pool.server.announcements.change_extranonce()

    @rule()
    def restart(self) -> None:
        self.pool.turn()
        self.learn()
        self.memory = self.pool.server.remembered.entries(self.pool.clock.now_ms)
        self.now_ms = self.pool.clock.now_ms
        self.holders = dict.fromkeys(self.holders)
        self.miners.clear()
        self.start()

    def send(self, which: int, line: bytes) -> None:
        if self.miners:
            self.miners[which % len(self.miners)].send(line)

    @invariant()
    def learn(self) -> None:
        """Read what the miners were told; then what came into the journal."""
        for miner in self.miners:
            session = miner.protocol.session
            if session.extranonce1 and session.state is not State.CLOSED:
                self.holders[session.extranonce1] = session
            self.hear(miner)
        for extranonce1, holder in self.holders.items():
            for job_id in self.job_ids:
                if (extranonce1, job_id) not in self.books.promised:
                    due = None if holder is None else holder.difficulty.due(MAINNET_NBITS)
                    self.books.promised[extranonce1, job_id] = due
        records = self.pool.share_log.records
        for record in records[self.read :]:
            self.books.take(record)
        self.read = len(records)

    def hear(self, miner: Miner) -> None:
        for message in miner.received():
            if message.get("method") == "mining.notify" and message["params"][0] not in self.job_ids:
                self.job_ids.append(message["params"][0])
            result = message.get("result")
            if isinstance(result, list) and result and result[0][0][1] not in self.session_ids:
                self.session_ids.append(result[0][0][1])
