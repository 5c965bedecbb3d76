"""tests.chaos.payments: what its table says."""

from __future__ import annotations

from tests.chaos.payments import Outcome, as_table
from tests.regtest.payment_kills import KILLS, OPERATORS_STEPS, STEPS, Kill


def test_a_kill_whose_lines_were_not_paid_once_stands_out() -> None:
    kills = [
        Kill("signed -> broadcast", "payout-sent", "sent, not kept", "node", name) for name in ("sqlite", "postgresql")
    ]
    table = as_table([Outcome(kills[0], 3.0), Outcome(kills[1], 4.0, "alice was paid twice")])
    assert table.splitlines() == [
        "| step | killed | when | sqlite | postgresql |",
        "| --- | --- | --- | --- | --- |",
        "| signed -> broadcast | node | sent, not kept | once | **no** |",
        "",
        "1 of 2 played to the end with every line paid exactly once",
    ]


def test_every_step_is_killed_before_and_after_on_both_databases() -> None:
    for database in ("sqlite", "postgresql"):
        for victim, steps in (
            ("payer", [step.name for step in STEPS]),
            ("node", [step.name for step in STEPS]),
            ("command", list(OPERATORS_STEPS)),
        ):
            for name in steps:
                found = [
                    each.when for each in KILLS if (each.step, each.victim, each.database) == (name, victim, database)
                ]
                assert found[0] == "before", name
                assert len(found) >= 2, name
    assert len({each.title for each in KILLS}) == len(KILLS)
