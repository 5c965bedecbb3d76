"""Readiness of a pool with several work roles, each with nodes of its own."""

from __future__ import annotations

from msgspec.structs import replace

from pool.dashboard.checks import Check, State
from pool.dashboard.role_rows import Disk, WorkChain, WorkRole
from tests.pool.dashboard.judging import VIEW, WORK, check, health


def of(name: str, sichuan: WorkRole, texas: WorkRole) -> Check:
    return check(name, health(replace(VIEW.roles, work={"sichuan": sichuan, "texas": texas})))


def test_what_is_wrong_in_one_is_told_with_its_name_whatever_the_other_has() -> None:
    lagging = replace(WORK.nodes[0], state="lagging", reason="its tip is 3 blocks behind")
    nodes = of("nodes", WORK, replace(WORK, nodes=(lagging,)))
    assert (nodes.state, nodes.text) == (
        State.WARN,
        "texas: 127.0.0.1:8332 is lagging: its tip is 3 blocks behind",
    )


def test_what_is_wrong_in_both_is_told_the_worst_first_with_its_mend() -> None:
    alone = replace(WORK, chain=WorkChain("unknown", "nobody to ask"))
    astray = replace(WORK, chain=WorkChain("minority", "its blocks are not the others'"))
    chain = of("chain", alone, astray)
    assert (chain.state, chain.text) == (
        State.DOWN,
        "texas: its blocks are not the others'; sichuan: nobody to ask",
    )
    assert (chain.mend or "").startswith("No jobs are made of such a chain.")


def test_a_region_without_a_node_makes_the_pool_unfit() -> None:
    roles = replace(VIEW.roles, work={"sichuan": WORK, "texas": replace(WORK, node_reason="No node answers.")})
    assert not health(roles).ready


def test_what_all_say_alike_is_said_once() -> None:
    assert of("work", WORK, WORK).text == "makes jobs"
    assert of("template", WORK, WORK) == Check("template", State.OK, "fresh")


def test_what_all_say_in_other_words_is_said_by_name() -> None:
    other = replace(WORK, nodes=(replace(WORK.nodes[0], name="10.0.0.9:8332"),))
    text = of("nodes", WORK, other).text
    assert text == "sichuan: 127.0.0.1:8332 gives the work; texas: 10.0.0.9:8332 gives the work"


def test_a_block_that_was_refused_in_one_does_not_hide_behind_the_other() -> None:
    away = replace(WORK, node_reason="away")
    assert of("blocks", away, replace(WORK, blocks_refused=2)).text.startswith("texas: 2 of our blocks")


def test_of_the_disks_one_that_is_low_is_told() -> None:
    low = replace(WORK, disk=Disk(40 * 2**30, 1000 * 2**30, True))
    small = replace(WORK, disk=Disk(20 * 2**30, 30 * 2**30, False))
    disk = of("disk", small, low)
    assert (disk.state, disk.text) == (State.WARN, "work texas: 40.0 of 1000.0 GiB are free")
