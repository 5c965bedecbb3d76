"""What a miner is told when a request is refused: codes, words and the reasons that are counted.

Codes 20 to 25 are those of the first Stratum servers and are known to every miner: 20 other, 21 job not found,
22 duplicate, 23 low difficulty, 24 unauthorized, 25 not subscribed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

import msgspec

from pool.work.share import Outcome


class StratumError(Exception):
    """The miner's fault. code: on the wire. reason: what it is counted as. text: tells the miner's owner why."""

    code: ClassVar[int]
    reason: ClassVar[str]
    text: ClassVar[str]

    @classmethod
    def json(cls) -> bytes:
        """The `error` of a reply: exactly three items, which braiins and nightminer insist on."""
        return msgspec.json.encode((cls.code, cls.text, None))


class OtherError(StratumError):
    """Whatever has no code of its own."""

    code = 20


class MalformedRequest(OtherError):
    reason = "malformed"
    text = "malformed parameters"


class UnknownMethod(OtherError):
    reason = "unknown_method"
    text = "unknown method"


class TooManyWorkers(OtherError):
    reason = "too_many_workers"
    text = "too many workers on one connection"


class BadExtranonce(OtherError):
    reason = "bad_extranonce"
    text = "extranonce2 is not of the agreed length, in hex"


class BadNtime(OtherError):
    reason = "bad_ntime"
    text = "ntime out of range"


class BadVersion(OtherError):
    reason = "bad_version"
    text = "version bits outside the negotiated mask"


class JobNotFound(StratumError):
    """The job is unknown, or was never sent to this session."""

    code = 21
    reason = "unknown_job"
    text = "job not found"


class StaleShare(JobNotFound):
    """The job is known, but its previous block is no longer the tip."""

    reason = "stale"
    text = "stale: a new block has come"


class DuplicateShare(StratumError):
    code = 22
    reason = "duplicate"
    text = "duplicate share"


class LowDifficulty(StratumError):
    code = 23
    reason = "low_difficulty"
    text = "above the target of the job's difficulty"


class Unauthorized(StratumError):
    code = 24
    reason = "unauthorized"
    text = "unauthorized worker"


class BadLogin(Unauthorized):
    """The name cannot be one of ours."""

    reason = "bad_login"
    text = "a login is ACCOUNT or ACCOUNT.WORKER, of letters, digits, _ and -"


class Banned(Unauthorized):
    """Its sessions ended for offences lately."""

    reason = "banned"
    text = "banned for a while: its last connections sent too much that is wrong"


class NotSubscribed(StratumError):
    code = 25
    reason = "not_subscribed"
    text = "not subscribed"


ERROR_OF: Final[Mapping[Outcome, type[StratumError]]] = {
    Outcome.STALE: StaleShare,
    Outcome.DUPLICATE: DuplicateShare,
    Outcome.LOW_DIFFICULTY: LowDifficulty,
    Outcome.UNKNOWN_JOB: JobNotFound,
    Outcome.BAD_NTIME: BadNtime,
    Outcome.BAD_VERSION: BadVersion,
    Outcome.BAD_EXTRANONCE: BadExtranonce,
    Outcome.MALFORMED: MalformedRequest,
    Outcome.UNAUTHORIZED: Unauthorized,
}
"""The reply to each outcome but ACCEPTED. `pool.work` knows the outcome, only we know its code."""
