"""/api/v1/history."""

from __future__ import annotations

import pytest

from pool.dashboard.history import SPANS
from pool.stats.history import COARSE_CELLS, COARSE_SECONDS, FINE_CELLS, FINE_SECONDS, Cell, Rings
from tests.pool.dashboard.browser import Browser, without_redis
from tests.pool.dashboard.fakes import FakeLive, live_view


@pytest.mark.parametrize("span", SPANS)
def test_each_span_fits_into_a_ring(span: str) -> None:
    step_seconds, count = SPANS[span]
    fine = step_seconds % FINE_SECONDS == 0 and step_seconds * count <= FINE_SECONDS * FINE_CELLS
    coarse = step_seconds % COARSE_SECONDS == 0 and step_seconds * count <= COARSE_SECONDS * COARSE_CELLS
    assert fine or coarse


def test_the_answer_has_rates_with_their_errors() -> None:
    rings = Rings().with_minute(Cell(1_700_000_040, 6_000, 6_000.0**2 / 4, 4, 1))
    answer = Browser(live=FakeLive(live_view([]), rings=rings)).ask("/api/v1/history?span=1h").json()
    cell = {"start_ms": 1_700_000_040_000, "hps": 100.0, "error": 0.5, "accepted": 4, "rejected": 1}
    assert answer == {"span": "1h", "step_seconds": 60, "cells": [cell], "unavailable": {}}


def test_without_redis_it_says_why_it_is_empty() -> None:
    answer = without_redis().ask("/api/v1/history").json()
    assert answer["cells"] == []
    assert "Redis" in answer["unavailable"]["redis"]


def test_an_unknown_span_is_refused_by_name() -> None:
    assert "1h, 24h, 7d, 30d" in Browser().ask("/api/v1/history?span=1y").json()["error"]["hint"]
