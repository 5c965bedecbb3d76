"""One hash is paid once, however its numbers are written. Source: reliability of other pools: aliases in hex drained
several of them for years."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool.work.share import Outcome
from tests.stratum.scene import AUTHORIZE, CONFIGURE, NTIME, SUBSCRIBE, Pool, pool_with_job, request

EXTRANONCE2, NTIME_HEX, NONCE, BITS = "00000000000000ab", f"{NTIME:08x}", "0000abcd", "00002000"
FIELDS = ("extranonce2", "ntime", "nonce", "version bits")
VALUES = (EXTRANONCE2, NTIME_HEX, NONCE, BITS)

# Digits of other scripts that int() reads, and what else it or fromhex() forgives.
WIDE = str.maketrans(
    "0123456789abcdef",
    "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff41\uff42\uff43\uff44\uff45\uff46",
)
ARABIC = str.maketrans("0123456789", "\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669")


def aliases(value: str) -> list[str]:
    """Texts that some reader takes for the same number, and that are not it."""
    return [
        value.translate(WIDE),
        value.translate(ARABIC),
        "0x" + value,
        "0x" + value[2:],
        "+" + value,
        "+" + value[1:],
        "-" + value,
        " " + value,
        value + " ",
        " " + value[1:],
        value[:2] + " " + value[2:],
        value[:-3] + " " + value[-2:],
        value[0] + "_" + value[1:],
        value[0] + "_" + value[2:],
        value + "\n",
        value + "\x00",
        value + "h",
        value + "L",
        "0" + value,
        "00" + value,
        value + "00",
        "\ufeff" + value,
        "",
    ]


def sent(pool: Pool, params: list[list[str]]) -> list[Outcome]:
    miner = pool.connect(CONFIGURE, SUBSCRIBE, AUTHORIZE)
    for each in params:
        miner.send(request("mining.submit", ["alice.rig1", "a1", *each], 4))
    pool.turn()
    return pool.outcomes


@pytest.mark.parametrize("place", range(4), ids=FIELDS)
def test_no_alias_of_a_number_is_a_second_share(place: int) -> None:
    # Many bad shares end a session: some at a time.
    texts = aliases(VALUES[place])
    for first in range(0, len(texts), 5):
        params = [list(VALUES), *([*VALUES[:place], text, *VALUES[place + 1 :]] for text in texts[first : first + 5])]
        outcomes = sent(pool_with_job(), params)
        assert outcomes[0] is Outcome.ACCEPTED
        assert Outcome.ACCEPTED not in outcomes[1:]


@pytest.mark.parametrize("place", range(4), ids=FIELDS)
def test_what_may_be_written_in_two_ways_is_one_share(place: int) -> None:
    value = VALUES[place]
    ways = [value.upper()] if place == 0 else [value.upper(), value.lstrip("0"), value.lstrip("0").upper()]
    params = [list(VALUES), *([*VALUES[:place], way, *VALUES[place + 1 :]] for way in ways)]
    assert sent(pool_with_job(), params) == [Outcome.ACCEPTED] + [Outcome.DUPLICATE] * len(ways)


def test_no_version_bits_and_zero_are_one_share() -> None:
    params = [[*VALUES[:3]], [*VALUES[:3], "0"], [*VALUES[:3], "00000000"]]
    assert sent(pool_with_job(), params) == [Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.DUPLICATE]


def test_another_login_does_not_make_another_share() -> None:
    pool = pool_with_job()
    miner = pool.connect(SUBSCRIBE, AUTHORIZE, request("mining.authorize", ["bob", "x"], 3))
    for login in ("alice.rig1", "bob", "ALICE.rig1"):
        miner.send(request("mining.submit", [login, "a1", *VALUES[:3]], 4))
    pool.turn()
    assert pool.outcomes == [Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.UNAUTHORIZED]


@pytest.mark.parametrize("job_id", ["A1", " a1", "a1 ", "0a1", "a1\x00", "a1x", "a1x00000000", "\uff41\uff11"])
def test_no_alias_of_a_job_is_that_job(job_id: str) -> None:
    pool = pool_with_job()
    miner = pool.connect(SUBSCRIBE, AUTHORIZE)
    for each in ("a1", job_id):
        miner.send(request("mining.submit", ["alice.rig1", each, *VALUES[:3]], 4))
    pool.turn()
    assert pool.outcomes == [Outcome.ACCEPTED, Outcome.UNKNOWN_JOB]


_ANY = st.text(alphabet="0123456789abcdefABCDEF x+-_\uff11\u0661", max_size=20)


@given(st.lists(st.tuples(_ANY, _ANY, _ANY, _ANY), min_size=1, max_size=4))
def test_whatever_is_written_no_header_is_accepted_twice(params: list[tuple[str, str, str, str]]) -> None:
    pool = pool_with_job()
    sent(pool, [list(VALUES), *map(list, params)])
    accepted = [
        (share.extranonce1, share.extranonce2, share.version, share.ntime, share.nonce)
        for share in pool.shares
        if share.outcome is Outcome.ACCEPTED
    ]
    assert len(accepted) == len(set(accepted))
