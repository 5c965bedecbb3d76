"""The pool as Prometheus series, whose number does not grow with the fleet; those of sites, and of workers where they
are wanted, are in `pool.dashboard.fleet_metrics`.

Labels come from closed sets of our own; nothing that a miner can choose (logins, user agents) becomes one unasked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from payout.invariants import TITLES
from payout.reserve import Level
from pool.dashboard.answers import Answer
from pool.dashboard.checks import State
from pool.dashboard.fleet_metrics import FleetSeries, fleet_metrics
from pool.dashboard.health import Health
from pool.dashboard.overview import Luck, luck, presence
from pool.dashboard.readings import Reading
from pool.dashboard.role_rows import ReserveSign, Roles, WorkJob, WorkRole
from pool.dashboard.rows import Activity, LiveView, Totals
from pool.fleet.travel import Status
from pool.reports.alarms import Kind as AlarmKind
from pool.work.chain_gate import Chain
from pool.work.share import Outcome

REASONS = frozenset(outcome.name.lower() for outcome in Outcome if outcome is not Outcome.ACCEPTED)
"""The label values of a rejected share; any other is counted as "other"."""

BLOCK_STATES = ("candidate", "immature", "mature", "orphaned", "dead")
"""Always all of them, so that a rate over a state exists before its first block."""

NODE_STATES = ("good", "returning", "slow", "lagging", "syncing", "down")
"""Those of `pool.node.choice.State`; always all of them."""

RESERVE_LEVELS = tuple(level.value for level in Level)
"""The same."""

TRAVEL = tuple(each.value for each in Status)
"""Always all of them, too."""

CHAIN_VERDICTS = tuple(chain.value for chain in Chain)
"""Always all of them, too."""


class Scrape(Struct, frozen=True):
    """What one scrape reports."""

    live: Reading[LiveView]
    books: Reading[Totals]
    health: Health
    now_ms: int
    fleets: FleetSeries = FleetSeries()


def exposition(scrape: Scrape) -> Answer:
    """The scrape in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Series(scrape))
    return Answer(200, CONTENT_TYPE_LATEST, generate_latest(registry))


class _Series(Collector):
    def __init__(self, scrape: Scrape) -> None:
        self._scrape = scrape

    def collect(self) -> Iterable[Metric]:
        yield from _health(self._scrape.health)
        view = self._scrape.live.value
        if view is not None:
            yield from _activity(view.pool)
            yield from _presence(view)
            yield from _roles(view.roles, self._scrape.now_ms)
            silenced = "Until when `steppe maintenance` silences messages; 0 when none is on"
            yield _gauge("maintenance_until_timestamp_seconds", silenced, (view.silenced_until_ms or 0) / 1000)
            yield from fleet_metrics(self._scrape.fleets)
        totals = self._scrape.books.value
        if totals is not None:
            yield from _books(totals)
        yield from _luck(luck(view, totals))


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"steppe_{name}", text, value=value)


def _gauges(name: str, text: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"steppe_{name}", text, labels=(label,))
    for key, value in values.items():
        family.add_metric((key,), value)
    return family


def _counters(name: str, text: str, label: str, values: Mapping[str, float]) -> CounterMetricFamily:
    family = CounterMetricFamily(f"steppe_{name}", text, labels=(label,))
    for key, value in values.items():
        family.add_metric((key,), value)
    return family


def _health(health: Health) -> Iterable[Metric]:
    up = {check.name: float(check.state in (State.OK, State.WARN)) for check in health.checks}
    yield _gauge("ready", "1 when every dependency is up, as /readyz", float(health.ready))
    yield _gauges("dependency_up", "1 when the dependency is up, as /readyz", "dependency", up)


