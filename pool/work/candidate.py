"""A block candidate on its way from the stratum role to the work role."""

from msgspec import Struct


class Candidate(Struct, frozen=True, array_like=True, tag=3):
    """A share that meets the network target, with what the work role lacks to build the block.

    header: 80 bytes. coinbase: the transaction without witness. block_hash: 32 bytes, wire order. login: who found
    it. time_ms: when it was judged. Source of the rest: the template of the job.
    """

    job_id: str
    block_hash: bytes
    header: bytes
    coinbase: bytes
    login: str
    time_ms: int


class CandidateTaken(Struct, frozen=True, array_like=True, tag=4):
    """The work role has the candidate on disk; the stratum role may forget it. block_hash: wire order."""

    block_hash: bytes
