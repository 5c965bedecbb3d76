"""Everything is a record with its reason, and the journal alone is enough to compute each share's header again."""

from __future__ import annotations

import hashlib
import json
import socket
import struct
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

import pytest

from pool.bitcoin.target import target_from_difficulty, target_from_nbits
from pool.journal.reader import groups
from pool.journal.records import decode
from pool.node.private import PrivateNode
from pool.work.job import Job
from pool.work.share import Outcome, Share
from tests.regtest.whole_pool import WholePool, eventually


@pytest.fixture(scope="module")
def pool(regtest_node: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholePool]:
    it = WholePool(tmp_path_factory.mktemp("pool"), regtest_node, "regtest")
    it.add_account("alice", "pplns", 100)
    it.start()
    yield it
    it.stop()


def double_sha256(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def hash_of(share: Share, job: Job) -> bytes:
    """From the two records alone, by nothing of ours."""
    root = double_sha256(job.coinb1 + share.extranonce1 + share.extranonce2 + job.coinb2)
    for sibling in job.branch:
        root = double_sha256(root + sibling)
    header = struct.pack("<I", share.version) + job.prev_hash + root
    return double_sha256(header + struct.pack("<III", share.ntime, share.nbits, share.nonce))


class Session:
    """A miner's connection that remembers the job it was last sent, and waits for each answer."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lines = connection.makefile("rb")
        self.job_id = ""
        self.ntime = 0
        self.tip_hex = ""
        self.ask('{"id":1,"method":"mining.subscribe","params":[]}', 1)
        self.ask('{"id":2,"method":"mining.authorize","params":["alice.a","x"]}', 2)
        while not self.job_id:
            self._read()

    def ask(self, lines: str, last_id: int) -> None:
        """Send lines and read until the answer to the last one."""
        self._connection.sendall(lines.encode() + b"\n")
        while self._read() != last_id:
            pass

    def wait_for_job_on(self, tip_hex: str) -> None:
        """Read until it has a job on this block."""
        while self.tip_hex != tip_hex:
            self._read()

    def _read(self) -> object:
        message = json.loads(self._lines.readline())
        if message.get("method") == "mining.notify":
            self.job_id, self.ntime = message["params"][0], int(message["params"][7], 16)
            words = bytes.fromhex(message["params"][1])
            self.tip_hex = b"".join(words[at : at + 4][::-1] for at in range(0, 32, 4))[::-1].hex()
        return message.get("id") if "method" not in message else None


def submission(job_id: str, ntime: int, nonce: int, request_id: int) -> str:
    params = ["alice.a", job_id, "00" * 8, f"{ntime:08x}", f"{nonce:08x}"]
    return json.dumps({"id": request_id, "method": "mining.submit", "params": params})


def records(pool: WholePool) -> tuple[dict[str, Job], list[Share]]:
    jobs: dict[str, Job] = {}
    shares: list[Share] = []
    for group in groups(pool.folder / "data" / "journal" / "0"):
        for record in decode(group.count, group.payload):
            if isinstance(record, Job):
                jobs.setdefault(record.job_id, record)
            else:
                shares.append(record)
    return jobs, shares


def test_each_share_is_computed_again_from_the_journal_alone(pool: WholePool) -> None:
    with socket.create_connection(("127.0.0.1", pool.stratum_port), timeout=30) as connection:
        session = Session(connection)
        stale, ntime = session.job_id, session.ntime
        # Two, or the stale share, which may be a block, could take the place of one.
        pool.mine_blocks("alice.rig", 2)
        session.wait_for_job_on(pool.node.call("getbestblockhash"))
        session.ask(submission(stale, ntime, 1, 3), 3)
        session.ask(submission("ffffffffffff", ntime, 1, 4), 4)
        # Each a second time at once: the first that is a block brings another job.
        both = [
            submission(session.job_id, session.ntime, nonce, 2 * nonce + again)
            for nonce in range(5, 45)
            for again in (0, 1)
        ]
        session.ask("\n".join(both), 2 * 44 + 1)

    jobs, shares = eventually("all are written", lambda: len(records(pool)[1]) >= 84 and records(pool))
    assert any(share.outcome is Outcome.UNKNOWN_JOB for share in shares)
    hashes = Counter[bytes]()
    computed = Counter[Outcome]()
    for share in shares:
        if (job := jobs.get(share.job_id)) is None:
            assert share.outcome is Outcome.UNKNOWN_JOB
            continue
        found = hash_of(share, job)
        target = target_from_difficulty(Fraction(share.difficulty))
        value = int.from_bytes(found, "little")
        meets_network = value <= target_from_nbits(share.nbits)
        if share.block_hash is not None:
            assert share.block_hash == found
            assert meets_network
        if share.outcome is Outcome.ACCEPTED:
            assert value <= target or meets_network
            assert not hashes[found]
        if share.outcome is Outcome.LOW_DIFFICULTY:
            assert value > target
            assert not meets_network
        if share.outcome is Outcome.DUPLICATE:
            assert hashes[found]
        hashes[found] += 1
        computed[share.outcome] += 1
    assert {Outcome.ACCEPTED, Outcome.STALE, Outcome.LOW_DIFFICULTY, Outcome.DUPLICATE} <= computed.keys()


def test_the_command_prints_the_same_hashes(pool: WholePool) -> None:
    jobs, shares = records(pool)
    lines = [json.loads(line) for line in pool.steppe("journal", "show").splitlines()]
    printed = [line["hash"] for line in lines if line["record"] == "share"][: len(shares)]
    assert printed == [
        hash_of(share, jobs[share.job_id])[::-1].hex() if share.job_id in jobs else None for share in shares
    ]
    assert pool.steppe("journal", "verify").endswith(" jobs\n")
