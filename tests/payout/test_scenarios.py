"""The life of blocks and their money, told line by line, on both databases (docs/payouts.md 3.4).

pplns NAME FEE, pps NAME FEE      open an account; the fee in basis points
share NAME DIFFICULTY [MINUTE] [OUTCOME] [BLOCK@HEIGHT]    of the block's difficulty
job MINUTE                        a job, so that time goes on
tip HEIGHT [BLOCK@HEIGHT ...]     the chain is so high now and has these blocks; BLOCK@0: no longer
    > BLOCK: STATE -> STATE       what the pool's blocks do then, in order
    = ACCOUNT SATOSHIS            the whole ledger after that
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from payout.accounts import Scheme
from payout.rewards import Startup
from pool.work.share import Outcome
from tests.payout.scene import RULES, Scene, job, share

ONE_BLOCK_MATURES = """
    pplns alice 200
    pplns bob 100
    share alice 1/4
    share alice 1/4
    share bob 1/4
    share bob 1/4 B1@100
    tip 99
        =
    tip 100 B1@100
        > B1: candidate -> immature
        = asset:coinbase_immature 1000000
        = income:pool_fee:immature -15000
        = liab:alice:immature -490000
        = liab:bob:immature -495000
    tip 199
    tip 200
        > B1: immature -> mature
        = asset:wallet 1000000
        = income:pool_fee -15000
        = liab:alice:available -490000
        = liab:bob:available -495000
"""

FOUND_WHILE_AWAY = """
    share alice 1/4 B1@100
    tip 900 B1@100
        > B1: candidate -> immature
        > B1: immature -> mature
        = asset:wallet 1000000
        = income:pool_fee -10000
        = liab:alice:available -990000
"""

TWO_BLOCKS_AT_ONE_HEIGHT = """
    share alice 1/4 B1@100
    share bob 1/4 B2@100
    tip 100 B2@100
        > B2: candidate -> immature
    tip 104
    tip 105
        > B1: candidate -> dead
        = asset:coinbase_immature 1000000
        = income:pool_fee:immature -10000
        = liab:alice:immature -495000
        = liab:bob:immature -495000
"""

ORPHANED_AND_BACK = """
    share alice 1/4 B1@100
    tip 100 B1@100
        > B1: candidate -> immature
    tip 104 B1@0
        = asset:coinbase_immature 1000000
        = income:pool_fee:immature -10000
        = liab:alice:immature -990000
    tip 105
        > B1: immature -> orphaned
        =
    tip 106 B1@100
        > B1: orphaned -> immature
        = asset:coinbase_immature 1000000
        = income:pool_fee:immature -10000
        = liab:alice:immature -990000
    tip 107 B1@0
        > B1: immature -> orphaned
        =
    tip 199 B1@100
        > B1: orphaned -> immature
    tip 200
        > B1: immature -> mature
        = asset:wallet 1000000
        = income:pool_fee -10000
        = liab:alice:available -990000
"""

SHARES_OF_AN_ORPHAN_ARE_PAID_BY_THE_NEXT_BLOCK = """
    share alice 1/4 B1@100
    tip 100 B1@100
        > B1: candidate -> immature
    share bob 1/4 B2@101
    tip 106 B1@0 B2@101
        > B1: immature -> orphaned
        > B2: candidate -> immature
        = asset:coinbase_immature 1000000
        = income:pool_fee:immature -10000
        = liab:alice:immature -495000
        = liab:bob:immature -495000
"""

A_DEAD_BLOCK_COMES_BACK = """
    share alice 1/4 B1@100
    tip 105
        > B1: candidate -> dead
        =
    tip 106 B1@100
        > B1: dead -> immature
        = asset:coinbase_immature 1000000
        = income:pool_fee:immature -10000
        = liab:alice:immature -990000
"""

A_STALE_SHARE_IS_A_BLOCK = """
    share alice 1/4
    share bob 1/4 stale B1@100
    share carol 1/4
    tip 100 B1@100
        > B1: candidate -> immature
        = asset:coinbase_immature 1000000
        = income:pool_fee:immature -10000
        = liab:alice:immature -990000
