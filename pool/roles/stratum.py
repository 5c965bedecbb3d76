"""The stratum role: sessions, their journal, the feed from the work role, and the shipper to Redis."""

from __future__ import annotations

import asyncio
import math
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from twisted.internet.threads import deferToThread

from pool import events
from pool.config import Config
from pool.feed.addresses import client_endpoint
from pool.feed.client import FeedClient
from pool.feed.extranonces import open_extranonces
from pool.journal.former import FormerJournals
from pool.journal.found import FoundBlocks
from pool.journal.journal import Durability, Journal
from pool.journal.reader import recent, tail
from pool.journal.records import decode
from pool.journal.segments import JournalBusy, JournalDamaged
from pool.journal.shipper import Shipper
from pool.journal.upkeep import Upkeep
from pool.machine import allow_many_files, keep_large_blocks_apart
from pool.paths import Paths
from pool.roles.certificate import BadCertificate, Certificate
from pool.roles.clock import SystemClock
from pool.roles.control import Control
from pool.roles.database import CommittedMarks
from pool.roles.disk import Disk
from pool.roles.doors import Doors, host_and_port
from pool.roles.garbage import GarbageCollection
from pool.roles.heartbeat import Heartbeat
from pool.roles.neighbours import Neighbours, Passed
from pool.roles.processes import has_ended, this_process
from pool.roles.range_claim import RangeClaim, claim_of
from pool.roles.redis_link import open_redis, open_redis_moves, open_redis_ranges
from pool.roles.region import Region
from pool.roles.rejects import RejectReport
from pool.roles.release import Release
from pool.roles.sessions import SessionFiles, open_key
from pool.roles.slices import SliceFeed, SliceSource
from pool.roles.twisted_role import CannotStart, Role, cannot_start
from pool.stratum_options import Door
from pool.work.candidate import Candidate
from pool.work.job import Job
from pool.work.share import Share
from stratum.difficulty import DifficultyBounds
from stratum.drain import Target
from stratum.front import FrontFactory
from stratum.limits import CloseReason
from stratum.protocol import StratumFactory, StratumProtocol
from stratum.resume import FormerRun, candidates, former_run, with_found
from stratum.returning import SessionIds
from stratum.server import SWEEP_SECONDS, StratumServer
from stratum.settings import StratumSettings
from stratum.sources import Sources

# How old a block may be that the journal has and the work role may not: well below the time for which that keeps the
# templates of its jobs (`WorkshopSettings.keep_seconds`), so that it can still be built.
LEFT_OPEN_MS = 300_000

# Of the journal's end: read at the start for the jobs and duplicates of the newest tip. A million shares, some seconds;
# jobs further back are not known then, nor are their shares.
FORMER_RUN_BYTES_MAX = 128 * 1024 * 1024


def _bounds(door: Door) -> DifficultyBounds:
    return DifficultyBounds(door.difficulty, door.difficulty_min, door.difficulty_max, door.shares_per_minute)


