"""Amounts of money as integers of satoshis."""

from __future__ import annotations

# Satoshis in one bitcoin. Source: Bitcoin Core, `consensus/amount.h`.
COIN = 100_000_000

# Blocks between two halvings of the subsidy on every public network. Source: Bitcoin Core, `kernel/chainparams.cpp`.
HALVING_INTERVAL = 210_000

_FIRST_SUBSIDY_SAT = 50 * COIN
# Bitcoin Core stops here, where a C++ shift would be undefined; the subsidy is zero long before.
_HALVINGS_MAX = 64


def subsidy(height: int, halving_interval: int = HALVING_INTERVAL) -> int:
    """New satoshis that the block at this height may claim. Source: Bitcoin Core, `GetBlockSubsidy`."""
    if height < 0:
        raise ValueError(f"a height is not negative: {height}")
    halvings = height // halving_interval
    return 0 if halvings >= _HALVINGS_MAX else _FIRST_SUBSIDY_SAT >> halvings


def format_btc(sat: int) -> str:
    """Satoshis as bitcoins for people, always with eight decimals."""
    whole, rest = divmod(abs(sat), COIN)
    return f"{'-' if sat < 0 else ''}{whole}.{rest:08d}"
