"""Messages to people: looks at the pool now and then, and tells each channel's people what is new."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThread

from pool import alert_events, events
from pool.alert_options import AlertOptions
from pool.alerts import messages
from pool.alerts.alert import Alert, AlertBus
from pool.alerts.channel import Channel, Message
from pool.alerts.delivery import DeliveryFailed, MailServer, send_mail, send_webhook
from pool.alerts.hashrate_watch import Expected, HashrateWatch
from pool.alerts.reject_watch import RejectWatch
from pool.alerts.sources import NEVER_SILENT, alerts_in, from_fleets, from_health, groups_of, unknown_in
from pool.config import Config
from pool.dashboard import health
from pool.dashboard.live import Sign
from pool.dashboard.machines import Machines
from pool.dashboard.ports import Books, Fleets, Live, SourceUnavailable
from pool.dashboard.readings import Reading, reading
from pool.dashboard.rows import Block, LiveView
from pool.dashboard.threads import InThread
from pool.paths import Paths
from pool.ports import Clock, StoreUnavailable
from pool.roles.doors import host_and_port
from pool.store.redis import Silence

LOOK_SECONDS: Final = 10.0
SETTLE_SECONDS: Final = 600.0
"""After miners could not reach the pool their hashrate is not judged for so long: two of its windows."""

BLOCKS_READ: Final = 20
LOGGED_EACH: Final = 10

Send = Callable[[Message], None]
"""Blocks; raises DeliveryFailed."""


class _Kept(Struct, frozen=True):
    """What is kept over a restart: by channel what it told; the newest block that was told of; what accounts and sites
    should bring that do not."""

    told: dict[str, dict[str, Alert]]
    last_block_ms: int
    missed: dict[str, Expected] = {}


class Signs(Protocol):
    """What is read of `pool.store.redis.RedisStore`; raises StoreUnavailable."""

    def read_roles(self) -> Sequence[Sign]: ...
    def silenced(self) -> Silence | None: ...


class AlertSources(Struct, frozen=True):
    """What is looked at. live: a reading of its own, not the page's."""

    live: Live
    books: Books
    fleets: Fleets
    store: Signs


