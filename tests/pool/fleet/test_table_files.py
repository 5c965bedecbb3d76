"""pool.fleet.table_files and pool.fleet.cells."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from payout.contracts import parse_steps
from pool.fleet.checks import mistakes
from pool.fleet.facts import Fact, FleetRefused, says
from pool.fleet.kinds import KINDS, Contract, ContractKind, EventKind, Levy, SiteEvent
from pool.fleet.register import Entry, Register
from pool.fleet.table_files import export, read
from pool.fleet.times import parse_time, utc
from tests.pool.fleet.rows import ACCOUNTS, HOUR_MS, NOW_MS, entries, facts, register

WORDS = st.text(max_size=40).filter(lambda text: text.isprintable() and text == text.strip())
HOSTILE = st.sampled_from(
    ["=1+1", "'", "''", "+x", "@a", '"', 'a,"b"', "-5", "Ж", "<script>", "'; DROP TABLE site; --"]
)
SOURCES = WORDS | HOSTILE


def content(known: Register) -> dict[str, list[dict[str, Any]]]:
    """What a register says, but for the numbers of its slices."""
    said = {}
    for name, kind in KINDS.items():
        rows = [says(fact) for fact in known.known(kind) if not fact.is_withdrawn]
        for row in rows:
            row.pop("slice_id", None)
        said[name] = sorted(rows, key=str)
    return said


def whole(source: str, wording: str) -> list[Fact]:
    """A fleet in which people said this."""
    event = SiteEvent(
        site="almaty", kind=EventKind.CLOSURE, announced_ms=NOW_MS + 1, wording=wording, valid_from_ms=NOW_MS + HOUR_MS
    )
    levy = Levy(
        country="KZ", name="l", currency="KZT", per_kwh=Fraction(1, 3), price_to=Fraction(7), valid_from_ms=NOW_MS
    )
    return [replace(fact, source=source) for fact in (*facts(valid_to_ms=NOW_MS + 9 * HOUR_MS), event, levy)]


@given(SOURCES, SOURCES)
def test_what_is_exported_and_imported_is_the_same_and_so_is_what_that_exports(source: str, wording: str) -> None:
    known = Register()
    known.add(entries(whole(source, wording)), NOW_MS)
    files = export(known)
    told, wrong = read(files)
    assert wrong == []
    again = Register()
    assert mistakes(again, again.add(told, NOW_MS), ACCOUNTS, NOW_MS) == []
    assert content(again) == content(known)
    assert export(again) == files


@given(SOURCES)
def test_an_import_of_what_is_known_comes_to_nothing(source: str) -> None:
    known = Register()
    known.add(entries(whole(source, source)), NOW_MS)
    told, _ = read(export(known))
    assert known.add(told, NOW_MS + HOUR_MS * 99) == []


@given(SOURCES)
def test_no_cell_is_a_formula_to_a_spreadsheet(source: str) -> None:
    known = Register()
    known.add(entries(whole(source, source)), NOW_MS)
    for text in export(known).values():
        for line in text.splitlines():
            cell = line.rpartition(",")[2].lstrip('"')
            assert not cell.startswith(("=", "+", "-", "@"))


def test_an_edited_cell_is_a_correction_and_a_new_line_a_new_row() -> None:
    known = register()
    text = export(known)["capacity.csv"].replace("20000000", "30000000")
    text += "almaty,40000000,2022-01-01T00:00:00Z,,\n"
    told, _ = read({"capacity.csv": text})
    recorded = known.add(told, NOW_MS + 1)
    assert [(entry.place, entry.fact.replaces) for entry in recorded] == [
        ("capacity.csv line 2", 1),
        ("capacity.csv line 3", 2),
        ("capacity.csv line 3", None),
    ]


def wrong(text: str, file: str = "site.csv") -> list[str]:
    return [str(each) for each in read({file: text})[1]]


HEADER = "name,country,time_zone,host,region,valid_from,valid_to,source\n"


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ("a,KZ,Asia/Almaty,,,2021-06-19T09:00,,", "valid_from: time '2021-06-19T09:00' has no offset from UTC: add it"),
        ("a,KZ,Asia/Almaty,,,soon,,", "valid_from: time 'soon': write it as 2021-06-19T09:00+08:00"),
        ("a,KZ,Asia/Almaty,,,,,", "valid_from: it must be given"),
        ("a,kz,Asia/Almaty,,,2021-06-19T09:00Z,,", "country 'kz': two capital letters are needed"),
        ("a b,KZ,Asia/Almaty,,,2021-06-19T09:00Z,,", "name 'a b': 1 to 64 of letters"),
        ("a,KZ,Asia/Almaty", "it has 3 cells, the first line names 8"),
        ("a,KZ,Asia/Almaty,,,2021-06-19T09:00Z,2020-06-19T09:00Z,", "valid_to is before valid_from"),
        ('a,KZ,Asia/Almaty,"x\ny",,2021-06-19T09:00Z,,', "host: one line of at most 300 printable characters"),
        ("a,KZ,Asia/Almaty," + "x" * 2001 + ",,2021-06-19T09:00Z,,", "host has 2001 characters"),
    ],
)
def test_a_mistake_names_its_line_and_the_mend(line: str, mistake: str) -> None:
    good = "b,KZ,Asia/Almaty,,,2021-06-19T09:00+08:00,,\n"
    (found,) = wrong(HEADER + good + line + "\n")
    assert found.startswith(f"site.csv line {4 if chr(10) in line else 3}: {mistake}")


def test_all_mistakes_are_told_at_once() -> None:
    assert len(wrong(HEADER + "a,,,,,,,\nb,,,,,,,\n")) == 2


def test_wrong_columns_are_named() -> None:
    (found,) = wrong("name,land,country,country\n")
    assert found == (
        "site.csv line 1: the columns are wrong: it lacks 'time_zone', 'host', 'region', 'valid_from', 'valid_to', "
        "'source'; it does not know 'land'; it has twice 'country'. "
        "Write name,country,time_zone,host,region,valid_from,valid_to,source"
    )


def test_the_columns_may_come_in_any_order() -> None:
    text = "source,valid_to,valid_from,region,host,time_zone,country,name\n,,2021-06-19T09:00Z,,,Asia/Almaty,KZ,a\n"
    told, found = read({"site.csv": text})
    assert (len(told), found) == (1, [])


@pytest.mark.parametrize("text", ['"', 'a"b"\n"', "\0"])
def test_what_is_no_csv_is_refused(text: str) -> None:
    assert wrong(HEADER + text)


def test_another_file_is_refused() -> None:
    (found,) = wrong("", "sites.csv")
    assert found.startswith("sites.csv: there is no such kind; the files are model.csv, site.csv")


@pytest.mark.parametrize("number", ["1e9", "1e999999999", "1/0", "-1", "²", "x", "1_0"])
def test_a_price_is_an_exact_number(number: str) -> None:
    text = f"contract,party,currency,per_kwh,valid_from,valid_to,source\nc,host,USD,{number},2021-06-19T09:00Z,,\n"
    (found,) = wrong(text, "tariff.csv")
    assert "such as 2.5 or 5/2" in found


@given(st.integers(NOW_MS, NOW_MS + 10**12))
def test_a_time_in_words_is_the_same_time(time_ms: int) -> None:
    assert parse_time(utc(time_ms)) == time_ms


def test_a_time_has_its_offset() -> None:
    assert utc(parse_time("2021-06-19T09:00+08:00")) == "2021-06-19T01:00:00Z"
    with pytest.raises(FleetRefused, match="no offset"):
        parse_time("2021-06-19T09:00")


def test_steps_stand_in_one_cell() -> None:
    contract = Contract(
        name="jv",
        kind=ContractKind.JOINT_VENTURE,
        steps=parse_steps("net 450 host; share @owner 8000 partner 2000"),
        valid_from_ms=NOW_MS,
    )
    known = Register()
    known.add([Entry("x", contract)], NOW_MS)
    assert (
        "jv,joint_venture,net 450 host; share @owner 8000 partner 2000,,0,2021-06-18T07:06:40Z,,\n"
        in export(known)["contract.csv"]
    )
