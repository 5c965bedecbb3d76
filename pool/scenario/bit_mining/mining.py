"""Hashing as chance has it: each machine finds shares like a Poisson process of its own rate, and each share's hash
decides whether it is a block."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Protocol

from pool.bitcoin.target import share_target, share_work, target_from_nbits
from pool.ports import Record
from pool.scenario.bit_mining.case import BEGINS_MS, OTHERS, OWNER, SUBSIDY_SAT, Case, Lot
from pool.scenario.bit_mining.network import Network
from pool.scenario.bit_mining.travel import Stay
from pool.work.job import Job
from pool.work.share import NEAR_MAX, Outcome, Share

_VERSION = 0x20000000
_AGENT, _OTHERS_AGENT = "cgminer/4.10.0", "bmminer/2.0.0"
_NTIME_AHEAD = 7_200
_WEAK_PERMILLE = 10  # of the machines, hash at less than their model says
_WEAK_FROM, _WEAK_TO = 0.5, 0.88
_NEVER_MS = 1 << 62


class Slices(Protocol):
    """Which slice a worker's shares have from a moment on."""

    def slice_of(self, worker: str, time_ms: int) -> int | None: ...


class Group:
    """Machines of one kind at one place, those that hash now. rate: hashes a millisecond of each."""

    def __init__(self, rate: float, difficulty: int, agent: str) -> None:
        self.rate = rate
        self.difficulty = float(difficulty)
        self.agent = agent
        self.online: list[Machine] = []
        self._places: dict[Machine, int] = {}

    def join(self, machine: Machine) -> None:
        self._places[machine] = len(self.online)
        self.online.append(machine)

    def leave(self, machine: Machine) -> None:
        place, last = self._places.pop(machine), self.online.pop()
        if last is not machine:
            self.online[place] = last
            self._places[last] = place


class Machine:
    """One worker at a place. health: what it does of its nominal rate. first_ms: its first share there."""

    __slots__ = ("account", "extranonce1", "first_ms", "health", "slice_id", "worker")

    def __init__(self, account: str, worker: str, extranonce1: bytes, health: float) -> None:
        self.account = account
        self.worker = worker
        self.extranonce1 = extranonce1
        self.health = health
        self.slice_id: int | None = None
        self.first_ms: int | None = None


