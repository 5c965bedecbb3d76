"""A real template: what a Bitcoin Knots 29.4 offered on regtest at height 124, with three segwit transactions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from pool.work.coinbase import Coinbase
from pool.work.template import Template, parse_template

# The witness program of BIP-0173's examples.
PAYOUT_SCRIPT = bytes.fromhex("0014751e76e8199196d454941c45d1b3a323f1433bd6")
COINBASE = Coinbase(payout_script=PAYOUT_SCRIPT, tag=b"/steppe/")


def result(**changes: object) -> dict[str, Any]:
    """The answer to `getblocktemplate`, a new one each time, with some fields changed."""
    answer: dict[str, Any] = json.loads((Path(__file__).parent / "template.json").read_text())
    return answer | changes


def template(**changes: object) -> Template:
    """The same as a value."""
    return parse_template(msgspec.json.encode(result(**changes)))


def empty_template(height: int = 1, prev_hash: bytes = bytes(32), time: int = 1_700_000_000) -> Template:
    """A template without transactions, as the node would give it on a new tip."""
    return template(
        height=height,
        previousblockhash=prev_hash[::-1].hex(),
        curtime=time,
        mintime=time - 600,
        longpollid=f"{prev_hash[::-1].hex()}1",
        transactions=[],
        coinbasevalue=50_0000_0000,
        default_witness_commitment="6a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9",
    )
