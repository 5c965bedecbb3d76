"""The commands in boxes of README.md and docs/*.md, typed at a pool that runs. The tutorial has a test of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from pool.node.private import PrivateNode
from tests.docs.shell import Block, Shell, blocks
from tests.regtest.whole_pool import WholePool

ROOT = Path(__file__).parents[2]
# Lines that begin so are not typed here, and why.
NOT_TYPED: Mapping[str, str] = {
    "scripts/demo": "tests/regtest/test_demo.py runs it",
    "scripts/test": "it is what runs this",
    "scripts/docs": "it installs first what is missing; tests/docs/test_site.py builds the same",
    "scripts/chaos": "it loads a machine for minutes; tests/regtest/test_chaos.py runs a short one",
    ".venv/bin/steppe config sample >": "a person fills in what has no default; the tutorial shows one",
    ".venv/bin/steppe run": "it never ends; the tutorial runs it in the background",
    ".venv/bin/steppe operator password": "it asks at the terminal; tests/pool/test_cli_access.py answers it",
    "steppe operator password": "it asks at the terminal; tests/pool/test_cli_access.py answers it",
    ".venv/bin/steppe scenario bit-mining-2021": "it takes minutes; tests/pool/scenario plays it smaller",
    "steppe scenario live-move": "it takes minutes; tests/regtest/test_scenario_live_move.py runs it",
    "cd bit-mining/pplns": "those are files of the scenario above",
    "steppe audit -c steppe.toml   ": "likewise",
    "steppe statement kz-partner": "likewise",
    "steppe move show ganzi-b2": "likewise",
    "steppe report relocation ganzi-b1": "likewise",
    "steppe site event ganzi suspension": "it needs a fleet there; tests/pool/test_cli_drafts.py types it",
    "steppe move list": "likewise",
    "steppe move plan ganzi-out": "two regions are needed; the tutorial does it",
    "steppe move start ganzi-out": "likewise",
    "steppe move show ganzi-out": "likewise",
    "steppe move rollback ganzi-out": "likewise; tests/regtest/test_mover.py rolls back",
    "bitcoin-cli -named createwallet": "the tutorial makes its wallets so",
    "bitcoin-cli -rpcwallet=steppe": "likewise",
}
# Of a node that nobody can be compared with; it ends with 2 then.
DOCTOR_MAY_WARN = Block("", 0, 'steppe() { command steppe "$@" || [[ $1 == doctor && $? == 2 ]]; }', None)
PAGES = [page for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if page.stem != "tutorial"]


def typed(block: Block) -> Block:
    """The lines of a block that are typed here."""
    lines = [line.strip() for line in block.commands.splitlines()]
    kept = [line for line in lines if not line.startswith(tuple(NOT_TYPED))]
    return Block(block.page, block.line, "\n".join(kept), block.shows)


TYPED = {page: [block for block in map(typed, blocks(page)) if block.commands] for page in PAGES}


@pytest.fixture(scope="module")
def running(regtest_node: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholePool]:
    """A pool with alice."""
    pool = WholePool(tmp_path_factory.mktemp("typed"), regtest_node, "regtest")
    pool.add_account("alice", "pplns", 100)
    pool.start()
    (pool.folder / ".venv").symlink_to(sys.prefix)
    yield pool
    assert pool.stop() == 0


@pytest.mark.parametrize("page", [page for page in PAGES if TYPED[page]], ids=lambda page: page.stem)
def test_every_command_of_a_page_can_be_typed_as_it_stands(running: WholePool, page: Path) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    shell = Shell(running.folder, environment, {8081: running.admin_port})
    try:
        shell.run(DOCTOR_MAY_WARN)
        for block in TYPED[page]:
            shell.run(block)
    finally:
        shell.close()


def test_no_reason_stands_for_a_command_that_is_gone() -> None:
    lines = [line.strip() for page in PAGES for block in blocks(page) for line in block.commands.splitlines()]
    assert [start for start in NOT_TYPED if not any(line.startswith(start) for line in lines)] == []


def test_no_command_stands_in_a_box_that_is_not_typed() -> None:
    for page in PAGES:
        text = page.read_text()
        boxes = sum(block.commands.count("\n") for block in blocks(page))
        outside = [line for line in text.splitlines() if line.startswith(("steppe ", ".venv/bin/", "scripts/"))]
        assert len(outside) <= boxes, page
