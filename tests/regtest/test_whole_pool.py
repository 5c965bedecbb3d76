"""The pool as a newcomer meets it: a node, a miner, blocks, money. On regtest every share is a block."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pool.node.loopback import free_port
from pool.node.private import PrivateNode
from tests.regtest.whole_pool import WholePool, alive, children_of, eventually, halt

BLOCK_SAT = 50 * 100_000_000


@pytest.fixture(scope="module")
def pool(regtest_node: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholePool]:
    it = WholePool(tmp_path_factory.mktemp("pool"), regtest_node, "regtest")
    it.folder.joinpath("steppe.toml").write_text(it.config_path.read_text().replace("0.0001", "1e-9"))
    it.add_account("alice", "pplns", 100)
    it.add_account("bob", "pps", 200)
    it.start()
    yield it
    assert it.stop() == 0


def talk(port: int, *lines: str, replies: int) -> list[dict[str, Any]]:
    """Send lines on one connection and return so many answers to them (notifications left out)."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall("".join(line + "\n" for line in lines).encode())
        answers: list[dict[str, Any]] = []
        with connection.makefile("rb") as file:
            while len(answers) < replies and (line := file.readline()):
                message = json.loads(line)
                if "method" not in message:
                    answers.append(message)
        return answers


def credits_of(pool: WholePool, name: str) -> int:
    book = pool.get(f"/api/v1/accounts/{name}")["account"]["books"]
    return int(book["immature_sat"]) + int(book["available_sat"])


class TestBlocks:
    def test_a_share_becomes_a_block_that_the_node_accepts(self, pool: WholePool) -> None:
        found: list[Any] = []
        for _ in range(3):  # one after the other: two of one height would not both be in the chain
            pool.mine("alice.rig", shares=1, rate_hps=20)
            more = eventually("one more in the chain", lambda: pool.blocks("immature")[len(found) :])  # noqa: B023
            assert len(more) == 1
            found = pool.blocks("immature")
        for block in found:
            assert pool.node.call("getblockhash", block["height"]) == block["hash_hex"]

    def test_its_credits_and_fee_sum_to_what_its_coinbase_pays(self, pool: WholePool) -> None:
        block = eventually("a credited block", lambda: pool.blocks("immature"))[-1]
        detail = pool.get(f"/api/v1/blocks/{block['hash_hex']}")
        rows = {row["account"]: row["amount_sat"] for row in detail["ledger"]}
        assert block["reward_sat"] == BLOCK_SAT
        assert rows["asset:coinbase_immature"] == BLOCK_SAT
        assert sum(rows.values()) == 0
        assert rows["income:pool_fee:immature"] == -BLOCK_SAT // 100

    def test_a_hundred_blocks_later_the_credit_is_available(self, pool: WholePool) -> None:
        oldest = eventually("a credited block", lambda: pool.blocks("immature"))[-1]
        pool.node.mine(101)
        eventually("maturity", lambda: any(block["hash_hex"] == oldest["hash_hex"] for block in pool.blocks("mature")))
        assert pool.get("/api/v1/accounts/alice")["account"]["books"]["available_sat"] >= BLOCK_SAT * 99 // 100

    def test_the_page_and_the_metrics_know_of_the_blocks(self, pool: WholePool) -> None:
        assert "<html" in pool.text("/").lower()
        assert 'steppe_blocks{state="mature"}' in pool.text("/metrics")