class StratumRole(Role):
    """The door for miners. number: which of `stratum.processes` this is, from 0."""

    def __init__(self, config: Config, reactor: Any, loop: asyncio.AbstractEventLoop, number: int = 0) -> None:
        self._options = config.stratum
        self._region_options = config.region
        self._reactor = reactor
        self._hurried = False
        paths = Paths(Path(config.pool.data_dir))
        range_id = self._options.extranonce_range + number
        name = str(range_id)
        try:
            self._journal = Journal(
                paths.journal / name, Durability(self._options.journal_mode), run=deferToThread, later=reactor.callLater
            )
            paths.extranonces.mkdir(exist_ok=True)
            key = open_key(paths.sessions)
            extranonces = open_extranonces(paths.extranonces / name, range_id, key)
        except (JournalBusy, JournalDamaged, OSError, ValueError) as error:
            raise cannot_start(f"the journal and what belongs to it in {paths.data_dir}", error) from error
        journal, clock = self._journal, SystemClock()
        self._found = FoundBlocks(paths.found / name, journal.folder, journal.frontend, lambda: journal.durable_seq)
        self._clock = clock
        self._shipper = Shipper(journal, open_redis(config))
        first = self._options.extranonce_range
        ranges = {str(each) for each in range(first, first + self._options.processes)}
        keep_days, marks = self._options.journal_keep_days, CommittedMarks(config)
        self._former = (
            None
            if number
            else FormerJournals(
                paths.journal, ranges, paths.found, lambda: open_redis(config), keep_days, committed_seq=marks.of
            )
        )
        self._upkeep = Upkeep(
            journal,
            keep_days,
            folded_seq=lambda: self._shipper.folded_seq,
            committed_seq=partial(marks.of, journal.frontend),
        )
        self._disk = Disk(journal.folder, config.pool.disk_low_percent, config.pool.disk_low_mib, reactor)
        address = config.work.feed or f"unix:{paths.feed}"
        self._feed = FeedClient(
            address, client_endpoint(reactor, address), reactor, on_job=self._take_job, on_link=lambda up: None
        )
        doors = self._options.doors(config.port)
        settings = StratumSettings(
            _bounds(doors[0]),
            # A ban of a load balancer would be one of all behind it.
            never_banned=(*self._options.never_banned, *self._options.proxy_from),
            unauthorized_per_address=self._options.unauthorized_per_address,
        )
        self._neighbours = Neighbours(
            loop,
            paths.sessions,
            range_id,
            take=self._take_passed,
            lost=lambda passed: self._server.warden.settled(passed.remote_address),
        )
        self._server = StratumServer(
            settings, clock, journal, self._feed, self._found, extranonces, reactor, SessionIds(key), self._neighbours
        )
        self._session_files = SessionFiles(paths.sessions, name, reactor, self._server.remembered, clock)
        self._region = Region(
            config.region.name,
            open_redis_moves(config),
            self._server.redirects,
            self._server.remembered,
            reactor,
            clock,
        )
        self._range = RangeClaim(
            open_redis_ranges(config),
            range_id,
            claim_of(this_process(), config.region.name, journal.frontend),
            has_ended,
            reactor,
        )
        self._slices = SliceFeed(SliceSource(config, name), self._server.slices.take, clock, reactor)
        self._heartbeat = Heartbeat(config, reactor, "stratum", name, self._status)
        self._control = Control(reactor, paths.control / f"{name}.sock", self._server.announcements)
        self._reject_report = RejectReport(config, reactor, name, self._server.rejects)
        self._garbage = GarbageCollection(reactor)
        self._certificate = self._read_certificate()
        proxies = Sources(self._options.proxy_from)
        # Where to listen, and what stands before each new session there.
        self._fronts = [
            (
                door.listen,
                FrontFactory(
                    StratumFactory(self._server, _bounds(door)),
                    reactor,
                    proxies=proxies,
                    warden=self._server.warden,
                    tls=lambda: None if self._certificate is None else self._certificate.context,
                    turned_away=self._server.turned_away,
                ),
            )
            for door in doors
        ]
        self._release = Release(self._options.release_seconds, self._server, self._abort_fronts, clock, reactor)
        fast = self._options.endpoint == "fast"
        self._doors = Doors(reactor, loop if fast else None, shared=self._options.processes > 1)

    async def start(self) -> None:
        allow_many_files()
        keep_large_blocks_apart()
        await self._range.begin()
        self._server.start()
        if self._certificate is not None:
            self._certificate.start(self._reactor)
        self._shipper.start()
        if self._former is not None:
            await deferToThread(self._former.start)
        self._upkeep.start()
        self._disk.start()
        # Before the first job and the first miner.
        await self._session_files.start()
        await self._slices.start()
        left = await deferToThread(self._found.missing)
        former = with_found(await deferToThread(self._former_run), left)
        if former is not None:
            self._server.restore(former)
        self._feed.start()
        self._release.start()
        for listens, front in self._fronts:
            for listen in listens:
                await self._doors.open(listen, front)
        try:
            if self._options.endpoint == "fast" and self._options.processes > 1:
                self._neighbours.start()
        except OSError as error:
            events.neighbours_not_met(str(error))  # miners that return begin anew, no more
        self._garbage.start()
        self._heartbeat.start()
        self._region.start()
        self._reject_report.start()
        try:
            await self._control.start()
        except (OSError, ValueError) as error:
            events.control_not_open(str(error))  # miners need it not
        for share, job in left:
            self._recover(share, job)
        for candidate in await deferToThread(self._left_open):
            events.candidate_resent(candidate.block_hash[::-1].hex(), candidate.job_id, candidate.login)
            self._feed.send(candidate)

    async def work_on(self) -> None:
        await self._range.hold()

    async def stop(self) -> None:
        """Doors first, then the answers that miners wait for, then the journal, which the shipper has seen whole."""
        await self._doors.close()
        self._neighbours.stop()
        self._release.stop()
        self._abort_fronts(CloseReason.SHUTDOWN)
        if self._options.drain_seconds and not self._hurried:
            events.drain_begun(self._server.session_count, self._options.drain_seconds, self._options.drain_to)
            waves = math.ceil(self._options.drain_seconds / SWEEP_SECONDS)
            await self._server.draining.begin(waves, _target(self._options.drain_to))
        await self._session_files.stop()
        self._slices.stop()
        await self._server.stop()
        await self._feed.stop()
        self._garbage.stop()
        self._heartbeat.stop()
        self._region.stop()
        self._disk.stop()
        self._reject_report.stop()
        await self._control.stop()
        if self._certificate is not None:
            self._certificate.stop()
        await deferToThread(self._upkeep.stop)
        await self._journal.close()
        self._found.close()
        await deferToThread(self._shipper.stop)
        if self._former is not None:
            await deferToThread(self._former.stop)
        await self._range.stop()

    def hurry(self) -> None:
        self._hurried = True
        self._server.draining.hurry()

    def reload(self) -> None:
        """Read again what may change without a restart: the certificate."""
        if self._certificate is not None:
            self._certificate.reload()

    def _read_certificate(self) -> Certificate | None:
        if not self._options.tls_certificate:
            return None
        try:
            return Certificate(Path(self._options.tls_certificate), Path(self._options.tls_key), self._clock)
        except BadCertificate as error:
            raise CannotStart(str(error)) from error

    def _former_run(self) -> FormerRun | None:
        """What the run before knew; None if there was none."""
        found = tail(self._journal.folder, FORMER_RUN_BYTES_MAX)
        records = (record for each in found for record in decode(each.count, each.payload))
        first = next(records, None)
        return None if first is None else former_run(chain([first], records))

    def _left_open(self) -> list[Candidate]:
        """Blocks of the run before that the work role may not have."""
        since_ms = self._clock.time_ms() - LEFT_OPEN_MS
        found = recent(self._journal.folder, since_ms / 1000)
        return list(candidates((record for each in found for record in decode(each.count, each.payload)), since_ms))

    def _recover(self, share: Share, job: Job) -> None:
        """A block of the run before whose share is in no journal; the work role may not have it either."""
        for candidate in candidates((job, share), 0):
            events.block_share_recovered(candidate.block_hash[::-1].hex(), candidate.job_id, candidate.login)
            self._server.outage.adopt(share, job)
            self._feed.send(candidate)

    def _take_passed(self, passed: Passed) -> StratumProtocol | None:
        """A connection that a neighbour met; None if its address may not come in."""
        if self._server.warden.admit(passed.remote_address) is not None:
            return None
        return StratumProtocol(self._server, passed.remote_address, passed.bounds, passed.early)

    def _take_job(self, job: Job) -> None:
        self._server.take_job(job)
        self._release.take_job(job)

    def _abort_fronts(self, reason: CloseReason) -> None:
        for _, front in self._fronts:
            front.abort(reason)

    def _status(self) -> dict[str, object]:
        return {
            "sessions": self._server.session_count,
            "region": self._region_options.name,
            "endpoint": self._region_options.endpoint,
            "frontend": self._journal.frontend,
            "is_released": self._release.is_released,
            "counters": self._server.counters,
            "presence": self._server.presence(),
            "candidates_pending": self._feed.pending,
            "journal_refusal": self._journal.refusal,
            "disk": self._disk.status(),
            "certificate_expires_ms": None if self._certificate is None else self._certificate.expires_ms,
        }


def _target(drain_to: str) -> Target | None:
    return Target(*host_and_port(drain_to)) if drain_to else None
