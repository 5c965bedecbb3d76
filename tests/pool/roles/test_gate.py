"""What the configuration makes of the chain gate."""

from __future__ import annotations

import msgspec
import pytest

from pool.bitcoin.network import MAIN, REGTEST
from pool.config import Config
from pool.roles.gate import gate_settings

HASH_HEX = "00" * 31 + "ff"


def configured(network: str = "main", **sections: object) -> Config:
    pool = {"chain": network, "payout_address": "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"}
    node = {"url": "http://127.0.0.1:8332", "cookie_file": ".cookie"}
    return msgspec.convert({"pool": pool, "node": [node], **sections}, Config)


def test_the_networks_checkpoints_are_measured_by() -> None:
    assert gate_settings(configured()).rules.checkpoints == MAIN.checkpoints


def test_the_operators_come_among_them_in_their_order() -> None:
    checkpoints = gate_settings(configured(checkpoint=[{"height": 900_000, "hash": HASH_HEX}])).rules.checkpoints
    assert [each.height for each in checkpoints] == [0, 481_824, 840_000, 900_000, 938_343, 961_632]
    assert checkpoints[3].block_hash == b"\xff" + bytes(31)


def test_one_at_the_same_height_takes_the_place_of_ours() -> None:
    checkpoints = gate_settings(configured(checkpoint=[{"height": 961_632, "hash": HASH_HEX}])).rules.checkpoints
    assert (len(checkpoints), checkpoints[-1].block_hash) == (len(MAIN.checkpoints), b"\xff" + bytes(31))


@pytest.mark.parametrize(
    ("options", "seconds"), [({}, 10_800), ({"tip_age_minutes": 60}, 3_600), ({"tip_age_minutes": 0}, None)]
)
def test_the_tip_may_be_so_old(options: dict[str, object], seconds: int | None) -> None:
    assert gate_settings(configured(chain=options)).rules.tip_age_seconds_max == seconds


def test_on_regtest_blocks_come_when_somebody_wants_one() -> None:
    rules = gate_settings(configured("regtest", chain={"tip_age_minutes": 60})).rules
    assert (rules.tip_age_seconds_max, rules.checkpoints) == (None, REGTEST.checkpoints)


@pytest.mark.parametrize(("on_unknown", "mines"), [("mine", True), ("stop", False)])
def test_the_operator_says_what_to_do_when_nobody_knows(on_unknown: str, mines: bool) -> None:
    assert gate_settings(configured(chain={"on_unknown": on_unknown})).mines_on_unknown is mines
