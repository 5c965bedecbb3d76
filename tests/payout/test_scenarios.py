"""The life of blocks and their money, told line by line, on both databases (docs/payouts.md 3.4).

pplns NAME FEE, pps NAME FEE      open an account; the fee in basis points; likewise fpps, pps_plus, solo
plan NAME SCHEME FEE MINUTE       change its plan from a minute on
stop HEIGHT, resume HEIGHT        nothing is paid per share for jobs from a height on, or again
day FEES ...                      the day is over, and the blocks of the network had these fees (the subsidy is 900000)
share NAME DIFFICULTY [MINUTE] [HEIGHT] [OUTCOME] [BLOCK@HEIGHT]    of the block's difficulty; heights from 100 on
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

UNDER_SOLO_THE_FINDER_TAKES_ALL = """
    solo so 150
    pplns alice 100
    share alice 1/4
    share so 1/4
    share so 1/4 B1@100
    share alice 1/4 B2@101
    tip 101 B1@100 B2@101
        > B1: candidate -> immature
        > B2: candidate -> immature
        = asset:coinbase_immature 2000000
        = income:pool_fee:immature -25000
        = liab:alice:immature -990000
        = liab:so:immature -985000
    tip 107 B1@0
        > B1: immature -> orphaned
        = asset:coinbase_immature 1000000
        = income:pool_fee:immature -10000
        = liab:alice:immature -990000
"""

SHARES_UNDER_SOLO_PUSH_NOBODY_OUT_OF_THE_WINDOW = """
    solo so 0
    pplns alice 0
    pplns bob 0
    share alice 1
    share so 1
    share so 1
    share bob 1 B1@100
    tip 100 B1@100
        > B1: candidate -> immature
        = asset:coinbase_immature 1000000
        = liab:alice:immature -500000
        = liab:bob:immature -500000
"""

A_STALE_BLOCK_UNDER_SOLO_IS_ITS_FINDERS = """
    solo so 100
    share so 1/4 stale B1@100
    tip 100 B1@100
        > B1: candidate -> immature
        = asset:coinbase_immature 1000000
        = income:pool_fee:immature -10000
        = liab:so:immature -990000
"""

UNDER_PPS_PLUS_THE_FEES_OF_BLOCKS_ARE_THE_MINERS = """
    pps_plus kz 1000
    pplns alice 0
    share kz 1/2
    share alice 1/2 B1@100
    tip 100 B1@100
        > B1: candidate -> immature
        = asset:coinbase_immature 1000000
        = equity:pps_reserve:immature -450000
        = liab:alice:immature -500000
        = liab:kz:immature -50000
    job 1
    tip 200
        > B1: immature -> mature
        = asset:wallet 1000000
        = equity:pps_reserve -45001
        = liab:alice:available -500000
        = liab:kz:available -454999
"""

A_DAY_OF_FPPS = """
    fpps kz 1000
    share kz 1/2
    share kz 1/2
    job 1
        = equity:pps_reserve 809999
        = liab:kz:available -809999
    day 0 0 0 90000 90000 500000 600000 8000000
        = equity:pps_reserve 890998
        = liab:kz:available -890998
    day 0
        = equity:pps_reserve 890998
        = liab:kz:available -890998
"""

A_CHANGE_OF_PLAN_TOUCHES_NOTHING_THAT_WAS_EARNED = """
    pps kz 0
    plan kz pplns 100 1
    share kz 1/2
    share kz 1/2 1 B1@100
    tip 100 B1@100
        > B1: candidate -> immature
        = asset:coinbase_immature 1000000
        = equity:pps_reserve 449999
        = equity:pps_reserve:immature -500000
        = income:pool_fee:immature -5000
        = liab:kz:available -449999
        = liab:kz:immature -495000
"""

PAY_PER_SHARE_STOPS_AND_GOES_ON_BY_JOBS = """
    pps kz 0
    share kz 1/4
    stop 102
    share kz 1/4 101
    share kz 1/2 102 B1@102
    resume 103
    share kz 1/4 103
    tip 102 B1@102
        > B1: candidate -> immature
    job 1
        = asset:coinbase_immature 1000000
        = equity:pps_reserve 674999
        = equity:pps_reserve:immature -500000
        = liab:kz:available -674999
        = liab:kz:immature -500000
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
        if what in set(Scheme):
            scene.account(words[0], Scheme(what), int(words[1]))
        elif what == "plan":
            scene.change_plan(words[0], Scheme(words[1]), int(words[2]), int(words[3]))
        elif what in ("stop", "resume"):
            scene.decide(int(words[0]), is_stopped=what == "stop")
        elif what == "day":
            scene.end_day([int(word) for word in words])
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
        elif word.isdecimal() and int(word) >= 100:
            height = int(word)
        elif word.isdecimal():
            minute = int(word)
        else:
            outcome = Outcome[word.upper()]
    scene.take(share(name, difficulty, minute=minute, outcome=outcome, block=block, height=height))