def _activity(pool: Activity) -> Iterable[Metric]:
    rates = pool.hashrate
    windows = {"1m": rates.minute, "5m": rates.five_minutes, "1h": rates.hour, "24h": rates.day}
    hps = {window: rate.hps for window, rate in windows.items()}
    errors = {window: rate.error for window, rate in windows.items() if rate.error is not None}
    yield _gauges("hashrate_hps", "Hashes per second, estimated from shares", "window", hps)
    yield _gauges("hashrate_error_ratio", "Standard deviation of the estimate", "window", errors)
    yield CounterMetricFamily("steppe_shares_accepted", "Accepted shares", value=pool.accepted)
    rejected = dict.fromkeys(sorted(REASONS), 0.0) | {"other": 0.0}
    for reason, count in pool.rejected.items():
        rejected[reason if reason in REASONS else "other"] += count
    yield _counters("shares_rejected", "Refused shares of authorized workers", "reason", rejected)
    if pool.last_share_ms is not None:
        yield _gauge("last_share_timestamp_seconds", "When the newest share was accepted", pool.last_share_ms / 1000)


def _presence(view: LiveView) -> Iterable[Metric]:
    present = presence(view)
    yield _gauge("workers", "Workers seen within a day", present.workers)
    yield _gauge("workers_online", "Workers with a connection", present.workers_online)
    yield _gauge("sessions", "Connections of miners", present.sessions)


def _roles(roles: Roles, now_ms: int) -> Iterable[Metric]:
    yield _gauge("stratum_processes", "Stratum processes that give a sign of life", len(roles.stratum))
    released = sum(role.is_released for role in roles.stratum)
    yield _gauge("stratum_processes_released", "Of these, such as sent their miners away for want of work", released)
    ends_ms = [role.certificate_expires_ms for role in roles.stratum if role.certificate_expires_ms is not None]
    if ends_ms:
        yield _gauge("certificate_expiry_timestamp_seconds", "When the certificate for TLS ends", min(ends_ms) / 1000)
    pending = {"stratum": float(sum(role.candidates_pending for role in roles.stratum))}
    if roles.work:
        pending["work"] = float(sum(role.candidates_pending for role in roles.work.values()))
    yield _gauges("candidates_pending", "Blocks that wait: for the work role, for the node", "role", pending)
    yield from _work(roles.work, now_ms)
    disks = {"stratum": [role.disk for role in roles.stratum if role.disk is not None]}
    disks["work"] = [role.disk for role in roles.work.values() if role.disk is not None]
    least = {role: min(found, key=lambda disk: disk.free_bytes) for role, found in disks.items() if found}
    free = {role: float(disk.free_bytes) for role, disk in least.items()}
    total = {role: float(disk.total_bytes) for role, disk in least.items()}
    yield _gauges("disk_free_bytes", "Free on the disk that the role writes to", "role", free)
    yield _gauges("disk_bytes", "Size of that disk", "role", total)
    if roles.accounting is not None and roles.accounting.lag_shares is not None:
        yield _gauge("accounting_lag_shares", "Shares not yet booked", roles.accounting.lag_shares)
    if roles.accounting is not None:
        found = Counter(each.invariant for each in roles.accounting.broken)
        broken = {str(number): float(found[number]) for number in TITLES}
        yield _gauges("invariants_broken", "What is wrong with the books, by invariant", "invariant", broken)
        suspected = "Groups of machines that found too few blocks for luck alone"
        yield _gauge("luck_suspected_groups", suspected, len(roles.accounting.suspected))
        yield _gauge("blocks_held", "Blocks of ours that wait for a person to look", len(roles.accounting.held))
        stopped = float(roles.accounting.payouts_stopped is not None)
        yield _gauge("payouts_stopped", "1 while nothing is sent until a person has looked", stopped)
    if roles.accounting is not None and roles.accounting.reserve is not None:
        yield from _reserve(roles.accounting.reserve)
    if roles.accounting is not None and roles.accounting.moves is not None:
        moves = roles.accounting.moves
        yield _gauge("moves_open", "Planned moves that are not over", moves.open)
        yield _gauge("move_drafts", "Moves that a notice opened, and nobody planned yet", len(moves.drafts))
        machines = {each: float(moves.counts.get(each, 0)) for each in TRAVEL}
        yield _gauges("move_machines", "Machines of open moves", "status", machines)
        yield _gauge("relocation_late", "Machines of moves that should have arrived", sum(moves.late.values()))
        dark: Counter[str] = Counter()
        for alarm in roles.accounting.alarms:
            dark[alarm.kind] += alarm.dark
        explained = "Machines that should hash and are dark, by what explains it"
        yield _gauges("fleet_dark", explained, "kind", {kind.value: float(dark[kind.value]) for kind in AlarmKind})
        yield _gauge("strays", "Workers in another region without a move, not confirmed", moves.strays)


