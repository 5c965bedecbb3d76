"""payout.payment_ports: what bitcoind's answer to a transaction means. Source: docs/payouts.md 3.5."""

from __future__ import annotations

import pytest

from payout.payment_ports import Sent, what_send_means


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (None, Sent.TAKEN),
        (-27, Sent.CONFIRMED),
        (-25, Sent.ASK),
        (-26, Sent.UNKNOWN),
        (-28, Sent.UNKNOWN),
        (-10, Sent.UNKNOWN),
        (-1, Sent.UNKNOWN),
    ],
)
def test_only_success_decides(code: int | None, meaning: Sent) -> None:
    assert what_send_means(code) is meaning
