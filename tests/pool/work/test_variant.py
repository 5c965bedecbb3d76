"""pool.work.variant."""

from __future__ import annotations

import msgspec
import pytest

from pool.work.make_job import make_job
from pool.work.variant import NO_MARK, template_id, variant_of
from tests.pool.work.templates import COINBASE, template

JOB = make_job(template(), COINBASE, "1a1fd2f0b84", 1_795_231_202_500, True)
MARK = bytes.fromhex("07000001")


def test_its_id_names_its_job_and_its_mark() -> None:
    assert variant_of(JOB, MARK).job_id == "1a1fd2f0b84x07000001"


def test_the_id_of_its_template_is_that_of_its_job() -> None:
    assert template_id(variant_of(JOB, MARK).job_id) == template_id(JOB.job_id) == "1a1fd2f0b84"


def test_only_the_mark_right_before_the_extranonce_differs() -> None:
    variant = variant_of(JOB, MARK)
    assert JOB.coinb1.endswith(NO_MARK + b"\x0c")
    assert variant.coinb1 == JOB.coinb1[:-5] + MARK + b"\x0c"
    assert msgspec.structs.replace(variant, job_id=JOB.job_id, coinb1=JOB.coinb1, clean=True) == JOB


def test_a_variant_of_a_variant_is_one_of_the_job() -> None:
    other = bytes.fromhex("07000002")
    assert variant_of(variant_of(JOB, MARK), other) == variant_of(JOB, other)


@pytest.mark.parametrize("mark", [NO_MARK, b"", b"\x01", bytes(5)])
def test_a_mark_has_four_bytes_that_are_not_all_zero(mark: bytes) -> None:
    with pytest.raises(ValueError, match="a mark is 4 bytes"):
        variant_of(JOB, mark)
