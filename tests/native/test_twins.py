"""Whatever the arguments, the compiled twin says what the reference says."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from native import reference

hashes = st.binary(min_size=32, max_size=32)
uint32s = st.integers(0, 0xFFFFFFFF)
# Mostly right, and wrong now and then: the errors are compared too.
nearly_hashes = hashes | st.binary(max_size=40)
nearly_uint32s = uint32s | st.integers(-(1 << 70), 1 << 70)
branches = st.integers(0, 14).flatmap(lambda depth: st.binary(min_size=32 * depth, max_size=32 * depth))
nearly_branches = branches | st.binary(max_size=70)
extranonces = st.binary(max_size=16)
submissions = st.tuples(extranonces, extranonces, uint32s, uint32s, uint32s)
jobs = st.tuples(
    st.binary(max_size=200),
    st.binary(max_size=200),
    branches,
    hashes,
    st.sampled_from([0x207FFFFF, 0x1D00FFFF, 0x200FFFFF]),
)


def outcome(function: Callable[..., Any], *arguments: Any) -> tuple[str, Any]:
    """What a call returns, or the error with its text."""
    try:
        return "returned", function(*arguments)
    except ValueError as error:
        return "refused", str(error)


@given(data=st.binary(max_size=400))
def test_on_sha256d(twin: ModuleType, data: bytes) -> None:
    assert twin.sha256d(data) == reference.sha256d(data)


@given(txid=nearly_hashes, branch=nearly_branches)
def test_on_merkle_root(twin: ModuleType, txid: bytes, branch: bytes) -> None:
    assert outcome(twin.merkle_root, txid, branch) == outcome(reference.merkle_root, txid, branch)


@given(fields=st.tuples(nearly_uint32s, nearly_hashes, nearly_hashes, nearly_uint32s, nearly_uint32s, nearly_uint32s))
def test_on_header(twin: ModuleType, fields: tuple[Any, ...]) -> None:
    assert outcome(twin.header, *fields) == outcome(reference.header, *fields)


@given(digest=nearly_hashes, target=nearly_hashes)
def test_on_meets_target(twin: ModuleType, digest: bytes, target: bytes) -> None:
    assert outcome(twin.meets_target, digest, target) == outcome(reference.meets_target, digest, target)


@given(
    header=st.binary(min_size=76, max_size=76) | st.binary(min_size=80, max_size=80),
    target=st.integers(0, 1 << 250).map(lambda number: number.to_bytes(32, "little")),
    first_nonce=uint32s | st.integers((1 << 32) - 100, (1 << 32) - 1),
    count=st.integers(-1, 300),
)
def test_on_search(twin: ModuleType, header: bytes, target: bytes, first_nonce: int, count: int) -> None:
    arguments = (header, target, first_nonce, count)
    assert outcome(twin.search, *arguments) == outcome(reference.search, *arguments)


@given(job=st.tuples(st.binary(max_size=70), st.binary(max_size=70), nearly_branches, nearly_hashes, nearly_uint32s))
def test_on_which_jobs_are_refused(twin: ModuleType, job: tuple[Any, ...]) -> None:
    def made(module: Any) -> tuple[str, Any]:
        return outcome(lambda: module.JobCheck(*job).header(b"", b"", 0, 0, 0))

    assert made(twin) == made(reference)


@given(job=jobs, submissions=st.lists(submissions, min_size=1, max_size=4), share_target=hashes)
def test_on_the_shares_of_a_job(
    twin: ModuleType, job: tuple[Any, ...], submissions: list[tuple[Any, ...]], share_target: bytes
) -> None:
    ours = twin.JobCheck(*job)
    theirs: Any = reference.JobCheck(*job)
    for submission in submissions * 2:
        assert ours.check(*submission, share_target) == theirs.check(*submission, share_target)
        assert ours.header(*submission) == theirs.header(*submission)
        assert ours.coinbase(*submission[:2]) == theirs.coinbase(*submission[:2])


@given(
    submission=st.tuples(
        st.binary(max_size=70), st.binary(max_size=70), nearly_uint32s, nearly_uint32s, nearly_uint32s
    ),
    share_target=nearly_hashes,
)
def test_on_which_submissions_are_refused(twin: ModuleType, submission: tuple[Any, ...], share_target: bytes) -> None:
    job = (b"coinb1", b"coinb2", bytes(64), bytes(32), 0x1D00FFFF)
    ours, theirs = twin.JobCheck(*job), reference.JobCheck(*job)
    assert outcome(ours.check, *submission, share_target) == outcome(theirs.check, *submission, share_target)
