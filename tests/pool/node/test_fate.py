"""The table of answers, and what several nodes say together."""

from __future__ import annotations

import pytest

from pool.node.fate import FINAL_DEPTH, Answer, Fate, View, decide, is_tied, is_wanting, meaning

HEIGHT = 100

TAKEN = View(Answer.TAKEN, None, 1, HEIGHT)
REFUSED = View(Answer.REFUSED, "bad-cb-amount", None, HEIGHT)
AWAY = View(Answer.LATER, "nothing listens there")


class TestAnswers:
    """BIP-0022; Bitcoin Core, `submitblock` and `BIP22ValidationResult`."""

    @pytest.mark.parametrize("reason", [None, "duplicate"])
    def test_taken(self, reason: str | None) -> None:
        assert meaning(reason) is Answer.TAKEN

    @pytest.mark.parametrize("reason", ["inconclusive", "duplicate-inconclusive", "valid?"])
    def test_aside(self, reason: str) -> None:
        assert meaning(reason) is Answer.ASIDE

    @pytest.mark.parametrize("reason", ["prev-blk-not-found", "time-too-new"])
    def test_later(self, reason: str) -> None:
        assert meaning(reason) is Answer.LATER

    @pytest.mark.parametrize(
        "reason",
        [
            "rejected",
            "duplicate-invalid",
            "high-hash",
            "bad-diffbits",
            "bad-prevblk",
            "bad-txnmrklroot",
            "bad-txns-duplicate",
            "bad-witness-nonce-size",
            "bad-witness-merkle-match",
            "unexpected-witness",
            "bad-cb-missing",
            "bad-cb-multiple",
            "bad-cb-length",
            "bad-cb-height",
            "bad-cb-amount",
            "bad-blk-length",
            "bad-blk-weight",
            "bad-blk-sigops",
            "bad-txns-nonfinal",
            "bad-txns-inputs-missingorspent",
            "bad-version(0x00000001)",
            "bad-signet-blksig",
            "mandatory-script-verify-flag-failed",
            "time-too-old",
            "time-timewarp-attack",
            "stale-prevblk",
            "stale-work",
            "Block decode failed",
            "",
            "what a future node may say",
        ],
    )
    def test_anything_else_refuses(self, reason: str) -> None:
        assert meaning(reason) is Answer.REFUSED


class TestChain:
    def test_before_anyone_answers_it_is_open(self) -> None:
        assert decide(HEIGHT, [View(), View()]) is Fate.OPEN

    def test_an_answer_alone_decides_nothing(self) -> None:
        assert decide(HEIGHT, [View(Answer.TAKEN)]) is Fate.OPEN

    def test_in_the_chain_of_one_node_is_in_the_chain(self) -> None:
        assert decide(HEIGHT, [TAKEN, AWAY]) is Fate.IN_CHAIN

    def test_with_six_blocks_on_top_it_is_there_for_good(self) -> None:
        fates = [
            decide(HEIGHT, [View(Answer.TAKEN, None, 1 + above, HEIGHT + above)])
            for above in (FINAL_DEPTH - 1, FINAL_DEPTH)
        ]
        assert fates == [Fate.IN_CHAIN, Fate.DEEP]

    def test_with_six_blocks_on_top_of_another_one_it_is_lost(self) -> None:
        fates = [
            decide(HEIGHT, [View(Answer.ASIDE, "inconclusive", -1, HEIGHT + above)])
            for above in (FINAL_DEPTH - 1, FINAL_DEPTH)
        ]
        assert fates == [Fate.OPEN, Fate.LOST]

    def test_also_if_no_node_ever_took_it(self) -> None:
        assert decide(HEIGHT, [View(Answer.LATER, "prev-blk-not-found", None, HEIGHT + 6)]) is Fate.LOST

    def test_the_node_with_the_highest_tip_has_the_say(self) -> None:
        behind, ahead = View(Answer.TAKEN, None, 1, HEIGHT), View(Answer.ASIDE, "inconclusive", -1, HEIGHT + 1)
        assert decide(HEIGHT, [behind, ahead]) is Fate.OPEN

    def test_of_two_blocks_at_one_height_ours_counts(self) -> None:
        ours, theirs = View(Answer.TAKEN, None, 1, HEIGHT), View(Answer.ASIDE, "inconclusive", -1, HEIGHT)
        assert decide(HEIGHT, [theirs, ours]) is Fate.IN_CHAIN

    def test_it_is_not_lost_while_another_node_has_it_in_its_chain(self) -> None:
        elsewhere = View(Answer.REFUSED, "bad-cb-amount", None, HEIGHT + 20)
        assert decide(HEIGHT, [elsewhere, View(Answer.TAKEN, None, 3, HEIGHT + 2)]) is Fate.OPEN

    def test_a_node_that_cannot_be_asked_has_no_say(self) -> None:
        away = View(Answer.TAKEN, None, 2, None)
        assert decide(HEIGHT, [away, View(Answer.TAKEN, None, 1, HEIGHT)]) is Fate.IN_CHAIN

    def test_nor_has_one_that_has_not_come_as_far(self) -> None:
        away, behind = View(Answer.TAKEN, None, 2, None), View(Answer.LATER, "prev-blk-not-found", None, HEIGHT - 1)
        assert decide(HEIGHT, [away, behind], Fate.IN_CHAIN) is Fate.IN_CHAIN

    @pytest.mark.parametrize("before", [Fate.OPEN, Fate.IN_CHAIN])
    def test_while_nobody_can_be_asked_all_stays_as_it_was(self, before: Fate) -> None:
        assert decide(HEIGHT, [AWAY, View(Answer.TAKEN, None, 2, None)], before) is before


class TestRefusals:
    def test_all_nodes_together_refuse_it(self) -> None:
        assert decide(HEIGHT, [REFUSED, REFUSED]) is Fate.REFUSED

    def test_one_alone_does_not(self) -> None:
        assert decide(HEIGHT, [REFUSED, AWAY]) is Fate.OPEN

    def test_what_one_refuses_and_another_takes_is_in_the_chain(self) -> None:
        assert decide(HEIGHT, [REFUSED, TAKEN]) is Fate.IN_CHAIN


class TestWanting:
    @pytest.mark.parametrize(
        ("view", "wanting"),
        [
            (View(), True),
            (AWAY, True),
            (View(Answer.LATER, "prev-blk-not-found", -1, HEIGHT), True),
            (View(Answer.TAKEN, None, None, HEIGHT), True),
            (View(Answer.ASIDE, "inconclusive", -1, HEIGHT), False),
            (TAKEN, False),
            (REFUSED, False),
        ],
    )
    def test_a_node_is_offered_what_it_does_not_have(self, view: View, wanting: bool) -> None:
        assert is_wanting(view) is wanting


class TestTie:
    def test_a_node_that_saw_another_block_first_is_tied(self) -> None:
        assert is_tied(HEIGHT, View(Answer.ASIDE, "inconclusive", -1, HEIGHT))

    @pytest.mark.parametrize(
        "view",
        [
            View(),
            TAKEN,
            REFUSED,
            View(Answer.ASIDE, "inconclusive", -1, HEIGHT + 1),
            View(Answer.LATER, "prev-blk-not-found", -1, HEIGHT),
        ],
    )
    def test_no_other_is(self, view: View) -> None:
        assert not is_tied(HEIGHT, view)
