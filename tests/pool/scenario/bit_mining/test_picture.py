"""The picture is whole, and shows what it is given."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from pool.scenario.bit_mining.case import EPOCHS, PLACES
from pool.scenario.bit_mining.figures import Shown, shown
from pool.scenario.bit_mining.picture import HEIGHT, WIDTH, picture
from tests.pool.scenario.bit_mining.small import Small

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def drawn(played: Small) -> Shown:
    return shown(played.played, played.hours, played.table, played.pplns, played.pps)


@pytest.fixture
def root(drawn: Shown) -> ElementTree.Element:
    return ElementTree.fromstring(picture(drawn))


def texts(root: ElementTree.Element) -> list[str]:
    return [each.text or "" for each in root.iter(f"{SVG}text")]


def test_each_site_has_an_area_and_a_name(root: ElementTree.Element) -> None:
    assert len(list(root.iter(f"{SVG}polygon"))) == len(PLACES)
    assert {place.title for place in PLACES} <= set(texts(root))


def test_each_difficulty_is_named(root: ElementTree.Element) -> None:
    wanted = {f"{epoch.difficulty / 1e12:.2f} T" for epoch in EPOCHS[1:-1]}
    assert wanted <= set(texts(root))


def test_each_date_of_the_move_is_named(root: ElementTree.Element) -> None:
    wanted = {"19 June, 1:00", "27 June", "1 July", "21 July", "28 July", "10 August", "14 August"}
    assert wanted <= set(texts(root))


def test_each_block_has_a_bar_for_each_site_it_pays(root: ElementTree.Element, drawn: Shown) -> None:
    bars = [title.text or "" for title in root.iter(f"{SVG}title") if (title.text or "").startswith("block ")]
    sites = {
        (block.height, drawn.sites[each.slice_id]) for block in drawn.blocks for each in block.slices if each.slice_id
    }
    assert len(bars) == len(sites)


def test_nothing_lies_outside(root: ElementTree.Element) -> None:
    for each in root.iter():
        for name, most in (("x", WIDTH), ("x1", WIDTH), ("x2", WIDTH), ("y", HEIGHT), ("y1", HEIGHT), ("y2", HEIGHT)):
            assert 0 <= float(each.get(name, 0)) <= most


def test_both_ways_of_paying_have_a_line_that_ends_with_its_sum(root: ElementTree.Element, drawn: Shown) -> None:
    assert {f"{points[-1][1] / 1e8:.2f} BTC" for points in (drawn.pplns, drawn.pps)} <= set(texts(root))
