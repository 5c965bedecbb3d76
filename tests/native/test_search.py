"""search, on every twin."""

import sys
import threading
from types import ModuleType

import pytest

from native import compiled, reference
from tests.native.blocks import GENESIS_HEADER, GENESIS_NONCE, GENESIS_TARGET

ANY = b"\xff" * 32
NO = bytes(32)


def test_it_finds_the_nonce_of_the_genesis_block(twin: ModuleType) -> None:
    assert twin.search(GENESIS_HEADER, GENESIS_TARGET, GENESIS_NONCE - 1000, 2000) == GENESIS_NONCE


def test_the_76_bytes_before_the_nonce_are_enough(twin: ModuleType) -> None:
    assert twin.search(GENESIS_HEADER[:76], GENESIS_TARGET, GENESIS_NONCE - 5, 10) == GENESIS_NONCE


def test_the_nonce_inside_the_header_does_not_matter(twin: ModuleType) -> None:
    header = GENESIS_HEADER[:76] + b"\xaa" * 4
    assert twin.search(header, GENESIS_TARGET, GENESIS_NONCE - 5, 10) == GENESIS_NONCE


def test_a_target_equal_to_the_hash_is_met(twin: ModuleType) -> None:
    assert twin.search(GENESIS_HEADER, reference.sha256d(GENESIS_HEADER), GENESIS_NONCE, 1) == GENESIS_NONCE


def test_a_target_one_below_the_hash_is_not_met(twin: ModuleType) -> None:
    number = int.from_bytes(reference.sha256d(GENESIS_HEADER), "little")
    assert twin.search(GENESIS_HEADER, (number - 1).to_bytes(32, "little"), GENESIS_NONCE, 1) is None


@pytest.mark.parametrize("before", [0, 1, 2, 3])
def test_the_first_nonce_counts_and_the_one_after_the_last_does_not(twin: ModuleType, before: int) -> None:
    first = GENESIS_NONCE - before
    found = [twin.search(GENESIS_HEADER, GENESIS_TARGET, first, before + more) for more in (0, 1)]
    assert found == [None, GENESIS_NONCE]


def test_the_lowest_of_several_nonces_is_found(twin: ModuleType) -> None:
    target = (1 << 248).to_bytes(32, "little")
    good = [
        nonce
        for nonce in range(3000)
        if reference.meets_target(reference.sha256d(GENESIS_HEADER[:76] + nonce.to_bytes(4, "little")), target)
    ]
    found, start = [], 0
    while (nonce := twin.search(GENESIS_HEADER, target, start, 3000 - start)) is not None:
        found.append(nonce)
        start = nonce + 1
    assert found == good
    assert len(good) > 4


def test_the_last_nonce_of_all_can_be_found(twin: ModuleType) -> None:
    assert twin.search(GENESIS_HEADER, ANY, (1 << 32) - 1, 1) == (1 << 32) - 1


def test_the_whole_range_may_be_asked_for(twin: ModuleType) -> None:
    assert twin.search(GENESIS_HEADER, ANY, 0, 1 << 32) == 0


def test_a_search_that_ends_at_the_last_nonce_does_not_wrap(twin: ModuleType) -> None:
    assert twin.search(GENESIS_HEADER, NO, (1 << 32) - 3, 3) is None


@pytest.mark.parametrize("first_nonce", [0, 5, 1 << 32])
def test_no_nonces_hold_no_solution(twin: ModuleType, first_nonce: int) -> None:
    assert twin.search(GENESIS_HEADER, ANY, first_nonce, 0) is None


@pytest.mark.parametrize(
    ("first_nonce", "count"),
    [(-1, 1), (0, -1), (1, 1 << 32), (1 << 32, 1), ((1 << 32) - 1, 2), (1 << 80, 0), (0, 1 << 80), (5, -(1 << 80))],
)
def test_nonces_beyond_32_bits_are_refused(twin: ModuleType, first_nonce: int, count: int) -> None:
    with pytest.raises(ValueError, match=r"^nonces must be from 0 to 2\*\*32 - 1$"):
        twin.search(GENESIS_HEADER, ANY, first_nonce, count)


@pytest.mark.parametrize("length", [0, 64, 75, 77, 79, 81])
def test_a_header_of_another_length_is_refused(twin: ModuleType, length: int) -> None:
    with pytest.raises(ValueError, match=r"^header must be 76 or 80 bytes$"):
        twin.search(bytes(length), ANY, 0, 1)


def test_a_target_of_another_length_is_refused(twin: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"^target must be 32 bytes$"):
        twin.search(GENESIS_HEADER, bytes(33), 0, 1)


def test_the_compiled_search_lets_other_threads_run() -> None:
    started, results = threading.Event(), []

    def work() -> None:
        started.set()
        results.append(compiled.search(GENESIS_HEADER, NO, 0, 1 << 22))

    interval_seconds = sys.getswitchinterval()
    # Nobody takes the GIL from its holder now: this thread gets it only if the search gives it away.
    sys.setswitchinterval(3600)
    try:
        worker = threading.Thread(target=work)
        worker.start()
        started.wait()
        results_while_searching = list(results)
    finally:
        sys.setswitchinterval(interval_seconds)
        worker.join()
    assert (results_while_searching, results) == ([], [None])
