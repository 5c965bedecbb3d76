"""`steppe scenario live-move`: a fleet leaves one region for another, in waves, and every share of it is accounted for.

All of it is real: nodes on a private chain, the roles of two regions, a connection for each machine, and hashes.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import msgspec
from msgspec import Struct

from payout.maturity import State
from payout.ports import LedgerUnavailable
from payout.store.ledger import SqlBooks, SqlLedger
from pool import operations
from pool.bitcoin.target import target_from_difficulty
from pool.config import Config
from pool.fleet.move import MoveRefused, Step
from pool.fleet.pace import BadPace, parse_pace
from pool.fleet.planning import Asked
from pool.fleet.report import MoveReport
from pool.fleet.times import utc
from pool.journal.folder import frontend_of
from pool.journal.reader import tail
from pool.machine import allow_many_files
from pool.node.private import find_bitcoind
from pool.ports import NodeUnavailable, StoreUnavailable
from pool.roles.database import reach_database
from pool.roles.dispatch import Dispatch, open_dispatch
from pool.roles.fleets import open_fleets
from pool.scenario import fleet_facts
from pool.scenario.chains import REGTEST, Chain
from pool.scenario.live_move_evidence import Story, gather
from pool.scenario.live_move_picture import picture
from pool.scenario.live_move_report import Report, words
from pool.scenario.machines import Machines
from pool.scenario.two_regions import REGIONS, ScenarioFailed, TwoRegions
from pool.supervisor import stop_signals

MOVE = "ganzi-out"
"""As the notice of Ganzi names the move that it opens."""

DEAF_PERCENT = 5
NEIGHBOUR_PART = 0.05
DARK_SECONDS = 1800
GRACE_SECONDS = 3
BEFORE_SECONDS = 12.0
LAST_WAVE_SECONDS = 10.0
"""In which most of a wave arrive."""
AFTER_SECONDS = 60.0
"""About what is left to wait for after the last wave: for stragglers, and for a block."""
WAIT_SECONDS_MAX = 180.0
TOLD_SECONDS = 5.0
POLL_SECONDS = 0.25
MACHINES_PER_POLL_SECOND = 4_000
"""The machines are a thread of this process: to read where all of them are takes time that is theirs."""


class Options(Struct, frozen=True):
    """What the command line says, and `scripts/bench move`.

    data_dir: None for a temporary folder that is removed at the end. deaf_percent: of the machines, those that ignore
    the redirect.
    """

    machines: int
    out: Path
    seed: int
    pace: str
    data_dir: Path | None
    deaf_percent: int = DEAF_PERCENT
    chain: Chain = REGTEST

    @property
    def deaf(self) -> int:
        """How many these are: one at least, unless nobody is to be."""
        return max(1, round(self.machines * self.deaf_percent / 100)) if self.deaf_percent else 0

    @property
    def neighbours(self) -> int:
        """Machines of another account, which mine beside these and stay."""
        return max(1, round(self.machines * NEIGHBOUR_PART))


Watch = Callable[[str, Mapping[str, int]], None]
"""Is told when the move starts (`started`) and when all have arrived (`arrived`), with the processes by their names."""


def _nobody(_what: str, _pids: Mapping[str, int]) -> None:
    pass


def run(options: Options, say: Callable[[str], None], watch: Watch = _nobody) -> Report:
    """Play it through and write the report. Raises ScenarioFailed, Stopped."""
    bitcoind = find_bitcoind()
    if bitcoind is None:
        raise ScenarioFailed("no bitcoind: put one on PATH, name one in STEPPE_BITCOIND, or start by scripts/demo once")
    waves_seconds = _waves_seconds(options)
    _check_blocks(options, waves_seconds)
    options.out.mkdir(parents=True, exist_ok=True)
    allow_many_files()
    with stop_signals() as stop, _folder(options.data_dir) as folder:
        regions = TwoRegions(bitcoind, folder, stop, options.chain)
        report = _Play(options, regions, waves_seconds, say, watch).play()
    for name, text in (
        ("summary.txt", "\n".join(words(report)) + "\n"),
        ("summary.json", msgspec.json.format(msgspec.json.encode(report)).decode() + "\n"),
        ("arrivals.svg", picture(report)),
    ):
        (options.out / name).write_text(text, encoding="utf-8")
    return report


def _waves_seconds(options: Options) -> float:
    """From the first wave to the last."""
    try:
        seconds = parse_pace(options.pace, options.machines).lasts_ms(options.machines) / 1000
    except BadPace as error:
        raise ScenarioFailed(str(error)) from error
    if seconds > DARK_SECONDS:
        raise ScenarioFailed(
            f"at {options.pace} the last wave comes {seconds / 60:.0f} minutes after the first, and the notice leaves "
            f"{DARK_SECONDS // 60}: take a faster pace"
        )
    return seconds


def _check_blocks(options: Options, waves_seconds: float) -> None:
    """Where each share is a block: whether money lasts, and most blocks do."""
    chain, machines = options.chain, options.machines + options.neighbours
    if chain.limits is None:
        return
    seconds = BEFORE_SECONDS + waves_seconds + AFTER_SECONDS
    shares = round(machines / chain.share_seconds(machines) * seconds) + options.machines
    if shares > chain.limits.shares:
        raise ScenarioFailed(
            f"that is about {shares:,} shares, each a block on {chain.name}, where the subsidy halves every 150 and is "
            f"small after {chain.limits.shares:,}: take a faster pace, fewer machines or --chain signet"
        )
    arrivals = options.machines / (waves_seconds + LAST_WAVE_SECONDS)
    if arrivals > chain.limits.arrivals_per_second:
        raise ScenarioFailed(
            f"at {options.pace} about {arrivals:.0f} machines arrive each second, each with a share that is a block on "
            f"{chain.name}, and most would be lost to one another: take a slower pace, fewer machines or --chain signet"
        )


@contextlib.contextmanager
def _folder(wanted: Path | None) -> Iterator[Path]:
    """Where the pool keeps its things: as wanted, or for a while. What went wrong can be looked at there."""
    folder = (wanted or Path(tempfile.mkdtemp(prefix="steppe-move-"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ScenarioFailed(f"{folder} is not empty: name another folder for what the pool keeps")
    try:
        yield folder
    except (ScenarioFailed, LedgerUnavailable, StoreUnavailable, NodeUnavailable) as error:
        raise ScenarioFailed(f"{error}; logs, books and journals are kept in {folder}") from error
    except BaseException:
        _forget(folder, wanted)
        raise
    _forget(folder, wanted)


def _forget(folder: Path, wanted: Path | None) -> None:
    if wanted is None:
        shutil.rmtree(folder, ignore_errors=True)


class _Play:
    def __init__(
        self,
        options: Options,
        regions: TwoRegions,
        waves_seconds: float,
        say: Callable[[str], None],
        watch: Watch,
    ) -> None:
        self._options = options
        self._watch = watch
        self._regions = regions
        self._waves_seconds = waves_seconds
        self._say_line = say
        self._began = time.monotonic()
        fleet = fleet_facts.logins(options.machines)
        logins = [*fleet, *fleet_facts.neighbours(options.neighbours)]
        chance = random.Random(options.seed)  # noqa: S311 - a play, and the same seed is to give the same one
        self._deaf = set(chance.sample(fleet, options.deaf))
        self._machines = Machines(
            regions.endpoints[REGIONS[0]],
            logins,
            self._deaf,
            options.chain.share_seconds(len(logins)),
            options.seed,
            first_seconds=options.chain.first_seconds,
            chip_target=target_from_difficulty(Fraction(options.chain.difficulty)),
        )
        self._assigned_ms = 0
        self._told_at = 0.0

    def play(self) -> Report:
        """From the first process to the report."""
        self._say(f"two nodes on {self._options.chain.name} and the roles of two regions start")
        with self._regions.running(self._prepare):
            self._say(f"the pool is ready; its page: {self._regions.page}")
            self._until("the assignments hold", lambda: _now_ms() >= self._assigned_ms)
            self._machines.start()
            try:
                return self._move()
            finally:
                if self._machines.is_alive():
                    self._machines.stop()

    def _prepare(self, config: Config) -> None:
        for name in fleet_facts.ACCOUNTS:
            operations.ensure_account(config, name, "pplns", 100)
        with open_fleets(config) as desk:
            told = fleet_facts.entries(self._options.machines, desk.now_ms)
            desk.enter(told)
        self._assigned_ms = fleet_facts.assigned_ms(told)

    def _move(self) -> Report:
        machines = self._machines
        self._until("all machines mine", lambda: machines.ready() == len(machines.all))
        self._say(f"{len(machines.all)} machines mine in Sichuan, {len(self._deaf)} of them deaf to client.reconnect")
        since = time.monotonic()
        self._until("a block is credited", lambda: time.monotonic() - since > BEFORE_SECONDS and self._credited(0) > 0)
        with open_dispatch(self._regions.config) as dispatch:
            self._plan(dispatch)
            started_ms = _now_ms()
            self._watch("started", self._regions.pids())
            dispatch.step(MOVE, Step.START, "the scenario", "the notice of State Grid")
            self._say("the move starts")
            self._until("all have arrived, but for the deaf", lambda: self._arrived(dispatch), self._waves_seconds)
            self._watch("arrived", self._regions.pids())
            arrived_ms = max(each.arrived_ms or 0 for each in dispatch.show(MOVE)[1])
            if self._deaf:
                self._say("all are there; the others count as stragglers half a minute after they were told")
                self._until("the deaf are stragglers", lambda: self._stragglers(dispatch))
            self._until("a block after the last arrival is credited", lambda: self._credited(arrived_ms) > 0)
            self._close(dispatch)
            found = dispatch.show(MOVE)
        self._settle()
        story = Story(
            chain=self._options.chain,
            pace=self._options.pace,
            seed=self._options.seed,
            started_ms=started_ms,
            deaf=frozenset(self._deaf),
            told={each.login: each.times_told for each in machines.all},
            answers=machines.answers(),
            move=found[0],
            machines=found[1],
        )
        self._say("the journals and the books are held against what the machines were told")
        return gather(story, self._regions)

    def _plan(self, dispatch: Dispatch) -> None:
        dark_ms = (_now_ms() // 1000 + DARK_SECONDS) * 1000
        with open_fleets(self._regions.config) as desk:
            entered = desk.enter([fleet_facts.notice(desk.now_ms, dark_ms)])
        self._say(f"the notice: power at Ganzi goes off in {DARK_SECONDS // 60} minutes")
        for line in entered.moves:
            self._say(line)
        asked = Asked(
            name=MOVE,
            account="",  # the draft that the notice opened says whose machines go, and from where
            pattern="",
            origin="",
            target="ekibastuz",
            origin_endpoint="",
            target_endpoint="",
            pace=self._options.pace,
            deadline_ms=None,
            planned_on_ms=None,
            tolerance_ms=60_000,
            start_ms=None,
            wait_seconds=0,
            grace_seconds=GRACE_SECONDS,
            words="",
        )
        try:
            dry = dispatch.plan(asked, "the scenario", keep=False)
            to = dry.plan.target
            lines = [
                f"{utc(each.at_ms)}\t{each.rack}\t{each.login}\tclient.reconnect {to.host} {to.port} 0"
                for each in dry.due
            ]
            (self._options.out / "dry-run.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
            last_s = (dry.due[-1].at_ms - dry.due[0].at_ms) / 1000
            waves = f"{len(dry.due)} machines, the last {last_s:g} s after the first"
            self._say(f"dry run, to Ekibastuz: {waves}; see dry-run.txt")
            dispatch.plan(asked, "the scenario", keep=True)
        except MoveRefused as refused:
            raise ScenarioFailed(str(refused)) from refused

    def _arrived(self, dispatch: Dispatch) -> bool:
        report = dispatch.show(MOVE)[0]
        self._tell_counts(report)
        return report.counts["arrived"] >= self._options.machines - len(self._deaf)

    def _stragglers(self, dispatch: Dispatch) -> bool:
        report = dispatch.show(MOVE)[0]
        self._tell_counts(report)
        return report.counts["straggler"] == len(self._deaf)

    def _close(self, dispatch: Dispatch) -> None:
        try:
            dispatch.step(MOVE, Step.CLOSE, "the scenario", "")
        except MoveRefused as refused:
            self._say(f"to close it is refused: {refused}")
            dispatch.step(MOVE, Step.CLOSE, "the scenario", "they are on a list for the crew", force=True)
        self._say("the move is closed")

    def _credited(self, since_ms: int) -> int:
        """How many blocks that were found since then are credited."""
        alive = (State.IMMATURE, State.MATURE)
        with self._books() as books:
            return sum(each.found.found_ms > since_ms and each.life.state in alive for each in books.blocks.every())

    def _settle(self) -> None:
        """Until every share has its answer, and the books have every record and know each block's fate."""
        after, unsettled = self._options.chain.blocks_after, {State.CANDIDATE}
        if not after:  # else a block that is in doubt now would be so for ever
            self._until("no block is in doubt", lambda: self._are_settled(unsettled))
        self._machines.hold()
        self._until("every share has its answer", lambda: self._machines.unanswered() == 0)
        self._machines.stop()
        if after:
            self._say(f"{after} blocks of nobody follow, so that each of the pool's is mature or lost")
            self._regions.bury()
            unsettled.add(State.IMMATURE)
        self._until("the books have all", lambda: self._have_all() and self._are_settled(unsettled))

    def _are_settled(self, unsettled: Collection[State]) -> bool:
        with self._books() as books:
            return all(each.life.state not in unsettled for each in books.blocks.every())

    def _have_all(self) -> bool:
        """Whether the books have every record of the journals."""
        with self._books() as books:
            marks = books.shares.high_waters()
        folders = map(self._regions.journal, REGIONS)
        return all(marks.get(frontend_of(each), 0) >= _last_seq(each) for each in folders)

    @contextlib.contextmanager
    def _books(self) -> Iterator[SqlBooks]:
        engine = reach_database(self._regions.config)
        try:
            with SqlLedger(engine).read() as books:
                yield books
        finally:
            engine.dispose()

    def _until(self, what: str, condition: Callable[[], bool], lasts_seconds: float = 0.0) -> None:
        """Wait for it. lasts_seconds: what it takes if all goes well."""
        deadline = time.monotonic() + lasts_seconds + WAIT_SECONDS_MAX
        while not condition():
            self._regions.tend()
            if self._machines.problem is not None:
                raise ScenarioFailed(f"the machines broke: {self._machines.problem!r}") from self._machines.problem
            if time.monotonic() > deadline:
                raise ScenarioFailed(f"not within {lasts_seconds + WAIT_SECONDS_MAX:g} s: {what}")
            time.sleep(max(POLL_SECONDS, self._options.machines / MACHINES_PER_POLL_SECOND))

    def _tell_counts(self, report: MoveReport) -> None:
        now = time.monotonic()
        if now - self._told_at >= TOLD_SECONDS:
            self._told_at = now
            self._say("  " + ", ".join(f"{count} {what}" for what, count in report.counts.items() if count))

    def _say(self, text: str) -> None:
        self._say_line(f"{time.monotonic() - self._began:6.1f} s  {text}")


def _last_seq(folder: Path) -> int:
    newest = list(tail(folder, 0))
    return newest[-1].last_seq if newest else 0


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
