"""Who is paid by a job."""

from __future__ import annotations

from pool.bitcoin.network import NETWORKS
from pool.bitcoin.script import address_of, output_script
from pool.work.coinbase import Coinbase
from pool.work.make_job import make_job
from pool.work.paid import Payee, who_is_paid
from tests.pool.work.templates import template

REGTEST = NETWORKS["regtest"]
ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"


def test_all_of_the_reward_goes_to_the_address_of_the_configuration() -> None:
    coinbase = Coinbase(output_script(ADDRESS, REGTEST), b"Steppe")
    offered = template()
    reward, commitment = who_is_paid(make_job(offered, coinbase, "a1", 0, True), coinbase, REGTEST)
    assert (reward.to, reward.address, reward.part) == (Payee.POOL, ADDRESS, 1.0)
    assert reward.value_sat == offered.coinbase_value_sat
    assert (commitment.to, commitment.address, commitment.value_sat) == (Payee.COMMITMENT, None, 0)


def test_whoever_else_is_paid_is_called_a_stranger() -> None:
    other = Coinbase(output_script("bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry", REGTEST))
    job = make_job(template(), other, "a1", 0, True)
    assert who_is_paid(job, Coinbase(output_script(ADDRESS, REGTEST)), REGTEST)[0].to is Payee.OTHER


def test_a_script_without_an_address_has_none() -> None:
    assert address_of(b"\x6a\x01\x00", REGTEST) is None
