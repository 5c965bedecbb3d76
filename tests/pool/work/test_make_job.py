"""Jobs from a real template, and ids that only rise."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from native import JobCheck, merkle_root, sha256d
from pool.bitcoin.merkle import root
from pool.work.job import Job
from pool.work.make_job import make_job, next_job_id
from tests.pool.work.templates import COINBASE, template

NOW_MS = 1_795_231_202_500


def job(job_id: str = "1a1fd2f0b84", clean: bool = True) -> Job:
    return make_job(template(), COINBASE, job_id, NOW_MS, clean)


class TestJobId:
    def test_the_first_one_is_the_time(self) -> None:
        assert next_job_id(None, NOW_MS) == "1a1fc1e3cc4"

    def test_a_later_one_is_the_time(self) -> None:
        assert next_job_id("1a1fc1e3cc4", NOW_MS + 30_000) == f"{NOW_MS + 30_000:x}"

    @given(st.lists(st.integers(0, 2**48), min_size=2))
    def test_they_rise_whatever_the_clock_does(self, times_ms: list[int]) -> None:
        previous, numbers = None, []
        for now_ms in times_ms:
            previous = next_job_id(previous, now_ms)
            numbers.append(int(previous, 16))
        assert all(one < other for one, other in pairwise(numbers))

    @given(st.integers(0, 2**48))
    def test_they_are_lower_case_hex(self, now_ms: int) -> None:
        assert set(next_job_id(None, now_ms)) <= set("0123456789abcdef")


class TestJob:
    def test_the_branch_and_the_coinbase_make_the_root_of_the_block(self) -> None:
        made = job()
        coinbase = made.coinb1 + bytes(12) + made.coinb2
        txids = [sha256d(coinbase), *(each.txid for each in template().transactions)]
        assert merkle_root(txids[0], b"".join(made.branch)) == root(txids)

    def test_the_header_is_the_templates(self) -> None:
        made = job()
        assert (made.version, made.prev_hash, made.nbits, made.ntime) == (
            0x20000000,
            template().prev_hash,
            0x207FFFFF,
            template().time,
        )

    def test_the_time_may_run_from_the_nodes_earliest_to_two_hours_ahead(self) -> None:
        assert (job().ntime_min, job().ntime_max) == (template().time_min, template().time + 7200)

    def test_subsidy_and_fees_add_up_to_the_coinbases_value(self) -> None:
        assert (job().subsidy_sat, job().fees_sat) == (50_0000_0000, 1836)

    @pytest.mark.parametrize("clean", [True, False])
    def test_it_is_clean_when_told_so(self, clean: bool) -> None:
        assert job(clean=clean).clean is clean

    def test_two_jobs_of_one_template_share_no_coinbase(self) -> None:
        assert job("1a1fd2f0b84").coinb1 != job("1a1fd2f0b85").coinb1

    @pytest.mark.parametrize("job_id", ["1", "12", "123", "ffffffffffffffff"])
    def test_an_id_of_any_length_will_do(self, job_id: str) -> None:
        assert job(job_id).job_id == job_id

    def test_the_native_check_takes_it(self) -> None:
        made = job()
        check = JobCheck(made.coinb1, made.coinb2, b"".join(made.branch), made.prev_hash, made.nbits)
        header = check.header(bytes(4), bytes(8), made.version, made.ntime, 0)
        assert (header[4:36], check.coinbase(bytes(4), bytes(8))) == (
            made.prev_hash,
            made.coinb1 + bytes(12) + made.coinb2,
        )
