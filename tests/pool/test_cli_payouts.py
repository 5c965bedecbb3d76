"""`steppe payout`, `steppe account address` and `threshold`: what they say and refuse, without a node."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import insert

from payout.ledger import available, posting
from payout.payment_ports import PaidLine
from payout.settlement import Line, reserve
from payout.store.ledger import SqlLedger
from pool import config_file
from pool.roles.database import open_database
from pool.store.sql import progress, writing
from tests.pool.test_cli import config, steppe

__all__ = ["config"]

ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"


@pytest.fixture
def pool(config: Path) -> Path:
    """A file with payouts, and alice with a batch that is reserved."""
    config.write_text(config.read_text() + "\n[payouts]\nenabled = true\n")
    assert steppe("account", "add", "alice", "--address", ADDRESS, "-c", config).exit_code == 0
    engine = open_database(config_file.load(config))
    with SqlLedger(engine).write() as books:
        lines = [Line("alice", "0014751e76e8199196d454941c45d1b3a323f1433bd6", 700)]
        earned = {"asset:wallet": 900, available("alice"): -900}
        books.journal.post([posting("earned", "test", "", 1, earned), reserve("1", {"alice": 700}, 1)])
        books.payouts.reserve([PaidLine(line, ADDRESS) for line in lines], 1)
    engine.dispose()
    return config


def said(*arguments: str | Path) -> Result:
    result = steppe(*arguments)
    assert result.exit_code == 0, result.output
    return result


class TestPayout:
    def test_a_list_has_a_line_for_each(self, pool: Path) -> None:
        assert said("payout", "list", "-c", pool).output == "1\treserved\t0.00000700 BTC\t0 deep\t-\n"

    def test_json_has_the_rows_of_the_api(self, pool: Path) -> None:
        page = json.loads(said("payout", "list", "-c", pool, "--json").output)
        assert (page["total"], page["rows"][0]["state"], page["stopped"]) == (1, "reserved", None)

    def test_one_is_shown_with_lines_and_ledger(self, pool: Path) -> None:
        lines = said("payout", "show", "1", "-c", pool).output.splitlines()
        assert lines[0] == "payout 1: reserved, 0.00000700 BTC, 0 deep"
        assert f"line\talice\t0.00000700 BTC\t{ADDRESS}" in lines
        assert "ledger\tpayout:1:reserved\tliab:alice:reserved\t-700" in lines

    def test_what_was_not_signed_is_released_without_a_node(self, pool: Path) -> None:
        assert said("payout", "release", "1", "-c", pool).output == (
            "payout 1: released, 0.00000700 BTC available again\n"
        )
        again = steppe("payout", "release", "1", "-c", pool)
        assert (again.exit_code, "it is released already" in again.output) == (1, True)

    def test_one_that_is_not_there_is_named(self, pool: Path) -> None:
        result = steppe("payout", "show", "9", "-c", pool)
        assert (result.exit_code, result.output) == (
            1,
            "Error: there is no payout 9; `steppe payout list` shows them\n",
        )

    def test_stop_and_resume_are_kept_with_their_reasons(self, pool: Path) -> None:
        said("payout", "stop", "a wallet is missing", "-c", pool)
        assert "payouts are stopped: a wallet is missing" in said("payout", "list", "-c", pool).output
        refused = steppe("payout", "run", "-c", pool)
        assert (refused.exit_code, "a wallet is missing; see `steppe payout resume`" in refused.output) == (1, True)
        said("payout", "resume", "found", "-c", pool)
        assert "asked for" in said("payout", "run", "-c", pool).output

    def test_restored_books_go_on_after_a_look_at_the_wallet_or_by_who_vouches(self, pool: Path) -> None:
        engine = open_database(config_file.load(pool))
        with writing(engine) as connection:
            connection.execute(insert(progress).values(name="payout_restored_height", value=7))
        said("payout", "stop", "restored", "-c", pool)
        refused = steppe("payout", "resume", "hm", "-c", pool)
        assert (refused.exit_code, "cookie" in refused.output) == (1, True)  # the node cannot be asked
        said("payout", "resume", "a new pool", "--nothing-was-paid", "-c", pool)
        with SqlLedger(engine).read() as books:
            assert books.payouts.switch().reason == "a new pool (vouched for: nothing was paid since the backup)"
            assert books.payouts.restored_height() == 0
        engine.dispose()
        assert said("payout", "foreign", "-c", pool).output == "nothing\n"

    def test_a_reason_is_wanted(self, pool: Path) -> None:
        assert "say why" in steppe("payout", "stop", " ", "-c", pool).output

    def test_without_payouts_nobody_would_pay(self, config: Path) -> None:
        assert "payouts.enabled is false" in steppe("payout", "run", "-c", config).output

    def test_coins_from_elsewhere_are_booked_once(self, pool: Path) -> None:
        assert said("payout", "fund", "T1", "500", "-c", pool).output == "booked: 500 satoshi, adjust:T1\n"
        assert "was booked before" in steppe("payout", "fund", "T1", "500", "-c", pool).output
        assert said("payout", "fund", "T2", "-200", "-c", pool).output == "booked: -200 satoshi, adjust:T2\n"

    @pytest.mark.parametrize("command", [["plan"], ["bump", "1"], ["cancel", "1"]])
    def test_what_needs_the_node_or_another_state_says_so(self, pool: Path, command: list[str]) -> None:
        result = steppe("payout", *command, "-c", pool)
        assert result.exit_code == 1
        assert "cookie" in result.output or "payout 1 is reserved" in result.output

    def test_a_file_that_is_no_psbt_is_refused(self, pool: Path, tmp_path: Path) -> None:
        (tmp_path / "x").write_text("hello")
        assert "no PSBT of version 0" in steppe("payout", "import", tmp_path / "x", "-c", pool).output
        (tmp_path / "x").write_bytes(b"\xff")
        assert "cannot be read as base64 text" in steppe("payout", "import", tmp_path / "x", "-c", pool).output


class TestAccount:
    def test_the_threshold_is_the_pools_until_there_is_another(self, pool: Path) -> None:
        shown = [
            said("account", "threshold", "alice", *more, "-c", pool).output for more in ([], ["5000"], ["--default"])
        ]
        assert shown == [
            "alice: 1000000 satoshi (payouts.threshold_sat)\n",
            "alice: 5000 satoshi (its own)\n",
            "alice: 1000000 satoshi (payouts.threshold_sat)\n",
        ]

    def test_the_addresses_are_shown(self, pool: Path) -> None:
        assert said("account", "address", "alice", "-c", pool).output.startswith(f"{ADDRESS}\tfrom 20")

    @pytest.mark.parametrize(
        ("address", "why"),
        [
            ("nonsense", "is no Bitcoin address"),
            ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "is an address of main, not of regtest"),
            ("bcrt1pfeesnyr2tx", "only P2PKH, P2SH, P2WPKH, P2WSH, P2TR are paid"),
        ],
        ids=["nonsense", "another network", "a kind that is not paid"],
    )
    def test_an_address_that_cannot_be_paid_is_refused_with_the_reason(
        self, pool: Path, address: str, why: str
    ) -> None:
        result = steppe("account", "address", "alice", address, "-c", pool)
        assert (result.exit_code, why in result.output) == (1, True), result.output

    def test_a_good_one_waits_for_the_node_to_agree(self, pool: Path) -> None:
        other = "bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry"
        result = steppe("account", "address", "alice", other, "-c", pool)
        assert (result.exit_code, "is bitcoind running" in result.output) == (1, True)

    def test_without_a_change_on_hold_there_is_nothing_to_cancel(self, pool: Path) -> None:
        assert (
            "no change of the address of alice" in steppe("account", "address", "alice", "--cancel", "-c", pool).output
        )

    def test_an_account_that_is_not_there_is_named(self, pool: Path) -> None:
        assert "account zoe does not exist" in steppe("account", "threshold", "zoe", "5", "-c", pool).output
