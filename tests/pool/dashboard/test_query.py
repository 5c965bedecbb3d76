"""Parameters as values; their refusals are in test_api."""

from __future__ import annotations

import pytest

from pool.dashboard.answers import Refusal
from pool.dashboard.query import TABLE_PARAMETERS, Parameters, TableQuery, table_query


def parsed(**arguments: str) -> TableQuery:
    raw = {name.encode(): [value.encode()] for name, value in arguments.items()}
    return table_query(Parameters(raw, TABLE_PARAMETERS), ("login", "accepted"), "login")


def test_without_parameters_it_is_the_first_page_by_name() -> None:
    assert parsed() == TableQuery(search="", sort="login", descending=False, page=1, per_page=50)


def test_every_parameter_is_taken() -> None:
    asked = parsed(q="rack 7", sort="accepted", order="desc", page="3", per_page="20")
    assert asked == TableQuery(search="rack 7", sort="accepted", descending=True, page=3, per_page=20)


def test_the_third_page_begins_after_two() -> None:
    assert parsed(page="3", per_page="20").offset == 40


def test_a_leading_zero_is_still_a_number() -> None:
    assert parsed(page="007").page == 7


def test_a_refusal_lists_what_is_allowed() -> None:
    with pytest.raises(Refusal) as refused:
        parsed(sort="secret")
    assert refused.value.hint == "One of: login, accepted."
