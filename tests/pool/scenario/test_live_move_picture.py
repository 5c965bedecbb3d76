"""pool.scenario.live_move_picture: it is SVG, and everybody is in it, in its place."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from msgspec.structs import replace

from pool.scenario.live_move_picture import COLOURS, RIGHT, WIDTH, picture
from pool.scenario.live_move_report import Traffic
from tests.pool.scenario.reports import block, report

SVG = "{http://www.w3.org/2000/svg}"


def drawn() -> ElementTree.Element:
    return ElementTree.fromstring(picture(report()))


def test_its_title_says_who_moved_and_on_which_chain() -> None:
    said = [each.text for each in drawn().iter(f"{SVG}text")]
    assert said[0] == "3 of 4 machines move from Sichuan to Kazakhstan, on regtest"


def test_each_machine_is_a_dot_and_who_stayed_a_ring() -> None:
    circles = list(drawn().iter(f"{SVG}circle"))
    titles = {circle.findtext(f"{SVG}title"): circle.get("fill") for circle in circles}
    assert titles == {
        "bit.sc-r01-01: arrived": COLOURS["kazakhstan"],
        "bit.sc-r01-02: straggler": "none",
        "bit.sc-r02-01: arrived": COLOURS["kazakhstan"],
        "bit.sc-r02-02: arrived": COLOURS["kazakhstan"],
    }


def test_who_arrived_later_stands_further_right() -> None:
    at = {circle.findtext(f"{SVG}title"): float(circle.get("cx", "")) for circle in drawn().iter(f"{SVG}circle")}
    arrived = [at[f"bit.{worker}: arrived"] for worker in ("sc-r01-01", "sc-r02-02", "sc-r02-01")]
    assert arrived == sorted(arrived)


def test_each_region_is_an_area_and_nothing_leaves_the_picture() -> None:
    areas = list(drawn().iter(f"{SVG}polygon"))
    assert [each.get("fill") for each in areas] == [COLOURS["sichuan"], COLOURS["kazakhstan"]]
    points = [float(value) for each in areas for pair in each.get("points", "").split() for value in pair.split(",")]
    assert min(points) >= 0
    assert max(points[::2]) <= WIDTH


def test_a_block_that_was_found_at_the_very_end_is_within_the_axes() -> None:
    found = replace(report(), blocks=(block("after", 10.9),))
    [marker] = ElementTree.fromstring(picture(found)).iter(f"{SVG}path")
    assert marker.get("d", "").startswith(f"M{WIDTH - RIGHT}.0 ")


@pytest.mark.parametrize("most", [1, 3, 40, 900])
def test_its_scale_holds_any_number_of_shares(most: int) -> None:
    found = replace(report(), traffic=Traffic(-2.0, 2.0, {"sichuan": [most, 0], "kazakhstan": [0, most]}))
    ys = [
        float(pair.split(",")[1])
        for each in ElementTree.fromstring(picture(found)).iter(f"{SVG}polygon")
        for pair in each.get("points", "").split()
    ]
    assert 88 <= min(ys) <= max(ys) == 278
