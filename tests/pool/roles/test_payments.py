"""pool.roles.payments: what a configuration means."""

from __future__ import annotations

import pytest

from pool.config import Config, NodeOptions, PoolOptions
from pool.payout_options import PayoutOptions
from pool.roles.payments import settings_of, wallet_settings

ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"


def config(**options: object) -> Config:
    node = NodeOptions(url="http://127.0.0.1:18443", cookie_file="cookie")
    pool = PoolOptions(chain="regtest", payout_address=ADDRESS)
    return Config(pool=pool, node=[node], payouts=PayoutOptions(**options))  # type: ignore[arg-type]


class TestSettings:
    def test_rates_become_satoshis_per_kvb(self) -> None:
        settings = settings_of(config(fee_rate_max=7, fee_rate_fallback=2))
        assert (settings.caps.rate_max_sat_kvb, settings.fee_rate_fallback_sat_kvb) == (7_000, 2_000)

    @pytest.mark.parametrize(("hour", "expected"), [(-1, None), (0, 0), (23, 23)])
    def test_minus_one_is_no_daily_run(self, hour: int, expected: int | None) -> None:
        assert settings_of(config(hour_utc=hour)).hour_utc == expected

    def test_an_external_signer_means_that_the_wallet_does_not_sign(self) -> None:
        assert not settings_of(config(signer="external")).signs

    def test_an_address_means_what_it_means_on_the_chain(self) -> None:
        script_of = settings_of(config()).policy.script_of
        assert script_of(ADDRESS).hex() == "0014751e76e8199196d454941c45d1b3a323f1433bd6"
        with pytest.raises(ValueError, match="of main"):
            script_of("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")

    def test_the_wallet_is_one_of_the_first_node(self) -> None:
        rpc = wallet_settings(config(wallet="money"))
        assert (rpc.wallet, rpc.url) == ("money", "http://127.0.0.1:18443")
