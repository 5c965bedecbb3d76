"""pool.roles.lease_loop: looks keep their pace."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool.roles.lease_loop import REST_PART, pause_after


@given(st.floats(0, 0.9))
def test_looks_begin_as_far_apart_as_they_should_however_long_each_takes(took: float) -> None:
    assert took + pause_after(took, 1.0) == pytest.approx(1.0)


@given(st.floats(0.9, 1e6))
def test_one_that_takes_too_long_is_not_followed_at_once(took: float) -> None:
    assert pause_after(took, 1.0) == pytest.approx(REST_PART)
