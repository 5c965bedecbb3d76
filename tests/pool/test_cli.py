"""The command `steppe`: what it says and how it ends."""

from __future__ import annotations

import subprocess
import sys
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

    def test_a_file_is_needed(self) -> None:
        assert "Missing option '-c'" in steppe("check").output


class TestAccounts:
    def test_an_account_is_added_and_listed_with_its_plan(self, config: Path) -> None:
        assert steppe("account", "add", "alice", "--scheme", "pps", "--fee-bps", "250", "-c", config).exit_code == 0
        assert steppe("account", "list", "-c", config).output == "alice\tpps\t2.5 %\n"

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