"""

BOUGHT_SHARES_CREDIT_THE_RESERVE = """
    pps kz 0
    pplns alice 100
    share kz 1/2
    share alice 1/2 B1@100
    tip 100 B1@100
        > B1: candidate -> immature
        = asset:coinbase_immature 1000000
        = equity:pps_reserve:immature -500000
        = income:pool_fee:immature -5000
        = liab:alice:immature -495000
    job 1
        = asset:coinbase_immature 1000000
        = equity:pps_reserve 449999
        = equity:pps_reserve:immature -500000
        = income:pool_fee:immature -5000
        = liab:alice:immature -495000
        = liab:kz:available -449999
    tip 200
        > B1: immature -> mature
        = asset:wallet 1000000
        = equity:pps_reserve -50001
        = income:pool_fee -5000
        = liab:alice:available -495000
        = liab:kz:available -449999
"""

PAID_PER_SHARE_WHATEVER_BECOMES_OF_THE_BLOCK = """
    pps kz 0
    share kz 1/2 B1@100
    tip 100 B1@100
        > B1: candidate -> immature
    tip 105 B1@0
        > B1: immature -> orphaned
    job 1
        = equity:pps_reserve 449999
        = liab:kz:available -449999
"""

THE_WINDOW_HOLDS_TWO_BLOCKS = """
    pplns alice 0
    pplns bob 0
    share alice 1
    share alice 1
    share bob 1
    share bob 1/2 B1@100
    tip 100 B1@100
        > B1: candidate -> immature
        = asset:coinbase_immature 1000000
        = liab:alice:immature -250000
        = liab:bob:immature -750000
"""

FOUND_BEFORE_ANY_SHARE = """
    share alice 1/4 stale B1@100
    tip 100 B1@100
        > B1: candidate -> immature
        = asset:coinbase_immature 1000000
        = equity:pplns_startup:immature -1000000
    tip 200
        > B1: immature -> mature
        = asset:wallet 1000000
        = equity:pplns_startup -1000000
"""

START_UP_WITH_A_RESERVE = """
    pplns alice 100
    share alice 1/2 B1@100
    tip 100 B1@100
        > B1: candidate -> immature
        = asset:coinbase_immature 1000000
        = equity:pplns_startup:immature -750001
        = income:pool_fee:immature -2499
        = liab:alice:immature -247500
"""

STORIES = {name: story for name, story in globals().items() if isinstance(story, str) and name.isupper()}


@pytest.mark.parametrize("name", STORIES)
def test_the_story_goes_as_told(engine: Engine, name: str) -> None:
    rules = replace(RULES, startup=Startup.RESERVE) if name == "START_UP_WITH_A_RESERVE" else RULES
    play(Scene(engine, rules), STORIES[name])


def play(scene: Scene, story: str) -> None:
    for told in _chapters(story):
        what, *words = told[0].split()
        steps: list[str] = []
        if what in ("pplns", "pps"):
            scene.account(words[0], Scheme(what), int(words[1]))
        elif what == "share":
            _share(scene, *words)
        elif what == "job":
            scene.take(job(int(words[0])))
        else:
            assert what == "tip"
            moved = (word.split("@") for word in words[1:])
            steps = scene.reach(int(words[0]), **{name: int(height) for name, height in moved})
        assert steps == [line[2:] for line in told[1:] if line.startswith("> ")], told[0]
        books = [line[1:].strip() for line in told[1:] if line.startswith("=")]
        if books:
            balances = [f"{account} {amount}" for account, amount in scene.balances().items()]
            assert balances == [line for line in books if line], told[0]


def _chapters(story: str) -> list[list[str]]:
    """An action and what is expected after it."""
    chapters: list[list[str]] = []
    for line in filter(None, map(str.strip, story.splitlines())):
        if line[0] in ">=":
            chapters[-1].append(line)
        else:
            chapters.append([line])
    return chapters


def _share(scene: Scene, name: str, difficulty: str, *more: str) -> None:
    outcome, minute, block, height = Outcome.ACCEPTED, 0, None, 100
    for word in more:
        if "@" in word:
            block, _, at = word.partition("@")
            height = int(at)
        elif word.isdecimal():
            minute = int(word)
        else:
            outcome = Outcome[word.upper()]
    scene.take(share(name, difficulty, minute=minute, outcome=outcome, block=block, height=height))
