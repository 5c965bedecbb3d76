"""What the check of a share says; both twins return these members."""

from enum import IntEnum


class Verdict(IntEnum):
    """How good a hash is. A block is also a share: the block target is tested first."""

    LOW = 0
    SHARE = 1
    BLOCK = 2
