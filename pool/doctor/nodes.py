"""Probes of one bitcoind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from msgspec.structs import replace

from pool.config import Config
from pool.doctor.finding import Finding, bad, good, unknown, warning
from pool.node.rpc import BitcoindRpc, RpcRefusal, RpcSettings
from pool.ports import Clock, NodeUnavailable
from pool.work.template import TemplateError, parse_template

ANSWER_SECONDS = 3.0
VERSION_MIN = 280_000
_CLOCK_SECONDS_MAX = 60
_OFF_SECONDS_MAX = 30
_TIP_SECONDS_MAX = 3 * 3600
_PEERS_MIN = 4


def look_at_node(config: Config, index: int, settings: RpcSettings, clock: Clock) -> list[Finding]:
    """Whether a node gives work, takes blocks and knows the chain that everybody mines."""
    name = f"node {settings.name}"
    with closing(BitcoindRpc(replace(settings, timeout_seconds=ANSWER_SECONDS))) as rpc:
        try:
            return [
                *_chain(name, rpc, settings, clock),
                *_network(name, rpc, settings),
                *_template(name, rpc, settings, clock),
                *_announcements(name, rpc, config.node[index].zmq),
            ]
        except NodeUnavailable as error:
            return [bad(name, f"{error}", f"start it, or correct node[{index}] in the file")]


def look_at_address(config: Config, settings: RpcSettings) -> list[Finding]:
    """Whether the node reads the payout address as we do, and the wallet that pays holds it."""
    address = config.pool.payout_address
    with closing(BitcoindRpc(replace(settings, timeout_seconds=ANSWER_SECONDS))) as rpc:
        try:
            if not rpc.call("validateaddress", address)["isvalid"]:
                return [bad("payout address", f"the node does not take {address}", "write one of this chain")]
        except NodeUnavailable as error:
            return [unknown("payout address", f"no node to ask: {error}")]
    found = [good("payout address", f"{address} is one of the chain {config.pool.chain}")]
    return [*found, *_wallet(config, settings)]


def _chain(name: str, rpc: BitcoindRpc, settings: RpcSettings, clock: Clock) -> Iterator[Finding]:
    info = rpc.call("getblockchaininfo")
    behind = info["headers"] - info["blocks"]
    if behind > 0 or (info["initialblockdownload"] and not settings.network.is_test):
        yield bad(name, f"it is syncing, {behind} blocks behind", "wait until it has the whole chain")
    else:
        yield good(name, f"it has the chain {info['chain']} up to block {info['blocks']}")
    age_seconds = clock.time_ms() // 1000 - info["time"]
    if not settings.network.is_test and age_seconds > _TIP_SECONDS_MAX:
        yield bad(
            f"{name}: tip",
            f"its newest block is {age_seconds // 60} minutes old",
            "see that it has peers, and that it is on the chain that everybody mines",
        )
    if info.get("pruned"):
        yield warning(
            f"{name}: blocks",
            f"it is pruned below block {info.get('pruneheight', 0)}",
            "accounting must not be away for longer than it keeps blocks",
        )


def _network(name: str, rpc: BitcoindRpc, settings: RpcSettings) -> Iterator[Finding]:
    info = rpc.call("getnetworkinfo")
    if info["version"] < VERSION_MIN:
        yield bad(f"{name}: version", f"it is {info['subversion']}", "run Bitcoin Core or Knots 28 or newer")
    else:
        yield good(f"{name}: version", info["subversion"])
    if not settings.network.is_test:
        if info["connections"] < _PEERS_MIN:
            text = f"it has {info['connections']} peers: a block would travel slowly, or not at all"
            yield warning(f"{name}: peers", text, "look at its firewall, and at -connect and -maxconnections")
        else:
            yield good(f"{name}: peers", f"{info['connections']}")
    if abs(info["timeoffset"]) > _CLOCK_SECONDS_MAX:
        yield warning(
            f"{name}: clock",
            f"it is {info['timeoffset']} s off from its peers'",
            "run an NTP client: shares and blocks carry the time",
        )


def _template(name: str, rpc: BitcoindRpc, settings: RpcSettings, clock: Clock) -> Iterator[Finding]:
    what = f"{name}: work"
    try:
        template = parse_template(rpc.call_raw("getblocktemplate", {"rules": list(settings.network.template_rules)}))
    except (RpcRefusal, TemplateError) as error:
        yield bad(what, f"it gives no template: {error}", "without one there are no jobs")
        return
    yield good(what, f"a template for block {template.height} with {len(template.transactions)} transactions")
    # The time of a template is the node's own, unless the blocks before are ahead of it: then it is the least allowed.
    off_seconds = clock.time_ms() // 1000 - template.time
    if template.time > template.time_min and abs(off_seconds) > _OFF_SECONDS_MAX:
        text = f"this machine is {abs(off_seconds)} s {'ahead of' if off_seconds > 0 else 'behind'} the node"
        mend = "run an NTP client on both: shares, payments and logs carry the time (`timedatectl`)"
        yield warning(f"{name}: our clock", text, mend)


def _announcements(name: str, rpc: BitcoindRpc, address: str) -> Iterator[Finding]:
    if not address:
        return
    what, port = f"{name}: announcements", address.rpartition(":")[2]
    told: list[dict[str, Any]] = rpc.call("getzmqnotifications")
    published = [each["address"] for each in told if each["type"] == "pubhashblock"]
    if any(each.rpartition(":")[2] == port for each in published):
        yield good(what, f"new blocks at {address}")
    else:
        where = ", ".join(published) or "nowhere"
        yield warning(what, f"it announces blocks at {where}, not at {address}", f"-zmqpubhashblock={address}")


def _wallet(config: Config, settings: RpcSettings) -> Iterator[Finding]:
    if not config.payouts.enabled:
        return
    what, name = "payout wallet", config.payouts.wallet
    of_wallet = replace(settings, wallet=name, timeout_seconds=ANSWER_SECONDS)
    with closing(BitcoindRpc(of_wallet)) as rpc:
        try:
            info = rpc.call("getwalletinfo")
            is_ours = rpc.call("getaddressinfo", config.pool.payout_address)["ismine"]
        except NodeUnavailable as error:
            yield bad(what, f"{error}", f"load the wallet {name}, or correct payouts.wallet")
            return
    if not is_ours:
        text = f"{config.pool.payout_address} is none of the wallet {name}: what blocks pay could not be paid out"
        yield warning(what, text, "let blocks pay an address of it, or import its descriptor")
    elif info.get("unlocked_until") == 0 and config.payouts.signer == "wallet":
        yield warning(what, f"{name} is locked: payments wait for its passphrase", "bitcoin-cli walletpassphrase")
    else:
        yield good(what, f"{name}, with {info['txcount']} transactions")
