"""Templates to jobs and candidates to blocks, on a fake node and a real folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from native import JobCheck, search, sha256d
from pool.bitcoin.target import target_from_nbits
from pool.node.workshop import FETCH_SECONDS_MAX, NODES_FIRST_SECONDS, Workshop, WorkshopSettings
from pool.ports import Verdict
from pool.work.block import Block
from pool.work.candidate import Candidate
from pool.work.job import Job
from pool.work.variant import variant_of
from tests.pool.node.captured import captured_events, names
from tests.pool.node.fake_clock import FakeClock
from tests.pool.node.fake_node import FakeNode
from tests.pool.work.templates import COINBASE

SETTINGS = WorkshopSettings(refresh_seconds=30.0, poll_seconds=0.5, keep_seconds=600.0)
EXTRANONCE1, EXTRANONCE2 = bytes(4), bytes(8)


class Running:
    """A workshop that runs, and the jobs it published."""

    def __init__(self, folder: Path, *nodes: FakeNode) -> None:
        self.node = nodes[0]
        self.reactor = Clock()
        self.clock = FakeClock(self.reactor)
        self.jobs: list[Job] = []
        self.workshop = Workshop(
            nodes, COINBASE, folder, SETTINGS, self.reactor, self.clock, self.jobs.append, maybeDeferred
        )
        self.run = Deferred.fromCoroutine(self.workshop.run())

    def take(self, candidate: Candidate) -> bool:
        """Whether it is kept. Raises what `take_candidate` raises."""
        kept: list[bool | Failure] = []
        Deferred.fromCoroutine(self.workshop.take_candidate(candidate)).addBoth(kept.append)
        self.reactor.advance(NODES_FIRST_SECONDS)
        if isinstance(kept[0], Failure):
            kept[0].raiseException()
        return kept[0] is True

    def pass_seconds(self, seconds: float) -> None:
        self.reactor.pump([0.5] * int(seconds * 2))


class Looking(FakeNode):
    """Notes what is in the folder of a block when it is offered."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self.seen: list[set[str]] = []

    async def submit_block(self, block: Block) -> Verdict:
        self.seen.append({path.suffix for path in self._folder.glob(f"{block.height}-*")})
        return await super().submit_block(block)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "candidates"


@pytest.fixture
def running(folder: Path) -> Iterator[Running]:
    running = Running(folder, FakeNode())
    yield running
    running.workshop.stop()


def winner(job: Job) -> Candidate:
    """A share of a job that is a block; at regtest's difficulty every other hash is."""
    check = JobCheck(job.coinb1, job.coinb2, b"".join(job.branch), job.prev_hash, job.nbits)
    target = target_from_nbits(job.nbits).to_bytes(32, "little")
    nonce = search(check.header(EXTRANONCE1, EXTRANONCE2, job.version, job.ntime, 0), target, 0, 1000)
    assert nonce is not None
    header = check.header(EXTRANONCE1, EXTRANONCE2, job.version, job.ntime, nonce)
    return Candidate(
        job_id=job.job_id,
        block_hash=sha256d(header),
        header=header,
        coinbase=check.coinbase(EXTRANONCE1, EXTRANONCE2),
        login="alice.rig",
        time_ms=job.time_ms,
    )


class TestJobs:
    def test_the_first_template_becomes_a_clean_job(self, running: Running) -> None:
        assert [(job.height, job.clean) for job in running.jobs] == [(1, True)]

    def test_a_new_tip_becomes_a_clean_job(self, running: Running) -> None:
        running.node.extend()
        running.pass_seconds(0.5)
        assert [(job.height, job.clean) for job in running.jobs] == [(1, True), (2, True)]

    def test_after_thirty_seconds_there_is_a_new_job_of_the_same_tip(self, running: Running) -> None:
        running.pass_seconds(30)
        assert [(job.height, job.clean) for job in running.jobs] == [(1, True), (1, False)]

    def test_then_again_each_thirty_seconds(self, running: Running) -> None:
        running.pass_seconds(300)
        assert len(running.jobs) == 11

    def test_a_new_tip_begins_the_thirty_seconds_anew(self, running: Running) -> None:
        running.pass_seconds(20)
        running.node.extend()
        running.pass_seconds(20)
        assert len(running.jobs) == 2

    def test_ids_rise(self, running: Running) -> None:
        running.pass_seconds(90)
        numbers = [int(job.job_id, 16) for job in running.jobs]
        assert numbers == sorted(set(numbers))

    def test_a_chain_that_goes_back_is_followed(self, running: Running) -> None:
        running.node.extend(by=5)
        running.pass_seconds(0.5)
        running.node.extend(by=-1)
        running.pass_seconds(0.5)
        assert [(job.height, job.clean) for job in running.jobs] == [(1, True), (6, True), (5, True)]

    def test_a_new_tip_is_an_event_and_a_refresh_is_not(self, folder: Path) -> None:
        with captured_events() as events:
            running = Running(folder, FakeNode())
            running.pass_seconds(60)
            running.workshop.stop()
        assert names(events) == ["chain_unknown", "node_ready", "tip_changed"]

    def test_the_kernel_has_what_its_blocks_are_made_of_before_a_job_goes_out(self, folder: Path) -> None:
        # Else whoever kills the role in between loses every block of a job that miners have.
        found: list[list[str]] = []

        def publish(job: Job) -> None:
            found.append(sorted(path.name for path in (folder / "templates").glob(f"{job.job_id}*")))

        reactor = Clock()
        # No thread ever gets round to anything.
        workshop = Workshop(
            [FakeNode()], COINBASE, folder, SETTINGS, reactor, FakeClock(reactor), publish, lambda work: Deferred()
        )
        Deferred.fromCoroutine(workshop.run())
        job_id = found[0][0]
        assert found == [[job_id, f"{job_id}.transactions"]]
        workshop.stop()