class TestPayPerShare:
    def test_shares_under_pps_are_paid_whatever_becomes_of_their_block(self, pool: WholePool) -> None:
        before = credits_of(pool, "alice")
        pool.mine("bob.rig", shares=2, rate_hps=20)
        # Regtest's difficulty makes a share worth a whole block; the fee is 2 %. The window holds alice's shares too.
        eventually("bob's pay", lambda: credits_of(pool, "bob") == 2 * BLOCK_SAT * 98 // 100)
        eventually("alice's part of bob's blocks", lambda: credits_of(pool, "alice") > before)


class TestStatistics:
    def test_the_hashrate_of_a_worker_comes_from_its_shares(self, pool: WholePool) -> None:
        with pool.miner("carol.rig7", rate_hps=20):

            def row() -> Any:
                rows = pool.get("/api/v1/workers?q=carol")["rows"]
                # Who is connected is said once a second, whenever the shares come.
                is_there = rows and rows[0]["activity"]["hashrate"]["1m"]["hps"] > 0 and rows[0]["sessions"] == 1
                return is_there and rows[0]

            assert eventually("carol's hashrate", row)["login"] == "carol.rig7"

    def test_an_account_seen_for_the_first_time_has_the_default_plan(self, pool: WholePool) -> None:
        book = eventually("carol's account", lambda: pool.get("/api/v1/accounts/carol")["account"]["books"])
        assert (book["scheme"], book["fee_bps"]) == ("pplns", 100)


class TestTheDoor:
    def test_a_share_before_authorize_is_refused(self, pool: WholePool) -> None:
        (answer,) = talk(
            pool.stratum_port,
            '{"id": 4, "method": "mining.submit", "params": ["alice", "1", "00", "00", "00"]}',
            replies=1,
        )
        assert answer["error"][0] in (24, 25)

    def test_text_that_is_no_json_ends_only_its_own_connection(self, pool: WholePool) -> None:
        with socket.create_connection(("127.0.0.1", pool.stratum_port), timeout=10) as good:
            assert talk(pool.stratum_port, "GET / HTTP/1.0", replies=1) == []
            good.sendall(b'{"id": 1, "method": "mining.subscribe", "params": []}\n')
            assert json.loads(good.makefile("rb").readline())["error"] is None

    def test_a_line_over_4_kib_ends_its_connection(self, pool: WholePool) -> None:
        assert talk(pool.stratum_port, '{"id": 1, "method": "' + "x" * 5000 + '"}', replies=1) == []

    def test_an_unknown_method_is_answered(self, pool: WholePool) -> None:
        (answer,) = talk(pool.stratum_port, '{"id": "a", "method": "mining.dance", "params": []}', replies=1)
        assert (answer["id"], answer["result"], answer["error"][0]) == ("a", None, 20)

    def test_an_unknown_job_is_refused_with_code_21(self, pool: WholePool) -> None:
        answers = talk(
            pool.stratum_port,
            '{"id": 1, "method": "mining.subscribe", "params": []}',
            '{"id": 2, "method": "mining.authorize", "params": ["alice.x", "x"]}',
            '{"id": 3, "method": "mining.submit", "params": ["alice.x", "fff", "0000000000000000", "00000000", "0"]}',
            replies=3,
        )
        assert [answer["error"] and answer["error"][0] for answer in answers] == [None, None, 21]


class TestOperator:
    def test_what_an_operator_says_reaches_a_miner(self, pool: WholePool) -> None:
        with socket.create_connection(("127.0.0.1", pool.stratum_port), timeout=10) as connection:
            connection.sendall(
                b'{"id":1,"method":"mining.subscribe","params":["x"]}\n'
                b'{"id":2,"method":"mining.authorize","params":["carol.rig","x"]}\n'
            )
            with connection.makefile("rb") as lines:
                while b"mining.notify" not in lines.readline():
                    pass
                said = pool.steppe("stratum", "message", "--account", "carol", "back at ten")
                assert "1 sessions" in said
                assert b'"back at ten"' in next(line for line in lines if b"show_message" in line)


class TestFailures:
    @pytest.mark.parametrize("role", ["stratum", "work", "accounting", "web"])
    def test_a_killed_role_comes_back_and_no_share_is_lost(self, pool: WholePool, role: str) -> None:
        before = len(pool.blocks())
        pool.mine("alice.rig", shares=2, rate_hps=20)
        killed = pool.kill(role)
        eventually(f"{role} is back", lambda: pool.pid_of(role) != killed)
        eventually("ready", pool.is_ready)
        pool.mine("alice.rig", shares=1, rate_hps=20)
        eventually("all blocks are in the books", lambda: len(pool.blocks()) >= before + 3)

    def test_a_miner_gets_its_extranonce_back_after_its_role_was_killed(self, pool: WholePool) -> None:
        subscribe = '{"id":1,"method":"mining.subscribe","params":["x"]}'
        [[_, [_, session_id]], extranonce1, _] = talk(pool.stratum_port, subscribe, replies=1)[0]["result"]
        killed = pool.kill("stratum")
        eventually("stratum is back", lambda: pool.pid_of("stratum") != killed)
        resume = subscribe.replace('"x"', f'"x","{session_id}"')

        def resumed() -> Any:
            with contextlib.suppress(OSError):
                return talk(pool.stratum_port, resume, replies=1)
            return None

        [reply] = eventually("it listens again", resumed)
        assert reply["result"][1] == extranonce1

    def test_a_block_found_while_the_work_role_hung_survives_the_death_of_both(self, pool: WholePool) -> None:
        """Only the journal has it then."""
        before = len(pool.blocks())
        work = pool.pid_of("work")
        halt(work)
        pool.mine("alice.rig", shares=1, rate_hps=20)
        stratum = pool.kill("stratum")
        os.kill(work, signal.SIGKILL)
        eventually("both are back", lambda: pool.pid_of("work") != work and pool.pid_of("stratum") != stratum)
        eventually("the block is in the chain", lambda: len(pool.blocks()) > before and not pool.blocks("candidate"))

    def test_mining_goes_on_without_redis_and_everything_is_booked_when_it_returns(self, pool: WholePool) -> None:
        before = len(pool.blocks())
        assert pool.process is not None
        redis = next(pid for pid in children_of(pool.process.pid) if "redis-server" in command_of(pid))
        os.kill(redis, signal.SIGKILL)
        pool.mine("alice.rig", shares=2, rate_hps=20)
        eventually("the blocks of that time are in the books", lambda: len(pool.blocks()) >= before + 2)

    def test_mining_goes_on_while_the_node_is_down_and_its_blocks_reach_it_later(
        self, pool: WholePool, regtest_node: PrivateNode
    ) -> None:
        before = len(pool.blocks())
        regtest_node.stop()  # in good order: killed without a peer it might come back with a shorter chain
        try:
            pool.mine("alice.rig", shares=1, rate_hps=20)
            eventually("the page tells of the node", lambda: "is bitcoind running" in pool.text("/readyz"))
        finally:
            regtest_node.start()
        eventually("the block is in the chain", lambda: len(pool.blocks()) > before and not pool.blocks("candidate"))

    def test_a_node_that_refuses_the_password_is_named_with_the_mend(self, pool: WholePool, tmp_path: Path) -> None:
        wrong = tmp_path / "password"
        wrong.write_text("wrong\n")
        text = pool.config_path.read_text().replace(f'cookie_file = "{pool.node.cookie_file}"', "")
        text = text.replace("[[node]]", f'[[node]]\nuser = "u"\npassword_file = "{wrong}"')
        config = tmp_path / "steppe.toml"
        config.write_text(text)
        role = subprocess.Popen(
            [sys.executable, "-m", "pool", "run", "--role", "work", "-c", str(config)],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert role.stderr is not None
        events = (json.loads(line) for line in role.stderr)
        said = next(event for event in events if event["event"] == "node_unavailable")
        role.terminate()
        role.wait(60)
        role.stderr.close()
        assert "refuses the user 'u' with the password in" in said["message"]


class TestStopping:
    def test_it_stops_everything_that_it_started_and_only_that(self, regtest_node: PrivateNode, tmp_path: Path) -> None:
        pool = WholePool(tmp_path, regtest_node, "regtest")
        pool.start()
        assert pool.process is not None
        started = children_of(pool.process.pid)
        assert len(started) >= 5
        assert pool.stop() == 0
        assert not {pid for pid in started if alive(pid)}
        assert regtest_node.call("getblockcount") >= 0

    def test_a_port_in_use_is_named_and_ends_the_program(self, regtest_node: PrivateNode, tmp_path: Path) -> None:
        pool = WholePool(tmp_path, regtest_node, "regtest")
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", free_port()))
            taken.listen()
            port = taken.getsockname()[1]
            text = pool.config_path.read_text().replace(f":{pool.stratum_port}", f":{port}")
            pool.config_path.write_text(text)
            run = subprocess.run(
                [sys.executable, "-m", "pool", "run", "-c", str(pool.config_path)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        assert run.returncode == 78
        assert f"127.0.0.1:{port}" in run.stderr


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""
