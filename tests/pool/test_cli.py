"""The command `steppe`: what it says and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pool.cli import main

ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
VECTORS = Path(__file__).parents[1] / "vectors" / "payout_vectors.json"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "steppe.toml"
    file.write_text(
        f"""\
[pool]
chain = "regtest"
payout_address = "{ADDRESS}"

[[node]]
url = "http://127.0.0.1:18443"
cookie_file = "cookie"
"""
    )
    return file


def steppe(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


class TestCheck:
    def test_a_good_file_is_good(self, config: Path) -> None:
        result = steppe("check", "-c", config)
        assert (result.exit_code, result.output) == (0, f"{config}: good\n")

    def test_each_mistake_is_a_line_and_the_exit_code_says_configuration(self, config: Path) -> None:
        config.write_text(config.read_text().replace("regtest", "regtset") + "\n[web]\nlisten = 8080\n")
        result = steppe("check", "-c", config)
        assert result.exit_code == 78
        assert [line.split(": ")[:2] for line in result.stderr.splitlines()] == [
            [f"{config}:2", "pool.chain"],
            [f"{config}:10", "web.listen"],
        ]

    def test_what_stands_against_a_start_ends_it_with_the_reason(self, config: Path) -> None:
        example = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
        config.write_text(config.read_text().replace("regtest", "main").replace(ADDRESS, example))
        for command in (["check"], ["run"], ["run", "--role", "web"]):
            result = steppe(*command, "-c", config)
            assert result.exit_code == 78
            assert "refused (sample-address): pool.payout_address" in result.stderr

    def test_what_a_restore_left_half_done_is_not_started(self, config: Path) -> None:
        (config.parent / "data/.restoring").mkdir(parents=True)
        config.write_text(config.read_text().replace("[[node]]", 'data_dir = "data"\n\n[[node]]'))
        for command in (["check"], ["run"]):
            result = steppe(*command, "-c", config)
            assert (result.exit_code, "a restore that did not end" in result.stderr) == (78, True)

    def test_a_file_is_needed(self) -> None:
        assert "Missing option '-c'" in steppe("check").output


class TestPlans:
    @pytest.fixture
    def alice(self, config: Path) -> Path:
        assert steppe("account", "add", "alice", "--fee-bps", "100", "-c", config).exit_code == 0
        return config

    def test_a_change_at_a_stated_time_is_shown_and_can_be_taken_back(self, alice: Path) -> None:
        result = steppe("account", "plan", "alice", "--scheme", "solo", "--from", "2100-01-01T00:00+05:00", "-c", alice)
        lines = [line.split("\t") for line in result.output.splitlines()]
        assert [line[:3] for line in lines] == [["in_force", "pplns", "100 bps"], ["planned", "solo", "100 bps"]]
        assert steppe("account", "list", "-c", alice).output == "alice\tpplns\t1 %\n"
        assert lines[1][3] == "from 2099-12-31 19:00:00+00:00"
        assert "planned" not in steppe("account", "plan", "alice", "--cancel", "-c", alice).output

    def test_without_a_time_it_holds_from_a_full_minute_that_is_at_least_one_away(self, alice: Path) -> None:
        before_ms = time.time() * 1000
        plans = json.loads(steppe("account", "plan", "alice", "--fee-bps", "50", "--json", "-c", alice).output)
        assert plans[1]["valid_from_ms"] % 60_000 == 0
        assert plans[1]["valid_from_ms"] - before_ms >= 60_000

    @pytest.mark.parametrize(
        ("words", "reason"),
        [
            (("--scheme", "solo", "--from", "2020-01-01T00:00Z"), "cannot change in the past"),
            (("--scheme", "solo", "--from", "2100-01-01"), "does not say its zone"),
            (("--scheme", "solo", "--from", "tomorrow"), "is not a time such as"),
            (("--fee-bps", "10001"), "10001 is not in the range 0<=x<=10000"),
            (("--fee-bps", "100"), "on pplns with 100 basis points already"),
            (("--scheme", "fpps"), "fpps is refused: the reserve holds 0 satoshi"),
            (("--scheme", "solo", "--cancel"), "give a change, or --cancel"),
            (("--from", "2100-01-01T00:00Z"), "changes nothing"),
            (("--cancel",), "no change of the plan of alice is planned"),
        ],
    )
    def test_what_cannot_be_is_refused_and_nothing_changes(
        self, alice: Path, words: tuple[str, ...], reason: str
    ) -> None:
        result = steppe("account", "plan", "alice", *words, "-c", alice)
        assert result.exit_code != 0
        assert reason in result.output
        assert len(steppe("account", "plan", "alice", "-c", alice).output.splitlines()) == 1

    def test_an_account_is_shown(self, alice: Path) -> None:
        shown = steppe("account", "show", "alice", "-c", alice).output
        assert "in_force\tpplns\t100 bps" in shown
        assert "available 0.00000000 BTC" in shown

    def test_one_that_is_not_there_is_named(self, config: Path) -> None:
        result = steppe("account", "show", "nobody", "-c", config)
        assert (result.exit_code, "account nobody does not exist" in result.output) == (1, True)


class TestReserve:
    def test_pay_per_share_is_offered_against_a_reserve(self, config: Path) -> None:
        pps = ("account", "add", "kz", "--scheme", "pps", "--fee-bps", "200", "-c", config)
        result = steppe(*pps)
        assert (result.exit_code, "pps is refused: the reserve holds 0 satoshi" in result.output) == (1, True)
        funded = steppe("reserve", "fund", "first", str(12_000 * 10**8), "-c", config)
        assert funded.output.splitlines()[0] == "unused: 12000.00000000 BTC held"
        assert steppe(*pps).exit_code == 0
        assert steppe("reserve", "show", "-c", config).output.splitlines() == [
            "funded: 12000.00000000 BTC held",
            "a block is worth 50.00000000 BTC, the margin is 150 bps",
            "an alarm below 11512.92546498 BTC",
            "no account more below 7675.28364332 BTC",
            "nothing per share at 0.00000000 BTC",
        ]

    def test_a_ticket_is_booked_once(self, config: Path) -> None:
        steppe("reserve", "fund", "first", "5", "-c", config)
        result = steppe("reserve", "fund", "first", "5", "-c", config)
        assert (result.exit_code, "ticket first was booked before" in result.output) == (1, True)

    def test_what_is_not_stopped_does_not_go_on(self, config: Path) -> None:
        result = steppe("reserve", "resume", "because", "-c", config)
        assert (result.exit_code, "pay per share is not stopped" in result.output) == (1, True)


class TestAccounts:
    def test_an_account_is_added_and_listed_with_its_plan(self, config: Path) -> None:
        assert steppe("account", "add", "alice", "--scheme", "solo", "--fee-bps", "250", "-c", config).exit_code == 0
        assert steppe("account", "list", "-c", config).output == "alice\tsolo\t2.5 %\n"

    def test_a_taken_name_is_refused(self, config: Path) -> None:
        steppe("account", "add", "alice", "-c", config)
        result = steppe("account", "add", "alice", "-c", config)
        assert (result.exit_code, result.output) == (1, "Error: account alice exists already\n")

    def test_an_address_of_another_network_is_refused_and_nothing_is_added(self, config: Path) -> None:
        other = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
        assert steppe("account", "add", "alice", "--address", other, "-c", config).exit_code == 1
        assert steppe("account", "list", "-c", config).output == ""

    def test_a_fee_over_a_hundred_percent_is_refused(self, config: Path) -> None:
        assert steppe("account", "add", "alice", "--fee-bps", "10001", "-c", config).exit_code == 2

    def test_a_name_that_cannot_be_a_login_is_refused(self, config: Path) -> None:
        result = steppe("account", "add", "a.b", "-c", config)
        assert result.output == "Error: account name 'a.b': 1 to 64 of letters, digits, _ and - are allowed\n"


class TestVectors:
    def test_every_worked_example_passes(self) -> None:
        result = steppe("vectors", VECTORS)
        assert result.exit_code == 0
        assert result.output.endswith("25 passed, 0 failed\n")

    def test_a_wrong_result_is_told_and_the_exit_code_is_not_0(self, tmp_path: Path) -> None:
        wrong = tmp_path / "wrong.json"
        wrong.write_text(VECTORS.read_text().replace('"work": "4295032833"', '"work": "4294967296"', 1))
        result = steppe("vectors", wrong)
        assert result.exit_code == 1
        assert result.output.endswith("24 passed, 1 failed\n")

    def test_a_file_that_is_no_json_is_refused(self, tmp_path: Path) -> None:
        bad = tmp_path / "bad.json"
        bad.write_text("{")
        assert steppe("vectors", bad).exit_code == 1


class TestMiner:
    @pytest.mark.parametrize("address", ["localhost", "localhost:", "localhost:0", "localhost:70000", ":x"])
    def test_an_address_without_a_port_is_refused(self, address: str) -> None:
        assert "is not HOST:PORT" in steppe("miner", address, "-u", "alice").output


class TestHashing:
    # Where `native.compiled` is None in the module table, it is as if it had never been built.
    WITHOUT_BUILD = "import sys; sys.modules['native.compiled'] = None; from pool.cli import main; main()"

    def run_without_build(self, config: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", self.WITHOUT_BUILD, "run", "--role", "accounting", "-c", str(config)]
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
        )

    def test_the_program_refuses_to_start_on_the_slow_twin(self, config: Path) -> None:
        run = self.run_without_build(config)
        assert run.returncode == 78
        assert "the compiled hashing is missing" in run.stderr

    def test_unless_it_is_told_to(self, config: Path) -> None:
        config.write_text(
            config.read_text().replace("[pool]\n", "[pool]\nallow_slow_hashing = true\n")
            + '\n[database]\nurl = "sqlite:////nowhere/ledger.sqlite"\n'
        )
        run = self.run_without_build(config)
        assert "the compiled hashing is missing" not in run.stderr
        assert "accounting_waits" in run.stderr


class TestRun:
    @pytest.mark.parametrize("arguments", [("--role", "stratum", "--process", "1"), ("--process", "1")])
    def test_a_process_that_is_not_configured_is_refused(self, config: Path, arguments: tuple[str, ...]) -> None:
        result = steppe("run", "-c", config, *arguments)
        assert result.exit_code == 2
        assert "there is no process 1 of it" in result.output
