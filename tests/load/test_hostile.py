"""The benchmark of strangers, for a moment: a real role, real sockets, floods of bad and late shares."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from stratum.limits import BAD_SHARES_MAX, LATE_SHARES_MAX
from tests.load.bench import main
from tests.load.strangers import UNDER_WAY_MAX


@pytest.fixture(scope="module")
def flood() -> dict[str, Any]:
    arguments = ["hostile", "--crowd", "flood", "--connections", "20", "--seconds", "1.5"]
    run = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert run.exit_code == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)["hostile"]["flood"]
    return found


def test_who_floods_is_sent_away(flood: dict[str, Any]) -> None:
    assert flood["flooders"]["sent_away"] > 2


def test_it_got_through_what_the_limits_say_and_what_was_under_way(flood: dict[str, Any]) -> None:
    # Once when the limit is reached, and once for the answers to these, before it hears of its end; and jobs.
    under_way = 2 * UNDER_WAY_MAX + 100
    assert BAD_SHARES_MAX <= flood["flooders"]["shares_until_then_max"] <= LATE_SHARES_MAX + under_way


def test_the_good_miners_of_the_same_address_mine_on(flood: dict[str, Any]) -> None:
    assert flood["refused"] == 0 < flood["accepted"]
