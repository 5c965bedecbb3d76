"""Templates with our coinbase are shown to their node; one that it refuses costs the node its place until it mends."""

from __future__ import annotations

import msgspec
import pytest
from twisted.internet.task import Clock

from pool.node.proposals import DELAY_SECONDS, RETRY_SECONDS_FIRST, Proposals
from pool.work.make_job import make_job
from pool.work.template import Template, TemplateError
from tests.pool.node.captured import captured_events, names
from tests.pool.node.fake_clock import FakeClock
from tests.pool.node.fake_node import FakeNode
from tests.pool.work.templates import COINBASE, template

FULL = template()
JOB = make_job(FULL, COINBASE, "1a1fd2f0b84", 0, clean=True)
TRANSACTION_BYTES = b"".join(each.data for each in FULL.transactions)


class Asking:
    """Proposals to two fake nodes, and what came of them."""

    def __init__(self) -> None:
        self.nodes = [FakeNode(), FakeNode()]
        for node in self.nodes:
            node.template = FULL
        self.reactor = Clock()
        self.refused: list[tuple[int, Template]] = []
        self.changes = 0
        self.proposals = Proposals(
            self.nodes,
            COINBASE,
            self.reactor,
            FakeClock(self.reactor),
            on_refused=lambda index, refused: self.refused.append((index, refused)),
            on_change=self._changed,
        )

    def _changed(self) -> None:
        self.changes += 1

    def use(self, *opinions: str | None) -> None:
        """A job of the first node's template goes out, and the node has these opinions one after the other."""
        self.nodes[0].opinions = list(opinions)
        self.proposals.used(0, JOB, FULL)
        self.reactor.advance(DELAY_SECONDS)


@pytest.fixture
def asking() -> Asking:
    return Asking()


class TestLook:
    def test_the_node_that_gave_it_sees_the_whole_block_within_a_second(self, asking: Asking) -> None:
        asking.use(None)
        assert [block.endswith(TRANSACTION_BYTES) for block in asking.nodes[0].proposed] == [True]
        assert asking.nodes[1].proposed == []
        assert DELAY_SECONDS < 1

    def test_not_before_the_job_is_out(self, asking: Asking) -> None:
        asking.proposals.used(0, JOB, FULL)
        assert asking.nodes[0].proposed == []

    def test_consent_changes_nothing(self, asking: Asking) -> None:
        asking.use(None)
        assert (asking.refused, asking.proposals.refusal(0)) == ([], None)
        assert asking.proposals.status().looked_at == 1

    @pytest.mark.parametrize("reason", ["inconclusive-not-best-prevblk", "stale-prevblk"])
    def test_a_tip_that_moved_meanwhile_is_no_refusal(self, asking: Asking, reason: str) -> None:
        asking.use(reason)
        assert (asking.refused, asking.proposals.status().refused) == ([], 0)

    def test_a_node_that_does_not_answer_has_refused_nothing(self, asking: Asking) -> None:
        asking.nodes[0].problem = "it is too busy"
        asking.use()
        assert (asking.refused, asking.proposals.status().looked_at) == ([], 0)


class TestRefusal:
    def test_the_job_is_withdrawn_and_the_node_left(self, asking: Asking) -> None:
        asking.use("bad-blk-sigops", "bad-blk-sigops", "bad-blk-sigops")
        assert asking.refused == [(0, FULL)]
        assert asking.proposals.refusal(0) == "it refuses its own template with our coinbase: bad-blk-sigops"
        assert asking.proposals.refusal(1) is None

    def test_it_pages(self, asking: Asking) -> None:
        with captured_events() as events:
            asking.use("bad-cb-amount", "bad-cb-amount", "bad-cb-amount")
        [event] = events
        assert (event["event"], event["log_level"].name, event["reason"], event["job_id"]) == (
            "template_refused",
            "critical",
            "bad-cb-amount",
            JOB.job_id,
        )

    def test_the_status_says_which_node_refused_what_and_when(self, asking: Asking) -> None:
        asking.use("bad-cb-amount", "bad-cb-amount", "bad-cb-amount")
        status = asking.proposals.status()
        assert (status.refused, status.last_refused_ms is None) == (1, False)
        assert str(status.problem).startswith("fake:8332: it refuses its own template")

    def test_a_fresh_template_that_the_node_takes_gives_it_its_place_back_at_once(self, asking: Asking) -> None:
        with captured_events() as events:
            asking.use("bad-txns-inputs-missingorspent", None)
        assert (asking.proposals.refusal(0), asking.changes) == (None, 1)
        assert names(events) == ["template_refused", "template_taken"]

    def test_one_that_it_takes_only_without_transactions_is_used_without(self, asking: Asking) -> None:
        asking.use("bad-blk-weight", "bad-blk-weight", None)
        assert asking.proposals.refusal(0) is None
        assert asking.proposals.prepared(0, FULL) == FULL.first(0)
        assert asking.proposals.prepared(1, FULL) == FULL

    def test_until_it_takes_them_all_again(self, asking: Asking) -> None:
        asking.use("bad-blk-weight", "bad-blk-weight", None)
        asking.reactor.advance(RETRY_SECONDS_FIRST)
        assert asking.proposals.prepared(0, FULL) == FULL

    def test_a_node_that_takes_nothing_is_tried_again_and_again(self, asking: Asking) -> None:
        asking.use(*["bad-cb-amount"] * 5)
        asking.reactor.pump([RETRY_SECONDS_FIRST] * 2)
        assert asking.proposals.refusal(0) is not None
        asking.reactor.pump([RETRY_SECONDS_FIRST] * 4)
        assert asking.proposals.refusal(0) is None

    def test_so_is_one_that_goes_away(self, asking: Asking) -> None:
        asking.use("bad-cb-amount", "bad-cb-amount", "bad-cb-amount")
        asking.nodes[0].problem = "nothing listens there"
        asking.reactor.pump([RETRY_SECONDS_FIRST] * 10)
        asking.nodes[0].problem = None
        asking.reactor.pump([RETRY_SECONDS_FIRST] * 30)
        assert asking.proposals.refusal(0) is None

    def test_a_second_refusal_meanwhile_begins_no_second_trial(self, asking: Asking) -> None:
        asking.use(*["bad-cb-amount"] * 3)
        asking.use(*["bad-cb-amount"] * 9)
        assert (len(asking.nodes[0].proposed), len(asking.refused)) == (4, 2)

    def test_after_the_end_nothing_is_asked(self, asking: Asking) -> None:
        asking.proposals.used(0, JOB, FULL)
        asking.proposals.stop()
        asking.reactor.advance(10)
        assert (asking.nodes[0].proposed, asking.reactor.getDelayedCalls()) == ([], [])

    def test_an_answer_after_the_end_is_too_late(self, asking: Asking) -> None:
        asking.nodes[0].is_thinking = True
        asking.use()
        asking.proposals.stop()
        assert (asking.refused, asking.nodes[0].thinking[0].called) == ([], True)


class TestPrepared:
    def test_what_has_no_room_is_left_out(self, asking: Asking) -> None:
        small = msgspec.structs.replace(FULL, weight_max=FULL.weight_max - 3_998_000)
        assert len(asking.proposals.prepared(0, small).transactions) < len(FULL.transactions)

    def test_without_any_room_there_is_nothing_to_prepare(self, asking: Asking) -> None:
        with pytest.raises(TemplateError, match="header and coinbase need"):
            asking.proposals.prepared(0, msgspec.structs.replace(FULL, weight_max=1))
