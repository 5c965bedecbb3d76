"""Do blocks go missing? The Poisson test for withheld blocks and broken machines."""

from __future__ import annotations

import decimal
import enum
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from msgspec import Struct

from payout.luck import BANDS, Group, Tally

ALPHA = Fraction(1, 1000)
"""How likely a false alarm is at one checkpoint, over all groups."""
CHECKPOINT_FIRST = 5
"""In expected blocks; each further one is twice the one before. Testing at any time would find something in the end."""
EXPECTED_MAX = 20_000
"""A band where more hashes are expected is left out: those that are left tell enough, and sooner."""

_DIGITS = 60


class Suspicion(Struct, frozen=True):
    """How likely at most so many blocks are by luck alone, and whether that calls for a person."""

    probability: decimal.Decimal
    flagged: bool


def judge_luck(expected_blocks: Fraction, found: int, alpha: Fraction, groups: int = 1) -> Suspicion:
    """The probability of at most `found` blocks where `expected_blocks` were to be expected.

    The sum of e^-L L^i / i! for i up to `found`; flagged below alpha / groups (Bonferroni), groups being how many are
    tested. Testing again and again inflates false alarms: test at fixed expectations. Source: docs/payouts.md 5.1.
    """
    if expected_blocks < 0 or found < 0 or groups < 1 or not 0 < alpha <= 1:
        raise ValueError(f"no test for {found} blocks of {expected_blocks} at {alpha} over {groups} groups")
    with decimal.localcontext(decimal.Context(prec=_DIGITS, Emin=decimal.MIN_EMIN, Emax=decimal.MAX_EMAX)) as context:
        mean = context.divide(decimal.Decimal(expected_blocks.numerator), decimal.Decimal(expected_blocks.denominator))
        term = total = (-mean).exp()
        for blocks in range(1, found + 1):
            term = context.divide(term * mean, decimal.Decimal(blocks))
            total += term
        bound = context.divide(decimal.Decimal(alpha.numerator), decimal.Decimal(alpha.denominator * groups))
        return Suspicion(min(total, decimal.Decimal(1)), total < bound)


class Verdict(enum.StrEnum):
    """What the bands say of a group."""

    LUCK = "luck"
    WITHHELD = "withheld"
    ACCOUNTING = "accounting"
    UNCLEAR = "unclear"


TOLD: Mapping[Verdict, str] = {
    Verdict.LUCK: "so few blocks are ordinary luck",
    Verdict.WITHHELD: (
        "blocks are missing, hashes that only just miss one are not: blocks vanish after they are found. Ask for "
        "firmware and logs of these machines; keep them from schemes that pay per share. Take nothing from anybody."
    ),
    Verdict.ACCOUNTING: (
        "hashes of every difficulty are missing, not blocks alone: more work was credited than was done, or shares are "
        "lost. Look at the accounting of these shares before at the machines: difficulty, duplicates, the journal."
    ),
    Verdict.UNCLEAR: (
        "blocks are missing, and the hashes that only just miss one do not say clearly why: wait for the next "
        "checkpoint, and look at firmware and logs of these machines meanwhile."
    ),
}


class Band(Struct, frozen=True):
    """A band of a group: what should be there, what is, and how likely so few are."""

    band: int
    expected: Fraction
    found: int
    probability: decimal.Decimal


class Test(Struct, frozen=True):
    """A group at a checkpoint. groups: how many were tested."""

    group: Group
    checkpoint: int
    groups: int
    bands: tuple[Band, ...]
    verdict: Verdict

    @property
    def is_flagged(self) -> bool:
        return self.verdict is not Verdict.LUCK


def checkpoint_of(expected_blocks: Fraction) -> int:
    """The newest checkpoint that was passed; 0 before the first."""
    if expected_blocks < CHECKPOINT_FIRST:
        return 0
    return CHECKPOINT_FIRST << (int(expected_blocks // CHECKPOINT_FIRST).bit_length() - 1)


def due(tallies: Mapping[Group, Tally], tested: Mapping[Group, int]) -> Iterator[Test]:
    """Test each group that has passed a checkpoint since. tested: the newest checkpoint of each."""
    passed = {group: checkpoint_of(tally.expected_blocks) for group, tally in tallies.items()}
    groups = sum(checkpoint > 0 for checkpoint in passed.values())
    for group, checkpoint in sorted(passed.items()):
        if checkpoint > tested.get(group, 0):
            yield judge_group(group, tallies[group], checkpoint, groups)


def judge_group(group: Group, tally: Tally, checkpoint: int, groups: int) -> Test:
    """Whether blocks are missing, and if so, what else is."""
    expected = [tally.expected(band) for band in range(BANDS)]
    bands = [
        Band(band, expected[band], found, judge_luck(expected[band], found, ALPHA, groups).probability)
        for band, found in enumerate(tally.found)
        if band == 0 or 0 < expected[band] <= EXPECTED_MAX
    ]
    return Test(group, checkpoint, groups, tuple(bands), _verdict(bands, groups))


def _verdict(bands: Iterable[Band], groups: int) -> Verdict:
    blocks, *others = bands
    bound = Fraction(ALPHA.numerator, ALPHA.denominator * groups)

    def is_missing(band: Band) -> bool:
        return Fraction(band.probability) < bound

    if not is_missing(blocks):
        return Verdict.LUCK
    # Only a band in which the same part would be missed has something to say.
    telling = [
        band
        for band in others
        if judge_luck(band.expected, band.expected * blocks.found // blocks.expected, ALPHA, groups).flagged
    ]
    if not telling:
        return Verdict.UNCLEAR
    missing = [is_missing(band) for band in telling]
    return Verdict.ACCOUNTING if all(missing) else Verdict.UNCLEAR if any(missing) else Verdict.WITHHELD
