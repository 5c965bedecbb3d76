"""A pool whose shares prove work: each has a header that meets its target, so that others can check it.

A block takes 65,536 hashes, a share 512 at most: quick to find, and never a block by chance that is not asked for.
"""

from __future__ import annotations

import itertools
from pathlib import Path

from msgspec.structs import replace
from sqlalchemy import Engine

import native
from payout.intake import Rules
from pool.bitcoin.target import share_target, target_from_nbits
from pool.bitcoin.transaction import Output, compact_size, serialise_outputs
from pool.work.job import Job
from pool.work.proof import hash_of, header_of
from pool.work.share import Outcome, Share
from tests.payout.scene import MINUTE_MS, POOL_SCRIPT, REWARD_SAT, RULES, START_MS, FakeChain
from tests.pool.rebuild.pools import Pool

NBITS = 0x1F00FFFF
EASY, EASIER = 2.0**-24, 2.0**-25
SIBLING = bytes(range(32))


def mined_job(job_id: str, height: int = 100, minute: int = 0) -> Job:
    """A job whose coinbase pays the pool."""
    script = bytes([3]) + height.to_bytes(3, "little") + bytes([12])
    first = (2).to_bytes(4, "little") + compact_size(1) + bytes(32) + b"\xff" * 4 + compact_size(len(script) + 12)
    outputs = (Output(REWARD_SAT, POOL_SCRIPT), Output(0, b"\x6a\x24commitment"))
    return Job(
        job_id=job_id,
        time_ms=START_MS + minute * MINUTE_MS,
        height=height,
        version=0x20000000,
        prev_hash=height.to_bytes(32, "little"),
        coinb1=first + script,
        coinb2=b"\xff" * 4 + serialise_outputs(outputs) + bytes(4),
        branch=(SIBLING,),
        nbits=NBITS,
        ntime=START_MS // 1000,
        ntime_min=0,
        ntime_max=2**32 - 1,
        subsidy_sat=900_000,
        fees_sat=REWARD_SAT - 900_000,
        clean=True,
    )


class MinedPool:
    """A pool with journals on disk and books. The windows hold `window` blocks."""

    def __init__(self, folder: Path, engine: Engine, empty: bytes, rules: Rules = RULES) -> None:
        self.pool = Pool(folder, engine, empty, rules)
        self.scene = self.pool.scene
        self.chain: FakeChain = self.scene.chain
        self.engine = engine
        self._extranonces = itertools.count(1)

    def share(
        self,
        job: Job,
        account: str,
        difficulty: float = EASY,
        *,
        minute: int = 0,
        is_block: bool = False,
        outcome: Outcome = Outcome.ACCEPTED,
    ) -> Share:
        """A share that meets its target, and only if it is_block that of the network."""
        target = target_from_nbits(job.nbits) if is_block else share_target(difficulty, job.nbits)
        while True:
            share = Share(
                time_ms=START_MS + minute * MINUTE_MS,
                outcome=outcome,
                job_id=job.job_id,
                account=account,
                worker="rig",
                extranonce1=b"\x00\x00\x00\x01",
                extranonce2=next(self._extranonces).to_bytes(8, "big"),
                version=job.version,
                ntime=job.ntime,
                nonce=0,
                difficulty=difficulty,
                nbits=job.nbits,
                height=job.height,
            )
            nonce = native.search(header_of(share, job), target.to_bytes(32, "little"), 0, 1 << 22)
            if nonce is None:
                continue
            share = replace(share, nonce=nonce)
            digest = hash_of(share, job)
            if (int.from_bytes(digest, "little") <= target_from_nbits(job.nbits)) == is_block:
                return replace(share, block_hash=digest if is_block else None)

    def journals(self) -> dict[str, Path]:
        """The folders of what was journalled until now."""
        self.pool.journals()
        return {
            (folder / "frontend").read_text().strip(): folder for folder in (self.pool.folder / "journal").iterdir()
        }

    def reach(self, tip: int, *ours: Share) -> None:
        """Move the chain; blocks of these shares are in it at their heights."""
        self.chain.tip = tip
        self.chain.ours.update({share.height: share.block_hash for share in ours if share.block_hash})
        list(self.scene.accounting.follow(START_MS + 60 * MINUTE_MS))
