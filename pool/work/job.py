"""A job: what miners get of a template, shared by all sessions."""

from msgspec import Struct


class Job(Struct, frozen=True, array_like=True, tag=2):
    """The work of one template, whole but for the extranonce.

    job_id: lower-case hex, never used twice, also not after a restart. time_ms: when the job was made.
    prev_hash and the hashes of branch: 32 bytes, wire order; branch is deepest first.
    coinb1, coinb2: the coinbase transaction without witness, cut where the extranonce goes.
    ntime_min, ntime_max: bounds of the header time that the node takes, Unix seconds (`mintime`; the node's clock
    plus 7200, Bitcoin Core `MAX_FUTURE_BLOCK_TIME`). clean: the previous block changed with this job.
    template_age_ms: how long before the job a node gave its template; a duration, so that it means the same on each
    machine.

    The same value is the `Job` frame of the feed and the job record of the journal, which lets anyone recompute the
    header of each share. Tag and field order are a file format: append only.
    """

    job_id: str
    time_ms: int
    height: int
    version: int
    prev_hash: bytes
    coinb1: bytes
    coinb2: bytes
    branch: tuple[bytes, ...]
    nbits: int
    ntime: int
    ntime_min: int
    ntime_max: int
    subsidy_sat: int
    fees_sat: int
    clean: bool
    template_age_ms: int = 0
