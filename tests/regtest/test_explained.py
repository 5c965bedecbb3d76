"""One block followed from its shares to a confirmed payout, by what `steppe explain` says of each step.

With STEPPE_TRANSCRIPT=FILE all that is asked and answered is written there, for docs/understand-your-payout.md.
"""

from __future__ import annotations

import csv
import json
import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docs.shell import fits, transcripts
from tests.docs.test_verify_payout import verify
from tests.regtest.conftest import StartNode
from tests.regtest.whole_pool import WholePool, eventually

PAGE = Path(__file__).parents[2] / "docs" / "understand-your-payout.md"
BLOCK_SAT = 50 * 100_000_000
PAYOUTS = '[payouts]\nenabled = true\nwallet = "pool"\nhour_utc = -1\nthreshold_sat = 100000\n'


class Told:
    """A pool whose commands are written down with their answers."""

    def __init__(self, pool: WholePool) -> None:
        self.pool = pool
        self.transcript: list[str] = []

    def say(self, *words: str) -> str:
        answer = self.pool.steppe(*words)
        self.transcript.append(f"$ {shlex.join(['steppe', *words, '-c', 'steppe.toml'])}\n{answer}")
        return answer

    def facts(self, *words: str) -> Any:
        return json.loads(self.pool.steppe(*words, "--json"))


