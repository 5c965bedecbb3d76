"""A report of a small move, for tests."""

from __future__ import annotations

from pool.scenario.acknowledged import Verdict
from pool.scenario.live_move_report import Arrival, Holding, PaidBlock, Party, Report, Traffic, waves_of

ARRIVALS = (
    Arrival("bit.sc-r01-01", "sc-r01", 0.0, 2.5, "arrived", is_deaf=False),
    Arrival("bit.sc-r01-02", "sc-r01", 0.0, None, "straggler", is_deaf=True),
    Arrival("bit.sc-r02-01", "sc-r02", 6.0, 9.0, "arrived", is_deaf=False),
    Arrival("bit.sc-r02-02", "sc-r02", 6.0, 7.0, "arrived", is_deaf=False),
)


def block(phase: str, found_s: float) -> PaidBlock:
    parties = Party("bit", "ganzi", 3_000), Party("ganzi", "ganzi", 900), Party("neighbour", "", 1_000)
    return PaidBlock(phase, 9, "00" * 31 + "0f", "bit.sc-r01-01", "sichuan", found_s, 5_000, 100, parties)


def report(**verdict: list[str]) -> Report:
    """verdict: what is lost, doubled or wrong."""
    said: dict[str, list[str]] = {"lost": [], "doubled": [], "wrong": [], **verdict}
    return Report(
        chain="regtest",
        machines=4,
        neighbours=1,
        seed=1,
        pace="50%/6s",
        notice="power off",
        lasted_s=9.0,
        arrived=3,
        stragglers={"sc-r01": ["bit.sc-r01-02"]},
        stayed_shares=14,
        waves=waves_of(ARRIVALS),
        traffic=Traffic(-2.0, 2.0, {"sichuan": [120, 100, 60, 20, 10, 6], "kazakhstan": [0, 8, 60, 100, 110, 130]}),
        verdict=Verdict(acknowledged=724, refused={"stale: a new block has come": 2}, unheard=1, **said),
        by_region={"sichuan": 316, "kazakhstan": 408},
        blocks_found=5,
        blocks_lost=1,
        blocks_after=100,
        blocks=(block("before", -1.5), block("after", 9.5)),
        holdings=(Holding("bit", 12_000, 3_000), Holding("neighbour", 4_000, 1_000)),
        fees=Holding("", 400, 100),
        wrong=(),
        arrivals=ARRIVALS,
    )