class Mine:
    """All machines of the pool over time; `until` is to be asked for one stretch after the other."""

    def __init__(self, case: Case, stays: Sequence[Stay], network: Network, slices: Slices) -> None:
        self._choose = random.Random(f"{case.seed} mining")  # noqa: S311 - chance that can be had again
        self._network = network
        self._slices = slices
        self._case = case
        self._groups: dict[tuple[Lot, str], Group] = {}
        self._health: dict[str, float] = {}
        self._changes: list[tuple[int, int, bool, Group, Machine]] = []
        self._now_ms = float(BEGINS_MS)
        self._job: Job | None = None
        self._jobs = 0
        self._extranonce2 = 0
        self.arrivals: list[tuple[Stay, Machine]] = []
        self._others = self._others_group()
        for number, stay in enumerate(stays):
            self._add(stay, number)
        self._changes.sort(key=lambda each: (each[0], each[1]), reverse=True)
        self._all = [self._others, *self._groups.values()]

    def until(self, end_ms: int) -> Iterator[Record]:
        """The records of the time since the last one that was asked for, in the order of their times."""
        choose, changes = self._choose, self._changes
        while True:
            weights = self._weights()
            change_ms = changes[-1][0] if changes else _NEVER_MS
            limit_ms = min(change_ms, end_ms)
            yield from self._shares(limit_ms, weights, sum(weights), choose)
            self._now_ms = float(limit_ms)
            if change_ms >= end_ms:
                return
            while changes and changes[-1][0] <= change_ms:
                _, _, is_on, group, machine = changes.pop()
                if is_on:
                    machine.slice_id = self._slices.slice_of(machine.worker, change_ms)
                    group.join(machine)
                else:
                    group.leave(machine)

    def _weights(self) -> list[float]:
        """Shares a millisecond, of each group."""
        nbits = self._network.epoch(self._network.next_height(int(self._now_ms))).nbits
        return [len(each.online) * each.rate / share_work(each.difficulty, nbits) for each in self._all]

    def _shares(self, limit_ms: int, weights: list[float], total: float, choose: random.Random) -> Iterator[Record]:
        """While nobody comes or goes: the time of the next share has no memory, and any machine may have found it."""
        if not total:
            return
        groups, now_ms = self._all, self._now_ms
        while (now_ms := now_ms + choose.expovariate(total)) < limit_ms:
            (group,) = choose.choices(groups, weights)
            machine = group.online[int(choose.random() * len(group.online))]
            if machine.health < 1.0 and choose.random() > machine.health:
                continue
            time_ms = int(now_ms)
            height = self._network.next_height(time_ms)
            if self._job is None or self._job.height != height:
                self._job = self._next_job(height)
                yield self._job
            if machine.first_ms is None:
                machine.first_ms = time_ms
            yield self._share(machine, group, self._job, time_ms, choose)

    def _share(self, machine: Machine, group: Group, job: Job, time_ms: int, choose: random.Random) -> Share:
        self._extranonce2 += 1
        luck = choose.random() * share_target(group.difficulty, job.nbits) / target_from_nbits(job.nbits)
        block_hash: bytes | None = None
        near: int | None = None
        if luck <= 1 << NEAR_MAX:
            near = next(band for band in range(NEAR_MAX + 1) if luck <= 1 << band)
        if near == 0:
            block_hash = choose.randrange(target_from_nbits(job.nbits) + 1).to_bytes(32, "little")
            self._network.find(job.height, block_hash, time_ms)
        return Share(
            time_ms, Outcome.ACCEPTED, job.job_id, machine.account, machine.worker, machine.extranonce1,
            self._extranonce2.to_bytes(8, "big"), _VERSION, time_ms // 1000, choose.getrandbits(32), group.difficulty,
            job.nbits, job.height, machine.slice_id, block_hash, group.agent, near,
        )  # fmt: skip

    def _next_job(self, height: int) -> Job:
        self._jobs += 1
        made_ms = max(self._network.block_ms(height - 1), BEGINS_MS)
        now_s = made_ms // 1000
        return Job(
            f"{self._jobs:012x}", made_ms, height, _VERSION, self._network.hash_of(height - 1), b"", b"", (),
            self._network.epoch(height).nbits, now_s, now_s - 3_600, now_s + _NTIME_AHEAD, SUBSIDY_SAT,
            self._network.fees_sat(height), True,
        )  # fmt: skip

    def _add(self, stay: Stay, number: int) -> None:
        lot, scale = stay.lot, self._case.scale
        of_each = lot.nominal_ghs * 1e6 / max(1, lot.machines // scale)
        group = self._groups.setdefault((lot, stay.site.name), Group(of_each, self._case.difficulty, _AGENT))
        if stay.worker not in self._health:
            is_weak = self._choose.randrange(1000) < _WEAK_PERMILLE
            self._health[stay.worker] = self._choose.uniform(_WEAK_FROM, _WEAK_TO) if is_weak else 1.0
        machine = Machine(OWNER, stay.worker, (0x10000000 + number).to_bytes(4, "big"), self._health[stay.worker])
        self._changes.append((stay.on_ms, number, True, group, machine))
        if stay.off_ms < self._case.ends_ms:
            self._changes.append((stay.off_ms, number, False, group, machine))
        if stay.site is not lot.stood:
            self.arrivals.append((stay, machine))

    def _others_group(self) -> Group:
        count = max(OTHERS.accounts, OTHERS.machines // self._case.scale)
        group = Group(OTHERS.machines * OTHERS.ghs * 1e6 / count, self._case.others_difficulty, _OTHERS_AGENT)
        for number in range(count):
            account = f"member-{number % OTHERS.accounts + 1:02d}"
            group.join(Machine(account, f"rig-{number // OTHERS.accounts + 1:03d}", number.to_bytes(4, "big"), 1.0))
        return group