@pytest.fixture(scope="module")
def told(bitcoind: StartNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """alice and bob mine; the third block is bob's. A share is a block's worth on regtest, so its window of 7/3 blocks
    holds two shares of alice's, of the older one a third, and one of his."""
    node = bitcoind("regtest")
    pool = WholePool(tmp_path_factory.mktemp("explained"), node, "regtest", PAYOUTS)
    window = '[accounting]\npplns_window = "7/3"'
    pool.config_path.write_text(pool.config_path.read_text().replace("[accounting]", window))
    for number, (name, fee_bps) in enumerate((("alice", 100), ("bob", 250))):
        address = str(node.call("decodescript", (b"\x00\x14" + bytes([number]) * 20).hex())["address"])
        pool.add_account(name, "pplns", fee_bps)
        pool.steppe("account", "address", name, address)
    pool.start()
    made = Told(pool)
    try:
        for user in ("alice.rig", "alice.rig", "bob.rig"):
            mine_one(pool, user)
        yield made
        if os.environ.get("STEPPE_TRANSCRIPT"):
            Path(os.environ["STEPPE_TRANSCRIPT"]).write_text("\n".join(made.transcript))
    finally:
        assert pool.stop() == 0


def mine_one(pool: WholePool, user: str) -> None:
    """One share, which is a block on regtest, into the chain and the books."""
    before = len(pool.blocks("immature"))
    pool.mine(user, shares=1, rate_hps=20)
    eventually("its block is credited", lambda: len(pool.blocks("immature")) > before)


def height_of_third(told: Told) -> int:
    return int(max(block["height"] for block in told.pool.blocks() if block["finder"] == "bob.rig"))


class TestTheWay:
    def test_a_credit_is_told_while_it_is_immature(self, told: Told) -> None:
        height = height_of_third(told)
        told.say("blocks")
        said = told.say("explain", "credit", f"{height}:alice")
        facts = told.facts("explain", "credit", f"{height}:alice")
        (part,) = facts["parts"]
        assert int(facts["oldest"]["counted"]) == int(facts["oldest"]["units"]) // 3
        exact_sat = facts["reward_sat"] * 4 // 7
        assert (facts["state"], facts["own_sat"]) == ("immature", part["gross_sat"] - part["fee_sat"])
        assert part["gross_sat"] - exact_sat in (0, 1)
        assert part["fee_sat"] == part["gross_sat"] // 100
        assert f"The account's own: {facts['own_sat']:,} sat." in said
        assert facts["newest"]["share"] in said

    def test_the_balance_says_in_which_blocks_it_is(self, told: Told) -> None:
        facts = told.facts("explain", "balance", "alice")
        assert "to go" in told.say("explain", "balance", "alice")
        assert sum(each["amount_sat"] for each in facts["blocks"]) == facts["balance"]["immature_sat"] > 0

    def test_the_block_is_exported_and_anybody_reckons_it_again(self, told: Told, tmp_path: Path) -> None:
        height = height_of_third(told)
        said = told.say("export", "block", str(height), "--out", str(tmp_path / "block"))
        assert "3 shares, 3 with their headers" in said
        told.transcript[-1] = told.transcript[-1].replace(str(tmp_path / "block"), "block")
        code, answer = verify(tmp_path / "block")
        told.transcript.append(f"$ python3 docs/verify_payout.py block\n{answer}")
        assert code == 0, answer
        assert f"commits to a coinbase that pays {BLOCK_SAT} sat" in answer

    def test_a_satoshi_that_was_moved_in_the_export_is_noticed(self, told: Told, tmp_path: Path) -> None:
        told.pool.steppe("export", "block", str(height_of_third(told)), "--out", str(tmp_path))
        document = json.loads((tmp_path / "block.json").read_text())
        for place, sat in ((0, -1), (1, 1)):
            document["credits"][place]["gross_sat"] += sat
            document["credits"][place]["own_sat"] += sat
        (tmp_path / "block.json").write_text(json.dumps(document))
        code, answer = verify(tmp_path)
        assert code == 1
        assert "do NOT agree with the pool" in answer

    def test_a_share_that_came_too_late_says_why_by_the_id_that_the_api_shows(self, told: Told) -> None:
        pool = told.pool
        with socket.create_connection(("127.0.0.1", pool.stratum_port), timeout=20) as miner:
            lines = miner.makefile("rb")
            miner.sendall(b'{"id":1,"method":"mining.subscribe","params":[]}\n')
            miner.sendall(b'{"id":2,"method":"mining.authorize","params":["alice.late","x"]}\n')
            job = _params(lines, "mining.notify")
            pool.node.mine(1)
            eventually("a new tip", lambda: _params(lines, "mining.notify")[8])
            late = ["alice.late", job[0], "00" * 8, job[7], "00000001"]
            miner.sendall(json.dumps({"id": 3, "method": "mining.submit", "params": late}).encode() + b"\n")
            answer = next(message for message in map(json.loads, lines) if message.get("id") == 3)
        assert answer["error"][0] == 21
        [reject] = eventually("the API shows it", lambda: pool.get("/api/v1/workers/alice.late").get("rejects"))
        said = told.say("explain", "reject", reject["id"])
        facts = told.facts("explain", "reject", reject["id"])
        assert (facts["outcome"], facts["job_id"], facts["login"]) == ("stale", job[0], "alice.late")
        assert "another had come before the share" in said
        assert len(facts["hash"]) == len(facts["share_target"]) == 64
        assert told.facts("explain", "reject", facts["hash"]) == facts
        assert told.facts("explain", "reject", f"alice.late@{facts['time_ms']}") == facts

    def test_the_payout_is_told_from_the_reservation_to_six_deep(self, told: Told) -> None:
        pool = told.pool
        pool.node.mine(101)
        eventually("maturity", lambda: len(pool.blocks("mature")) >= 3)
        told.say("solvency")
        told.say("payout", "plan")
        pool.steppe("payout", "run")

        def state() -> Any:
            rows = pool.get("/api/v1/payouts")["rows"]
            return rows[0]["state"] if rows else None

        eventually("it is broadcast", lambda: state() == "broadcast")
        assert "waits for a block" in told.say("explain", "payout", "1", "--account", "alice")
        pool.node.mine(1)
        eventually("it is confirmed", lambda: state() == "confirmed")
        pool.node.mine(5)
        eventually("it is final", lambda: state() == "final")
        facts = told.facts("explain", "payout", "1", "--account", "alice")
        said = told.say("explain", "payout", "1", "--account", "alice")
        assert pool.node.call("gettransaction", facts["txid"])["confirmations"] >= 6
        assert f"Its network fee is {facts['fee_sat']:,} sat. The pool bears it" in said
        (line,) = facts["lines"]
        credited_sat = sum(
            told.facts("explain", "credit", f"{block['hash_hex']}:alice")["own_sat"] for block in pool.blocks("mature")
        )
        assert line["amount_sat"] == credited_sat

    def test_the_credit_is_mature_then_and_the_balance_is_paid(self, told: Told) -> None:
        assert "It is mature" in told.say("explain", "credit", f"{height_of_third(told)}:alice")
        facts = told.facts("explain", "balance", "alice")
        assert facts["balance"] == {"immature_sat": 0, "available_sat": 0, "reserved_sat": 0}
        told.say("explain", "balance", "alice")

    def test_the_statement_closes_at_the_ledger_and_is_the_same_over_the_api(self, told: Told) -> None:
        said = told.say("statement", "alice")
        assert "closing: 0 sat" in said
        made = json.loads(told.pool.steppe("statement", "alice", "--format", "json"))
        over_http = told.pool.get(f"/api/v1/accounts/alice/statement?to={made['to_ms']}")
        assert over_http == made
        rows = list(csv.DictReader(told.pool.text("/api/v1/accounts/alice/statement?format=csv").splitlines()))
        assert (rows[0]["kind"], rows[-1]["kind"], rows[-1]["balance_sat"]) == ("opening", "closing", "0")
        paid = next(row for row in rows if row["kind"] == "payout.confirmed")
        assert paid["txid"] == told.facts("explain", "payout", "1")["txid"]

    def test_the_pool_is_solvent_and_says_so_at_a_block_of_the_node(self, told: Told) -> None:
        found = told.facts("solvency")
        assert found["block_hash"] == told.pool.node.call("getblockhash", found["block_height"])
        assert (found["owed_sat"], found["surplus_sat"]) == (0, found["held_sat"])
        assert found["wallet_sat"] == found["booked_wallet_sat"] > 0
        assert told.pool.get("/api/v1/solvency")["owed_sat"] == 0

    def test_a_shortfall_ends_the_command_with_1(self, told: Told) -> None:
        node = told.pool.node
        eventually("no payout is on its way", lambda: told.pool.get("/api/v1/payouts")["rows"][0]["state"] == "final")
        matured = len(told.pool.blocks("mature"))
        mine_one(told.pool, "bob.rig")
        node.mine(101)
        eventually("it is owed and due", lambda: len(told.pool.blocks("mature")) > matured)
        for coin in node.call("listunspent"):
            node.call("lockunspent", False, [{"txid": coin["txid"], "vout": coin["vout"]}])
        node.call("lockunspent", True)
        node.call("sendall", ["bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"])
        node.mine(1)
        run = subprocess.run(
            [sys.executable, "-m", "pool", "solvency", "-c", str(told.pool.config_path)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (run.returncode, "SHORTFALL: " in run.stdout) == (1, True), run.stdout + run.stderr

    def test_the_page_for_miners_shows_what_was_answered_here(self, told: Told) -> None:
        """All of docs/understand-your-payout.md but for hashes, addresses and times."""
        said = [each.removeprefix("$ ").partition("\n") for each in told.transcript]
        shown = list(transcripts(PAGE))
        assert len(shown) == 8
        for command, text in shown:
            answers = [answer for typed, _, answer in said if typed.split()[:3] == command.split()[:3]]
            assert any(fits(answer, text) for answer in answers), f"{command}\n{text}\nis now\n{answers}"


def _params(lines: Any, method: str) -> list[Any]:
    """The parameters of the next message of a method."""
    return next(message["params"] for message in map(json.loads, lines) if message.get("method") == method)