def _work(roles: Mapping[str, WorkRole], now_ms: int) -> Iterable[Metric]:
    """Each series by region: what is wrong in one of them shows whatever the others have."""

    def by_region(name: str, text: str, values: Mapping[str, float]) -> GaugeMetricFamily:
        return _gauges(name, text, "region", values)

    def of_jobs(value: Callable[[WorkJob], float]) -> dict[str, float]:
        return {region: value(role.job) for region, role in roles.items() if role.job is not None}

    nodes = GaugeMetricFamily("steppe_nodes", "Nodes of the work role by state", labels=("region", "state"))
    verdict = "1 for the verdict on the chain that is worked on"
    chains = GaugeMetricFamily("steppe_chain_verdict", verdict, labels=("region", "verdict"))
    for region, role in roles.items():
        states = Counter(node.state for node in role.nodes)
        for state in NODE_STATES:
            nodes.add_metric((region, state), float(states[state]))
        for known in CHAIN_VERDICTS:
            chains.add_metric((region, known), float(role.chain is not None and role.chain.verdict == known))
    yield nodes
    yield chains
    refused = {region: float(role.blocks_refused) for region, role in roles.items()}
    yield by_region("blocks_refused", "Blocks of ours that a node refused for good in the last six hours", refused)
    proposed = {region: float(role.proposals.refused) for region, role in roles.items() if role.proposals is not None}
    yield _counters("templates_refused", "Templates that their node refused", "region", proposed)
    silent = {region: float(sum(node.is_silent is True for node in role.nodes)) for region, role in roles.items()}
    yield by_region("nodes_silent", "Nodes that fail to announce new tips over ZMQ", silent)
    given = of_jobs(lambda job: job.template_ms / 1000)
    yield by_region("template_timestamp_seconds", "When a node gave the newest template", given)
    ages = of_jobs(lambda job: max(0.0, (now_ms - job.template_ms) / 1000))
    yield by_region("template_age_seconds", "Since a node gave the newest template", ages)
    yield by_region("tip_height", "Height of the block that is built on", of_jobs(lambda job: job.height - 1))
    transactions = of_jobs(lambda job: job.transactions)
    yield by_region("template_transactions", "Transactions of the newest template", transactions)
    difficulties = of_jobs(lambda job: job.network_difficulty)
    yield by_region("network_difficulty", "Difficulty of the next block", difficulties)


def _reserve(found: ReserveSign) -> Iterable[Metric]:
    levels = {level: float(level == found.level) for level in RESERVE_LEVELS}
    yield _gauges("reserve_level", "1 for how the reserve of pay per share stands", "level", levels)
    yield _gauge("reserve_satoshis", "The reserve of pay per share", found.held_sat)
    asked = {"alarm": found.alarm_sat, "close": found.close_sat, "floor": found.floor_sat}
    limits = {name: float(limit) for name, limit in asked.items() if limit is not None}
    yield _gauges("reserve_limit_satoshis", "Below them: an alarm, nobody more, nothing per share", "limit", limits)


def _books(totals: Totals) -> Iterable[Metric]:
    blocks = {state: float(totals.blocks.get(state, 0)) for state in BLOCK_STATES}
    yield _gauges("blocks", "Blocks of the pool by state", "state", blocks)
    yield _gauge("accounts", "Accounts in the ledger", totals.accounts)
    balances = {"immature": float(totals.immature_sat), "available": float(totals.available_sat)}
    yield _gauges("balance_satoshis", "Owed to all accounts", "state", balances)
    if totals.last_block_ms is not None:
        yield _gauge("last_block_timestamp_seconds", "When the newest block was found", totals.last_block_ms / 1000)


def _luck(expectation: Luck) -> Iterable[Metric]:
    if expectation.expected_seconds is not None:
        yield _gauge("block_expected_seconds", "Mean time between blocks", expectation.expected_seconds)
    if expectation.effort is not None:
        yield _gauge("round_effort_ratio", "Work of this round over that of a block", expectation.effort)
