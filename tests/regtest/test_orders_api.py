"""An operator's day through the API alone: a watch-only wallet's payment, an address, a fleet, on the whole pool."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import Struct

from payout.wallet import BitcoindWallet
from pool.bitcoin.network import REGTEST
from pool.node.credentials import CookieFile
from pool.node.private import PrivateNode
from pool.node.rpc import RpcSettings
from tests.regtest.paying_pool import COIN
from tests.regtest.test_payment_wallet import _altered
from tests.regtest.whole_pool import WholePool, eventually

SITE = "name,country,time_zone,host,region,valid_from,valid_to,source\n"
GANZI = "ganzi,CN,Asia/Shanghai,,sichuan,2026-01-01T00:00:00Z,,\n"
EKIBASTUZ = "ekibastuz,KZ,Asia/Almaty,,kazakhstan,2026-01-01T00:00:00Z,,\n"
HOURS_72_MS = 72 * 3_600_000


class Said(Struct, frozen=True):
    """What came back. value: decoded if it is JSON."""

    status: int
    value: Any

    @property
    def why(self) -> str:
        return str(self.value["error"]["message"])


class Office:
    """A program with a token, at the operators' listener."""

    def __init__(self, pool: WholePool, *rights: str) -> None:
        may = [word for right in rights for word in ("--may", right)]
        self._port = pool.admin_port
        self._token = pool.steppe("access", "make", "token", f"ci-{'-'.join(rights)}", *may).strip()

    def ask(self, method: str, path: str, body: Any = None) -> Said:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        is_file = isinstance(body, str)
        headers = {"Authorization": f"Bearer {self._token}"}
        if body is not None:
            headers["Content-Type"] = "text/csv" if is_file else "application/json"
        try:
            data = body if body is None or is_file else json.dumps(body)
            connection.request(method, f"/api/v1/{path}", data, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            is_json = (answer.getheader("Content-Type") or "").startswith("application/json")
            return Said(answer.status, json.loads(text) if is_json else text)
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        said = self.ask("GET", path)
        assert said.status == 200, said.value
        return said.value

    def order(self, path: str, body: Any = None) -> Any:
        said = self.ask("POST", path, {} if body is None else body)
        assert said.status == 200, said.value
        return said.value

    def refused(self, path: str, body: Any = None) -> Said:
        said = self.ask("POST", path, {} if body is None else body)
        assert said.status >= 400, said.value
        return said


class Keys:
    """A wallet with keys, and beside it one that only watches the same descriptors."""

    def __init__(self, node: PrivateNode) -> None:
        node.call("createwallet", "signer", False, False, "", False, True, True)
        node.call("createwallet", "watcher", True, True, "", False, True, True)
        rpc = RpcSettings(node.url, CookieFile(node.cookie_file), REGTEST)
        self.signs = BitcoindWallet(_of(rpc, "signer"))
        self.watches = BitcoindWallet(_of(rpc, "watcher"))
        shown = self.signs._call("listdescriptors")["descriptors"]
        wanted = [
            {
                "desc": each["desc"],
                "timestamp": "now",
                "active": each["active"],
                "internal": each.get("internal", False),
                "range": [0, 100],
            }
            for each in shown
        ]
        assert all(each["success"] for each in self.watches._call("importdescriptors", wanted))

    def address(self) -> str:
        return str(self.watches._call("getnewaddress", "", "bech32"))

    def sign(self, psbt: str) -> str:
        return str(self.signs._call("walletprocesspsbt", psbt)["psbt"])

    def close(self) -> None:
        self.signs.close()
        self.watches.close()


def _of(rpc: RpcSettings, wallet: str) -> RpcSettings:
    return RpcSettings(rpc.url, rpc.credentials, rpc.network, wallet=wallet)


@pytest.fixture(scope="module")
def idle(regtest_node: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> WholePool:
    """A pool that pays from a wallet which cannot sign, not started yet: its node has one wallet so far."""
    payouts = '[payouts]\nenabled = true\nwallet = "watcher"\nsigner = "external"\nhour_utc = -1\n'
    return WholePool(tmp_path_factory.mktemp("pool"), regtest_node, "regtest", payouts)


@pytest.fixture(scope="module")
def keys(idle: WholePool) -> Iterator[Keys]:
    made = Keys(idle.node)
    yield made
    made.close()


@pytest.fixture(scope="module")
def pool(idle: WholePool, keys: Keys) -> Iterator[WholePool]:
    """The same, with its coins going to that wallet."""
    made = idle
    address = made.config.pool.payout_address
    made.config_path.write_text(made.config_path.read_text().replace(address, keys.address()))
    made.start()
    yield made
    assert made.stop() == 0


@pytest.fixture(scope="module")
def office(pool: WholePool) -> Office:
    return Office(pool, "payouts", "moves")


def test_a_payment_is_planned_given_out_signed_elsewhere_and_followed_to_its_end(
    pool: WholePool, office: Office, keys: Keys
) -> None:
    address = stranger(pool.node, 1)
    assert office.order("accounts", {"name": "alice", "fee_bps": 100, "address": address})["done"]
    assert office.refused("accounts", {"name": "alice"}).status == 409
    pool.mine("alice.rig", shares=1, rate_hps=20)
    [block] = eventually("a credited block", lambda: pool.blocks("immature"))
    pool.node.mine(101)
    eventually("maturity", lambda: pool.blocks("mature"))
    net_sat = block["reward_sat"] * 99 // 100

    plan = office.get("payouts/plan")
    assert [(each["account"], each["address"], each["amount_sat"]) for each in plan["lines"]] == [
        ("alice", address, net_sat)
    ]
    assert office.get("payouts/status")["batches"] == {}
    office.order("payouts/run")
    eventually("it waits for signatures", lambda: _batch(pool)["draft"] == "pay")
    given = office.order("payouts/1/export")
    assert office.order("payouts/1/export")["psbt"] == given["psbt"]
    assert "cancel it, which spends one of its inputs back" in office.refused("payouts/1/release").why

    assert "lacks signatures" in office.refused("payouts/import", {"psbt": given["psbt"]}).why
    altered = _altered(keys.signs, given["psbt"], stranger(pool.node, 2))
    refused = office.refused("payouts/import", {"psbt": altered})
    assert (refused.status, "it is not ours, or was altered" in refused.why) == (409, True)
    assert "no PSBT of version 0" in office.refused("payouts/import", {"psbt": "hello"}).why
    eventually("it is as before", lambda: _batch(pool)["state"] == "exported")

    signed = keys.sign(given["psbt"])
    assert office.order("payouts/import", {"psbt": signed})["done"].startswith("payout 1: signed")
    assert "has the signatures" in office.refused("payouts/import", {"psbt": signed}).why
    eventually("it is broadcast", lambda: _batch(pool)["state"] == "broadcast")
    newest = pool.get("/api/v1/payouts/1")["attempts"][-1]["txid"]
    bumped = office.order("payouts/1/bump", {"fee_rate": 50, "newest": newest})
    office.order("payouts/import", {"psbt": keys.sign(office.order("payouts/1/export")["psbt"])})
    eventually("it is replaced", lambda: pool.node.call("getrawmempool") == [bumped["txid"]])
    again = office.refused("payouts/1/bump", {"fee_rate": 90, "newest": newest})
    assert f"the newest transaction of payout 1 is {bumped['txid']}" in again.why

    pool.node.mine(6)
    eventually("it is final", lambda: _batch(pool)["state"] == "final")
    detail = pool.get("/api/v1/payouts/1")
    outputs = [pool.node.call("gettxout", detail["payout"]["txid"], place) for place in (0, 1)]
    paid = {each["scriptPubKey"]["address"]: int(each["value"] * COIN) for each in outputs if each}
    assert paid[address] == net_sat
    told = [row for row in json.loads(pool.steppe("access", "log", "--json")) if row["action"] == "payouts.import"]
    assert [row["result"].partition(":")[0] for row in told if row["result"] != "begun"].count("done") == 2
    assert all(row["target"].endswith("characters") or row["target"] == "psbt=hello" for row in told)


def test_an_address_that_changes_is_held_for_three_days_and_taken_back(pool: WholePool, office: Office) -> None:
    first, second = stranger(pool.node, 3), stranger(pool.node, 4)
    office.order("accounts", {"name": "bob", "address": first})
    wrong = office.refused("accounts/bob/address", {"address": "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"})
    assert (wrong.status, wrong.value["error"]["code"]) == (400, "bad_input")
    office.order("accounts/bob/address", {"address": second})
    held = office.get("accounts/bob/terms")["addresses"]
    assert [each["address"] for each in held] == [first, second]
    assert held[1]["valid_from_ms"] - held[1]["requested_ms"] == HOURS_72_MS
    assert "is on hold: cancel that first" in office.refused("accounts/bob/address", {"address": second}).why
    office.order("accounts/bob/address/cancel")
    assert office.get("accounts/bob/terms")["addresses"][1]["cancelled_ms"] is not None
    office.order("accounts/bob/threshold", {"threshold_sat": 5_000})
    assert office.get("accounts/bob/terms")["threshold"]["threshold_sat"] == 5_000


def test_a_fleet_comes_in_as_csv_or_each_wrong_line_is_named(office: Office) -> None:
    refused = office.refused("fleets/import/site.csv", SITE + GANZI + EKIBASTUZ.replace("2026-01-01T00:00:00Z", "soon"))
    assert refused.status == 400
    assert refused.why.startswith("site.csv line 3: ")
    assert "valid_from" in refused.why
    assert office.get("fleets/export")["files"] == {}

    good = SITE + GANZI + EKIBASTUZ
    capacity = "site,capacity_w,valid_from,valid_to,source\nganzi,20000000,2026-01-01T00:00:00Z,,\n"
    entered = office.order("fleets/import", {"files": {"site.csv": good, "capacity.csv": capacity}})
    assert entered["done"] == "3 rows recorded"
    assert office.order("fleets/import/site.csv", good)["done"] == "known already"
    assert office.get("fleets/export/site.csv").splitlines()[1:] == sorted(good.splitlines()[1:])


def test_a_token_without_the_right_may_not_even_look(pool: WholePool) -> None:
    stranger = Office(pool)
    assert stranger.ask("GET", "payouts/plan").status == 403
    assert stranger.refused("accounts/alice/address", {"address": stranger(pool.node, 5)}).status == 403


def stranger(node: PrivateNode, number: int) -> str:
    """An address of a key that nobody has."""
    script = b"\x00\x14" + number.to_bytes(20, "big")
    return str(node.call("decodescript", script.hex())["address"])


def _batch(pool: WholePool) -> Any:
    rows = pool.get("/api/v1/payouts")["rows"]
    return rows[0] if rows else {"state": None, "draft": None}