class TestStatus:
    def test_it_shows_the_job_that_miners_work_on(self, running: Running) -> None:
        status, job = running.workshop.status(), running.jobs[0]
        assert (status.job_id, status.height, status.prev_hash_hex) == (job.job_id, 1, job.prev_hash[::-1].hex())

    def test_a_node_that_answers_has_no_problem(self, running: Running) -> None:
        assert running.workshop.status().problem is None

    def test_the_template_of_the_job_can_be_looked_at(self, running: Running) -> None:
        assert running.workshop.template == running.node.template


class TestNodeAway:
    def test_miners_go_on_getting_jobs(self, running: Running) -> None:
        running.node.problem = "nothing listens there"
        running.pass_seconds(60)
        assert [(job.height, job.clean) for job in running.jobs] == [(1, True), (1, False), (1, False)]

    def test_their_time_goes_on(self, running: Running) -> None:
        running.node.problem = "nothing listens there"
        running.pass_seconds(60)
        first = running.jobs[0]
        assert [(job.ntime - first.ntime, job.ntime_max - first.ntime_max) for job in running.jobs] == [
            (0, 0),
            (30, 30),
            (60, 60),
        ]

    def test_a_node_that_does_not_answer_does_not_hold_up_the_refresh(self, running: Running) -> None:
        running.node.is_slow = True
        running.pass_seconds(30 + FETCH_SECONDS_MAX)
        assert len(running.jobs) == 2

    def test_the_status_says_why(self, running: Running) -> None:
        running.node.problem = "nothing listens there"
        running.pass_seconds(5)
        assert running.workshop.status().problem == "nothing listens there"

    def test_the_status_says_when_the_template_came_and_when_the_job(self, running: Running) -> None:
        running.node.problem = "nothing listens there"
        running.pass_seconds(60)
        status = running.workshop.status()
        start_ms = running.clock.start_ms
        assert (status.template_time_ms, status.job_time_ms) == (start_ms, start_ms + 60_000)

    def test_before_the_first_template_there_is_no_job(self, folder: Path) -> None:
        node = FakeNode()
        node.problem = "it is starting: wait a moment"
        running = Running(folder, node)
        running.pass_seconds(60)
        assert (running.jobs, running.workshop.status().job_id) == ([], None)
        running.workshop.stop()


class TestAgeOfTheTemplate:
    def test_a_job_says_how_old_its_template_is(self, running: Running) -> None:
        running.node.problem = "nothing listens there"
        running.pass_seconds(60)
        assert [job.template_age_ms for job in running.jobs] == [0, 30_000, 60_000]

    def test_a_fresh_template_is_of_no_age(self, running: Running) -> None:
        running.pass_seconds(60)
        assert [job.template_age_ms for job in running.jobs] == [0, 0, 0]

    def test_old_ones_are_told_after_a_minute_and_after_two(self, running: Running) -> None:
        running.node.problem = "nothing listens there"
        with captured_events() as events:
            running.pass_seconds(200)
            running.node.problem = None
            running.pass_seconds(40)
        told = [(event["event"], event.get("message")) for event in events if event["event"].startswith("template")]
        assert told == [
            ("template_old", "nothing listens there"),
            ("template_too_old", "nothing listens there"),
            ("template_fresh", None),
        ]


class TestSeveralNodes:
    def test_the_next_node_takes_over_within_three_seconds_when_one_hangs(self, folder: Path) -> None:
        nodes = [FakeNode("a:1"), FakeNode("b:1")]
        running = Running(folder, *nodes)
        nodes[0].is_hung = nodes[0].is_slow = True
        running.pass_seconds(3)
        assert len(running.jobs) == 2
        assert [(node.name, node.is_chosen) for node in running.workshop.status().nodes] == [
            ("a:1", False),
            ("b:1", True),
        ]
        running.workshop.stop()


