"""The work role: the nodes, the workshop on it, and the feed to the stratum roles."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.threads import deferToThread

from pool import events
from pool.bitcoin.network import NETWORKS
from pool.bitcoin.script import output_script
from pool.bitcoin.target import difficulty_from_target, target_from_nbits
from pool.config import Config, NodeOptions
from pool.feed.addresses import server_endpoint
from pool.feed.server import FeedServer
from pool.node.bitcoind import BitcoindNode
from pool.node.credentials import CookieFile, Credentials, PasswordFile
from pool.node.empty_first import EmptySettings
from pool.node.reserve import PART_BYTES
from pool.node.rpc import RpcSettings
from pool.node.workshop import Workshop, WorkshopSettings
from pool.paths import Paths
from pool.roles.clock import SystemClock
from pool.roles.disk import Disk
from pool.roles.gate import gate_settings
from pool.roles.heartbeat import Heartbeat
from pool.roles.twisted_role import Role, cannot_start
from pool.work.coinbase import Coinbase
from pool.work.paid import who_is_paid


class WorkRole(Role):
    """Templates to jobs, candidates to blocks."""

    def __init__(self, config: Config, reactor: Any, loop: asyncio.AbstractEventLoop) -> None:
        paths = Paths(Path(config.pool.data_dir))
        network = NETWORKS[config.pool.chain]
        self._clock = SystemClock()
        self._reactor = reactor
        self._feed_address = config.work.feed or f"unix:{paths.feed}"
        self._nodes = [
            BitcoindNode(reactor, settings, announcements=node.zmq)
            for settings, node in zip(rpc_settings(config), config.node, strict=True)
        ]
        self._feed = FeedServer(reactor)
        self._network = network
        self._coinbase = Coinbase(
            output_script(config.pool.payout_address, network), config.pool.coinbase_tag.encode("ascii")
        )
        self._workshop = Workshop(
            self._nodes,
            self._coinbase,
            paths.candidates,
            WorkshopSettings(
                refresh_seconds=config.work.refresh_seconds,
                poll_seconds=config.work.poll_seconds,
                gate=gate_settings(config),
                empty_first=EmptySettings(network, config.work.empty_first_seconds),
                reserve_parts=config.work.reserve_mib * 1024 * 1024 // PART_BYTES,
            ),
            reactor,
            self._clock,
            self._feed.publish,
            deferToThread,
        )
        self._disk = Disk(
            paths.candidates,
            config.pool.disk_low_percent,
            config.pool.disk_low_mib,
            reactor,
            each=self._workshop.refill_reserve,
        )
        self._heartbeat = Heartbeat(config, reactor, "work", config.region.name, self._status)

    async def start(self) -> None:
        for node in self._nodes:
            node.start()
        try:
            await self._feed.listen(server_endpoint(self._reactor, self._feed_address), self._workshop.take_candidate)
        except (OSError, ValueError, CannotListenError) as error:
            raise cannot_start(f"the job feed cannot listen at {self._feed_address}", error) from error
        self._disk.start()
        self._heartbeat.start()
        Deferred.fromCoroutine(self._work())

    async def stop(self) -> None:
        self._heartbeat.stop()
        self._disk.stop()
        self._workshop.stop()
        await self._feed.stop()
        for node in self._nodes:
            node.stop()

    async def _work(self) -> None:
        """Better a new process than one that looks alive: a bug in the workshop ends the role."""
        try:
            await self._workshop.run()
        except Exception as error:  # noqa: BLE001
            events.bug("workshop", error)
            self._reactor.stop()

    def _status(self) -> dict[str, object]:
        status, template = self._workshop.status(), self._workshop.template
        return {
            "node_reason": status.problem,
            "nodes": [
                msgspec.structs.asdict(node) | {"chain": verdict and verdict.chain.value}
                for node, verdict in zip(status.nodes, status.chains, strict=True)
            ],
            "chain": status.chain and {"verdict": status.chain.chain.value, "reason": status.chain.reason},
            "proposals": msgspec.structs.asdict(status.proposals),
            "height": status.height,
            "tip_hash_hex": status.prev_hash_hex,
            "job_id": status.job_id,
            "template_ms": status.template_time_ms,
            "transactions": len(template.transactions) if template else None,
            "network_difficulty": difficulty_from_target(target_from_nbits(template.nbits)) if template else None,
            "candidates_pending": status.candidates_pending,
            "blocks_refused": status.blocks_refused,
            "disk": self._disk.status(),
            "coinbase": self._paid(),
        }

    def _paid(self) -> dict[str, object] | None:
        """Who is paid by what the miners have."""
        job = self._workshop.job
        if job is None:
            return None
        return {
            "made_ms": job.time_ms,
            "subsidy_sat": job.subsidy_sat,
            "fees_sat": job.fees_sat,
            "tag": self._coinbase.tag.decode("ascii"),
            "coinb1_hex": job.coinb1.hex(),
            "coinb2_hex": job.coinb2.hex(),
            "outputs": [
                msgspec.structs.asdict(output) | {"to": output.to.value}
                for output in who_is_paid(job, self._coinbase, self._network)
            ],
        }


def rpc_settings(config: Config) -> list[RpcSettings]:
    """How to reach the nodes, the preferred one first."""
    network = NETWORKS[config.pool.chain]
    return [RpcSettings(node.url, _credentials(node), network) for node in config.node]


def _credentials(node: NodeOptions) -> Credentials:
    if node.cookie_file:
        return CookieFile(Path(node.cookie_file))
    return PasswordFile(node.user, Path(node.password_file))
