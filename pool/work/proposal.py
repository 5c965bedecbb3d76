"""A job as a whole block for the node to look at before a miner finds one (BIP-0023)."""

from __future__ import annotations

from native import JobCheck
from pool.work.block import Block, assemble, body_of
from pool.work.extranonce import EXTRANONCE1_BYTES, EXTRANONCE2_BYTES
from pool.work.job import Job
from pool.work.template import Template

# What a miner may put there. Read as opcodes, each would be a signature check: were the extranonce not pushed, the node
# would say so.
_EXTRANONCE1 = b"\xac" * EXTRANONCE1_BYTES
_EXTRANONCE2 = b"\xac" * EXTRANONCE2_BYTES

# Answers of a node that say nothing against the block: its tip is another by now. Source: BIP-0023; Bitcoin Core,
# `getblocktemplate`.
OVERTAKEN = frozenset({"inconclusive-not-best-prevblk", "stale-prevblk", "stale-work"})


def proposal(job: Job, template: Template) -> Block:
    """A block of a job, whole but for its proof of work. Raises BlockMismatch: a bug of ours."""
    check = JobCheck(job.coinb1, job.coinb2, b"".join(job.branch), job.prev_hash, job.nbits)
    header = check.header(_EXTRANONCE1, _EXTRANONCE2, job.version, job.ntime, 0)
    return assemble(body_of(template), header, check.coinbase(_EXTRANONCE1, _EXTRANONCE2))
