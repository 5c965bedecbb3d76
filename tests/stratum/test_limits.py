"""stratum.limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratum.limits import BRACKETS_MAX, LINE_BYTES_MAX, CloseReason, line_violation


def test_an_ordinary_line_is_fine() -> None:
    assert line_violation(b'{"id":1,"method":"mining.subscribe","params":[]}') is None


@pytest.mark.parametrize("line", [b"", b" ", b"\r", b'  {"id":1}', b"\t"])
def test_blanks_are_fine(line: bytes) -> None:
    assert line_violation(line) is None


def test_the_longest_line_is_fine() -> None:
    assert line_violation(b"{" + b"x" * (LINE_BYTES_MAX - 1)) is None


def test_one_byte_more_is_too_long() -> None:
    assert line_violation(b"{" + b"x" * LINE_BYTES_MAX) is CloseReason.LINE_TOO_LONG


@pytest.mark.parametrize("line", [b"\x16\x03\x01", b"GET / HTTP/1.1", b"[1]", b"PROXY TCP4", b"\xef\xbb\xbf{}"])
def test_what_does_not_begin_with_a_brace_is_no_request(line: bytes) -> None:
    assert line_violation(line) is CloseReason.NOT_JSON


def test_deep_nesting_is_refused_before_it_is_parsed() -> None:
    assert line_violation(b'{"params":' + b"[" * BRACKETS_MAX) is CloseReason.TOO_DEEP


@given(
    st.binary(max_size=40).map(lambda start: start + b"[" * 8),
    st.sampled_from([b"", b" " * LINE_BYTES_MAX, b"{" * 9, b"x" * LINE_BYTES_MAX]),
)
def test_a_line_is_wrong_for_the_reason_that_its_shortest_wrong_beginning_is(start: bytes, end: bytes) -> None:
    line = start + end
    verdicts = (line_violation(line[:size]) for size in range(len(line) + 1))
    assert line_violation(line) == next((verdict for verdict in verdicts if verdict is not None), None)