class Alerts:
    """All of it, in the web role. senders: by the names of the ways out."""

    def __init__(
        self,
        config: Config,
        reactor: Any,
        clock: Clock,
        sources: AlertSources,
        senders: Mapping[str, Send],
        in_thread: InThread = deferToThread,
    ) -> None:
        self._options = config.alerts
        self._clock = clock
        self._books = sources.books
        self._store = sources.store
        self._machines = Machines(sources.live, sources.fleets, clock, config.fleet.rack_rule)
        self._senders = senders
        self._in_thread = in_thread
        self._file = Paths(Path(config.pool.data_dir)).told
        self._bus = AlertBus()
        self._hashrates, self._rejects = HashrateWatch(), RejectWatch()
        self._silence: Silence | None = None
        self._channels: dict[str, Channel] = {}
        self._last_block_ms: int | None = None
        self._written = b""
        self._loop = LoopingCall(self._begin_look)
        self._loop.clock = reactor

    @property
    def is_wanted(self) -> bool:
        """Whether anybody is to be told."""
        return bool(self._senders)

    def start(self) -> None:
        """Look on from now, and speak once the baseline is over."""
        if not self.is_wanted:
            return
        now = self._clock.monotonic()
        kept = self._read()
        self._is_new = kept is None
        self._last_block_ms = kept.last_block_ms if kept else None
        missed = kept.missed.items() if kept else ()
        self._hashrates = HashrateWatch({name: replace(each, since=now) for name, each in missed})
        for name in self._senders:
            told = kept.told.get(name) if kept else None
            self._channels[name] = Channel(self._options.severity, self._options.interval_seconds, told)
        self._speaks_from = now + self._options.baseline_seconds
        self._hashrates.wait_until(now + SETTLE_SECONDS)
        self._loop.start(LOOK_SECONDS)

    def stop(self) -> None:
        if self._loop.running:
            self._loop.stop()

    def _begin_look(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._look())

    async def _look(self) -> None:
        try:
            await self._observe()
            await self._speak()
        except Exception as error:  # noqa: BLE001 - a bug: it must go on looking
            events.bug("alerts", error)

    async def _observe(self) -> None:
        now = self._clock.monotonic()
        known = await self._machines.now()
        totals = await reading(self._books.totals())
        verdict = health.judge(known.live, totals, self._clock.time_ms())
        self._bus.report("health", from_health(verdict), unknown_in(verdict))
        if not _miners_can_come(known.live):
            self._hashrates.wait_until(now + SETTLE_SECONDS)
        if known.table is not None and known.live.value is not None:
            view = known.live.value
            falls = self._hashrates.look(groups_of(view, known.table.sites()), now)
            if falls is not None:
                self._bus.report("hashrate", falls)
            if view.roles.accounting is not None:
                self._bus.report("fleets", from_fleets(view.roles.accounting.alarms))
            self._bus.report("rejects", self._rejects.look(view.pool, now))
        with contextlib.suppress(StoreUnavailable):  # the health says so
            signs = await self._in_thread(self._store.read_roles)
            alerts = [alert for sign in signs for alert in alerts_in(f"{sign.role}/{sign.name}", sign.data)]
            self._bus.report("roles", alerts)
            self._hear(await self._in_thread(self._store.silenced))
        await self._tell_of_blocks()

    async def _tell_of_blocks(self) -> None:
        with contextlib.suppress(SourceUnavailable):
            newest = await self._books.blocks(None, 0, BLOCKS_READ)
            if self._last_block_ms is None:
                self._last_block_ms = max((block.found_ms for block in newest), default=0)
            for block in reversed(newest):
                if block.found_ms > self._last_block_ms:
                    self._last_block_ms = block.found_ms
                    self._bus.tell(*_found(block))

    def _hear(self, silence: Silence | None) -> None:
        if silence != self._silence:
            self._silence = silence
            alert_events.maintenance_changed(silence.until_ms if silence else None, silence.reason if silence else "")

    def _is_silenced(self) -> bool:
        """Also while Redis is away: until the end that was last known."""
        return self._silence is not None and self._clock.time_ms() < self._silence.until_ms

    async def _speak(self) -> None:
        now, is_silenced = self._clock.monotonic(), self._is_silenced()
        if now < self._speaks_from or (is_silenced and self._is_new):
            return
        firing, notices = self._bus.firing(), self._bus.notices(0)
        if is_silenced:
            firing, notices = {key: alert for key, alert in firing.items() if key in NEVER_SILENT}, []

        def may_be_over(key: str) -> bool:
            return self._bus.has_heard_of(key) and (key in NEVER_SILENT or not is_silenced)

        for name, channel in self._channels.items():
            if self._is_new:
                channel.adopt(firing)
            message = channel.due(firing, notices, now, may_be_over)
            if message is not None:
                await self._send(name, channel, message)
        self._is_new = False
        self._write()

    async def _send(self, name: str, channel: Channel, message: Message) -> None:
        try:
            await self._in_thread(partial(self._senders[name], message))
        except DeliveryFailed as failed:
            channel.failed(self._clock.monotonic())
            if channel.failures % LOGGED_EACH == 1:
                alert_events.alert_not_sent(name, channel.failures, messages.one_line(str(failed)))
        else:
            channel.sent(self._clock.monotonic())
            raised, resolved = ([alert.key for alert in some] for some in (message.raised, message.resolved))
            alert_events.alert_sent(name, raised, resolved, len(message.notices))

    def _read(self) -> _Kept | None:
        try:
            self._written = self._file.read_bytes()
            return msgspec.json.decode(self._written, type=_Kept)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            alert_events.alerts_not_kept(f"{self._file} cannot be read: {error}")
            return None

    def _write(self) -> None:
        """Whole or not at all."""
        told = {name: channel.told for name, channel in self._channels.items()}
        data = msgspec.json.encode(_Kept(told, self._last_block_ms or 0, self._hashrates.missed))
        if data == self._written:
            return
        beside = self._file.with_suffix(".new")
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            beside.write_bytes(data)
            os.replace(beside, self._file)
        except OSError as error:
            alert_events.alerts_not_kept(str(error))
        self._written = data


def _miners_can_come(live: Reading[LiveView]) -> bool:
    """Whether a fall of a hashrate is the miners' own."""
    if live.value is None or not live.value.roles.stratum:
        return False
    return not any(role.is_released or role.journal_refusal for role in live.value.roles.stratum)


def _found(block: Block) -> tuple[str, str]:
    return f"Block {block.height} found", f"By {block.finder}: {block.hash_hex}. It is paid out when 100 more follow."


def configured_senders(config: Config, clock: Clock) -> dict[str, Send]:
    """The ways out, by their names."""
    options, name = config.alerts, f"Steppe {config.pool.chain}"
    found: dict[str, Send] = {}
    if options.smtp:
        found["email"] = partial(_mail, options, name)
    if options.webhook_url:
        found["webhook"] = partial(_post, options, name, config.pool.chain, clock)
    return found


def _mail(options: AlertOptions, pool: str, message: Message) -> None:
    host, port = host_and_port(options.smtp)
    server = MailServer(
        host, port, options.smtp_security, options.smtp_user, _secret(options.smtp_password_file).decode()
    )
    subject, text = messages.subject(pool, message), messages.text(pool, message)
    send_mail(server, options.email_from, options.email_to, subject, text)


def _post(options: AlertOptions, pool: str, chain: str, clock: Clock, message: Message) -> None:
    body = messages.payload(pool, chain, message)
    secret = _secret(options.webhook_secret_file)
    send_webhook(options.webhook_url, secret, clock.time_ms() // 1000, body)


def _secret(file: str) -> bytes:
    """The first line; read each time, so that it can be changed without a restart."""
    if not file:
        return b""
    try:
        return Path(file).read_bytes().split(b"\n", 1)[0].strip()
    except OSError as error:
        raise DeliveryFailed(f"{file} cannot be read: {error.strerror}") from error
