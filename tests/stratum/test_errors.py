"""stratum.errors."""

from __future__ import annotations

import msgspec
import pytest

from pool.work.share import Outcome
from stratum import errors


def _concrete() -> list[type[errors.StratumError]]:
    found, families = [], [errors.StratumError]
    while families:
        family = families.pop()
        families += family.__subclasses__()
        if hasattr(family, "reason"):
            found.append(family)
    return found


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Outcome.BAD_NTIME, 20),
        (Outcome.BAD_VERSION, 20),
        (Outcome.BAD_EXTRANONCE, 20),
        (Outcome.MALFORMED, 20),
        (Outcome.UNKNOWN_JOB, 21),
        (Outcome.STALE, 21),
        (Outcome.DUPLICATE, 22),
        (Outcome.LOW_DIFFICULTY, 23),
        (Outcome.UNAUTHORIZED, 24),
    ],
)
def test_each_outcome_has_the_code_that_miners_know(outcome: Outcome, code: int) -> None:
    assert errors.ERROR_OF[outcome].code == code


def test_every_refused_outcome_has_an_error() -> None:
    assert set(errors.ERROR_OF) == set(Outcome) - {Outcome.ACCEPTED}


def test_the_code_of_a_session_without_subscription_is_25() -> None:
    assert errors.NotSubscribed.code == 25


@pytest.mark.parametrize("error", _concrete(), ids=lambda error: error.reason)
def test_an_error_on_the_wire_has_three_items(error: type[errors.StratumError]) -> None:
    assert msgspec.json.decode(error.json()) == [error.code, error.text, None]


def test_each_reason_is_counted_by_itself() -> None:
    reasons = [error.reason for error in _concrete()]
    assert len(reasons) == len(set(reasons))
