"""pool.scenario.chains: how machines mine where a share is a block, and where it is one of many."""

from __future__ import annotations

import pytest

from payout.maturity import SPENDABLE_CONFIRMATIONS
from pool.bitcoin.amount import subsidy
from pool.bitcoin.network import NETWORKS
from pool.scenario.chains import CHAINS, REGTEST, SIGNET, Chain


@pytest.mark.parametrize(
    ("chain", "machines", "seconds"),
    [(SIGNET, 336, 4.0), (SIGNET, 24, 0.3), (REGTEST, 336, 84.0), (REGTEST, 24, 6.0)],
)
def test_small_fleets_send_as_much_as_large_ones_and_on_signet_nobody_waits_long(
    chain: Chain, machines: int, seconds: float
) -> None:
    assert chain.share_seconds(machines) == seconds


def test_the_command_knows_both_by_name() -> None:
    assert CHAINS == {"regtest": REGTEST, "signet": SIGNET}


def test_what_the_last_share_on_regtest_pays_can_still_be_divided() -> None:
    assert REGTEST.limits is not None
    assert subsidy(REGTEST.limits.shares, NETWORKS[REGTEST.name].halving_interval) > 300_000


def test_the_last_block_on_regtest_becomes_mature() -> None:
    assert 1 + REGTEST.blocks_after == SPENDABLE_CONFIRMATIONS