class TestCandidates:
    def test_the_block_reaches_the_node_whole(self, running: Running) -> None:
        candidate = winner(running.jobs[0])
        running.take(candidate)
        assert [block[:80] for block in running.node.submitted] == [candidate.header]

    def test_it_is_on_disk_though_no_node_is_there(self, running: Running, folder: Path) -> None:
        running.node.problem = "nothing listens there"
        candidate = winner(running.jobs[0])
        running.take(candidate)
        assert (folder / f"1-{candidate.block_hash[::-1].hex()}.block").exists()

    def test_the_kernel_has_it_before_the_node_is_asked_and_the_disk_after(self, folder: Path) -> None:
        node = Looking(folder)
        running = Running(folder, node)
        running.take(winner(running.jobs[0]))
        assert node.seen == [{".head", ".transactions"}]
        assert {path.suffix for path in folder.glob("1-*")} == {".block", ".verdict"}
        running.workshop.stop()

    def test_a_second_time_does_nothing(self, running: Running) -> None:
        candidate = winner(running.jobs[0])
        running.take(candidate)
        running.take(candidate)
        assert len(running.node.submitted) == 1

    def test_a_share_of_an_older_job_is_a_block_too(self, running: Running) -> None:
        running.node.extend()
        running.pass_seconds(60)
        running.take(winner(running.jobs[0]))
        assert len(running.node.submitted) == 1

    def test_so_is_one_of_a_job_made_while_the_node_was_away(self, running: Running) -> None:
        running.node.problem = "nothing listens there"
        running.pass_seconds(60)
        running.node.problem = None
        running.take(winner(running.jobs[-1]))
        assert len(running.node.submitted) == 1

    def test_a_block_found_is_an_event_with_its_finder(self, running: Running) -> None:
        with captured_events() as events:
            running.take(winner(running.jobs[0]))
        assert [(event["event"], event.get("login")) for event in events] == [
            ("block_found", "alice.rig"),
            ("block_accepted", None),
        ]

    def test_if_the_disk_takes_nothing_it_is_submitted_all_the_same(self, running: Running, folder: Path) -> None:
        candidate = winner(running.jobs[0])
        (folder / f"1-{candidate.block_hash[::-1].hex()}.block.tmp").mkdir()
        with pytest.raises(OSError, match="Is a directory"):
            running.take(candidate)
        assert len(running.node.submitted) == 1

    def test_open_ones_are_counted(self, running: Running) -> None:
        running.node.problem = "nothing listens there"
        running.take(winner(running.jobs[0]))
        assert running.workshop.status().candidates_pending == 1

    def test_a_share_of_a_variant_of_a_job_is_a_block_too(self, running: Running) -> None:
        running.take(winner(variant_of(running.jobs[0], b"mark")))
        assert len(running.node.submitted) == 1


class TestUnbuildable:
    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"job_id": "1"}, "its template is not here"),
            ({"block_hash": bytes(32)}, "not the one of this header"),
            ({"coinbase": bytes(100)}, "merkle root"),
        ],
    )
    def test_it_is_kept_for_a_person_and_said_loudly(
        self, running: Running, folder: Path, change: dict[str, object], reason: str
    ) -> None:
        candidate = msgspec.structs.replace(winner(running.jobs[0]), **change)
        with captured_events() as events:
            running.take(candidate)
        kept = (folder / f"{candidate.block_hash[::-1].hex()}.unbuildable").read_text()
        assert (names(events), reason in kept) == (["candidate_unbuildable"], True)


class TestRestart:
    def test_a_block_that_was_open_is_submitted(self, running: Running, folder: Path) -> None:
        running.node.problem = "nothing listens there"
        running.take(winner(running.jobs[0]))
        running.workshop.stop()
        running.node.problem = None
        Running(folder, running.node).workshop.stop()
        assert len(running.node.submitted) == 1

    def test_a_share_of_a_job_of_the_earlier_run_is_a_block_too(self, running: Running, folder: Path) -> None:
        running.workshop.stop()
        after = Running(folder, running.node)
        after.take(winner(running.jobs[0]))
        after.workshop.stop()
        assert len(running.node.submitted) == 1

    def test_no_job_id_comes_twice(self, running: Running, folder: Path) -> None:
        running.workshop.stop()
        after = Running(folder, running.node)
        after.workshop.stop()
        assert int(after.jobs[0].job_id, 16) > int(running.jobs[0].job_id, 16)


class TestRun:
    def test_it_ends_when_told(self, running: Running) -> None:
        running.workshop.stop()
        assert running.run.called

    def test_a_bug_ends_it_with_the_error(self, folder: Path) -> None:
        def broken(job: Job) -> None:
            raise ZeroDivisionError

        reactor = Clock()
        workshop = Workshop(
            [FakeNode()], COINBASE, folder, SETTINGS, reactor, FakeClock(reactor), broken, maybeDeferred
        )
        errors: list[BaseException | None] = []
        Deferred.fromCoroutine(workshop.run()).addErrback(lambda failure: errors.append(failure.value))
        assert [type(error) for error in errors] == [ZeroDivisionError]
        assert reactor.getDelayedCalls() == []
