"""The benchmark of strangers, for a moment: a real role, real sockets, floods of bad and late shares."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from stratum.limits import BAD_SHARES_MAX
from tests.load.bench import main


@pytest.fixture(scope="module")
def flood() -> dict[str, Any]:
    arguments = ["hostile", "--crowd", "flood", "--connections", "20", "--seconds", "1.5"]
    run = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert run.exit_code == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)["hostile"]["flood"]
    return found


def test_who_floods_is_sent_away(flood: dict[str, Any]) -> None:
    assert flood["flooders"]["sent_away"] > 2


def test_nobody_is_sent_away_before_the_limit(flood: dict[str, Any]) -> None:
    """How soon after it depends on what was under way; tests/stratum/test_warden.py counts to the share."""
    assert flood["flooders"]["shares_until_then_max"] >= BAD_SHARES_MAX


def test_the_good_miners_of_the_same_address_mine_on(flood: dict[str, Any]) -> None:
    assert flood["refused"] == 0 < flood["accepted"]
