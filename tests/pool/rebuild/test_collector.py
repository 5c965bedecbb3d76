"""pool.rebuild.collector: the collector rests, and only within."""

from __future__ import annotations

import gc

import pytest

from pool.rebuild.collector import no_collector


def test_it_rests_within_and_runs_again_after_that() -> None:
    with no_collector():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_runs_again_after_an_error_too() -> None:
    with pytest.raises(ValueError, match="broken"), no_collector():
        raise ValueError("broken")
    assert gc.isenabled()


def test_where_it_rested_already_it_goes_on_resting() -> None:
    gc.disable()
    try:
        with no_collector():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
