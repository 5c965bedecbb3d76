"""What the documentation says is what the code does, as far as a machine can tell."""

from __future__ import annotations

import ast
import hashlib
import itertools
import re
import shlex
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import click
import pytest
from msgspec import Struct

from payout.pps import PSAT, price, settle
from payout.rewards import Startup, split_reward, unit_score, window_capacity
from pool import config_words
from pool.bitcoin.target import share_work, target_from_nbits, work_from_target
from pool.cli import main
from pool.config import Config
from pool.dashboard.access import pages
from stratum import errors, limits
from tests.pool.dashboard.browser import complete
from tests.pool.dashboard.test_metrics import series
from tests.test_architecture import ARROWS, MODULES

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Decisions are kept as they were written.
LIVING_PAGES = [page for page in PAGES if page.parent.name != "decisions"]

LINE_CHARACTERS_MAX = 120
IMAGE_BYTES_MAX = 300_000

_INLINE_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")
_REFERENCE = re.compile(r"\[([^\]]+)\]\[([^\]]+)\]")
_DEFINITION = re.compile(r"^\[([^\]]+)\]: (\S+)$", re.MULTILINE)
_CODE = re.compile(r"`([^`]+)`")
_CITATION = re.compile(r"docs/([a-z]+)\.md((?:(?:,| and| to)? [0-9]\.[0-9])*)")
_OF_A_MACHINE = re.compile(r"(?<![\w.}])/(?:work|root|home|tmp|usr)/")
_OF_A_REGISTRY = re.compile(r"pypi|pythonhosted|(?:debian|ubuntu)\.(?:org|com|net)|docker\.io|ghcr\.io", re.IGNORECASE)


def name_of(page: Path) -> str:
    """A page's name for people."""
    return str(page.relative_to(ROOT))


each_page = pytest.mark.parametrize("page", PAGES, ids=name_of)
each_living_page = pytest.mark.parametrize("page", LIVING_PAGES, ids=name_of)


class Link(Struct, frozen=True):
    """A link of a page. file: what it leads to. anchor: a heading there, or empty."""

    text: str
    file: Path
    anchor: str


def outside_fences(page: Path) -> str:
    """The text of a page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def links(page: Path) -> Iterator[Link]:
    """Every link, those through a definition too."""
    text = outside_fences(page)
    targets = dict(_DEFINITION.findall(text))
    pairs = _INLINE_LINK.findall(text) + [(words, targets[name]) for words, name in _REFERENCE.findall(text)]
    for words, target in pairs:
        name, _, anchor = target.partition("#")
        yield Link(words.strip("`"), (page.parent / name).resolve() if name else page, anchor)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", outside_fences(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def code_of(page: Path) -> Iterator[str]:
    """What stands as code: spans within the text, and the lines of blocks."""
    yield from _CODE.findall(outside_fences(page))
    for block in re.findall(r"^```.*?\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
        yield from block.splitlines()


def table(page: str, *header: str) -> list[list[str]]:
    """The rows of every table with this header, as plain text: no backticks, no asterisks."""
    rows, inside = [], False
    for line in (ROOT / "docs" / page).read_text().splitlines():
        cells = [cell.strip().replace("`", "").replace("*", "") for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells == list(header):
            inside = True
        elif inside and set("".join(cells)) - set("- "):
            rows.append(cells)
    return rows


class TestPages:
    @each_page
    def test_every_link_leads_to_something(self, page: Path) -> None:
        for link in links(page):
            assert link.file.exists(), link
            assert not link.anchor or link.anchor in anchors(link.file), link

    @each_page
    def test_a_link_named_like_a_test_leads_to_that_test(self, page: Path) -> None:
        for link in links(page):
            assert not link.text.startswith("test_") or f"def {link.text}(" in link.file.read_text(), link

    @each_living_page
    def test_no_prose_is_wider_than_the_code(self, page: Path) -> None:
        lines = outside_fences(page).splitlines()
        assert not [line for line in lines if len(line) > LINE_CHARACTERS_MAX and not line.startswith("|")]

    @each_page
    def test_nothing_is_of_one_machine_or_registry(self, page: Path) -> None:
        text = page.read_text()
        assert not _OF_A_MACHINE.search(text)
        assert not _OF_A_REGISTRY.search(text)

    @each_page
    def test_every_command_can_be_typed(self, page: Path) -> None:
        for command in filter(None, map(command_in, code_of(page))):
            parse(command)

    @each_page
    def test_every_file_that_it_names_is_there(self, page: Path) -> None:
        for code in code_of(page):
            if re.fullmatch(r"(?:pool|stratum|payout|native|tests|scripts|docker|docs)/[\w./*-]*", code):
                assert list(ROOT.glob(code)), code

    @each_page
    def test_a_dotted_name_is_an_option_or_a_module(self, page: Path) -> None:
        options = {f"{name}.{key}" for name, section in sections().items() for key in section}
        postings = {f"payout.{kind}" for kind in ("reserved", "confirmed", "cancelled", "unconfirmed", "released")}
        for code in code_of(page):
            if re.fullmatch(rf"(?:{'|'.join(sections())}|payout|native)\.[a-z_.]+", code):
                assert code in options | MODULES.keys() | postings, code

    def test_images_are_small(self) -> None:
        images = [*(ROOT / "docs" / "images").iterdir()]
        assert images
        assert all(image.stat().st_size < IMAGE_BYTES_MAX for image in images)

    def test_every_page_can_be_reached_from_the_readme(self) -> None:
        reached, fresh = set[Path](), {ROOT / "README.md"}
        while fresh:
            reached |= fresh
            fresh = {link.file for page in fresh for link in links(page) if link.file.suffix == ".md"} - reached
        assert set(LIVING_PAGES) <= reached


def command_in(code: str) -> list[str] | None:
    """The words behind `steppe` in a line that runs it, or None."""
    words = shlex.split(code, comments=True) if re.match(r"(?:\.venv/bin/)?steppe |scripts/demo ", code) else []
    words = list(itertools.takewhile(lambda word: not re.match(r"\d?>|[|&]", word), words))
    return ["demo", *words[1:]] if words[:1] == ["scripts/demo"] else words[1:] or None


def parse(words: list[str]) -> None:
    """Raises if there is no such command, option or argument. Words in capitals stand for something."""
    command: click.Command = main
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        command, words = command.commands[words[0]], words[1:]
    options, left, _ = command.make_parser(click.Context(command)).parse_args(list(words))
    assert not left, words
    for parameter in command.params:
        value = options.get(parameter.name or "")
        if isinstance(parameter.type, click.Choice) and isinstance(value, str) and not value.isupper():
            assert value in parameter.type.choices, words


def sections() -> dict[str, set[str]]:
    """The keys of each section of a configuration, as its page has them."""
    page, found = config_words.page(), dict[str, set[str]]()
    for part in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        found[re.findall(r"\w+", part)[0]] = set(re.findall(r"^\| `(\w+)`", part, re.MULTILINE))
    return found


class TestConfiguration:
    def test_the_page_is_what_scripts_docs_would_write(self) -> None:
        assert (ROOT / "docs" / "configuration.md").read_text() == config_words.page(), "run scripts/docs"

    def test_so_is_the_page_of_the_api(self) -> None:
        assert (ROOT / "docs" / "api.md").read_text() == pages.page(), "run scripts/docs"

    def test_it_has_every_section(self) -> None:
        assert tuple(sections()) == Config.__struct_fields__


def events_by_level() -> dict[str, set[str]]:
    """The functions of pool.events, and of the modules of that name beside it, by the level they log at."""
    levels: dict[str, set[str]] = {}
    words = {"CRITICAL": "critical", "ERROR": "error", "WARNING": "warn", "INFO": "info"}
    modules = [path for name, path in MODULES.items() if name.startswith("pool.") and name.endswith("events")]
    for node in (node for path in modules for node in ast.parse(path.read_text()).body):
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            [level] = {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and each.id in words}
            levels.setdefault(words[level], set()).add(node.name)
    return levels


class TestOperating:
    def test_every_event_stands_under_its_level(self) -> None:
        text = (ROOT / "docs" / "operating.md").read_text()
        parts = re.findall(r"^#### (\w+)\n(.*?)(?=^#)", text, re.MULTILINE | re.DOTALL)
        documented = {level: set(re.findall(r"^\| `(\w+)`", part, re.MULTILINE)) for level, part in parts}
        assert documented == events_by_level()

    def test_every_series_of_the_metrics_is_named(self) -> None:
        named = {word for row in table("operating.md", "series", "what") for word in re.findall(r"\w+", row[0])}
        assert named == {name for name, _ in series(complete())}


class TestStratum:
    def test_every_error_is_there_with_its_code_text_and_reason(self) -> None:
        classes = [each for each in vars(errors).values() if isinstance(each, type)]
        found = [each for each in classes if issubclass(each, errors.StratumError) and "reason" in vars(each)]
        rows = [[str(each.code), each.text, each.reason] for each in found]
        assert sorted(table("stratum.md", "code", "text", "counted as")) == sorted(rows)

    def test_every_limit_is_there_with_its_value(self) -> None:
        found = {name: value for name, value in vars(limits).items() if name.isupper()}
        rows = table("stratum.md", "limit", "value", "of")
        assert {name: value for name, value, _ in rows} == {name: str(value) for name, value in found.items()}

    def test_every_reason_of_a_close_is_there(self) -> None:
        rows = table("stratum.md", "reason", "what happened")
        assert [reason for reason, _ in rows] == list(limits.CloseReason)

    def test_the_statements_of_conformance_are_numbered_through(self) -> None:
        _, _, text = (ROOT / "docs" / "stratum.md").read_text().partition("## Conformance")
        numbers = [int(number) for number in re.findall(r"^([0-9]+)\. ", text, re.MULTILINE)]
        assert numbers == list(range(1, 61))

    def test_each_of_them_names_its_tests_or_says_what_is_missing(self) -> None:
        _, _, text = (ROOT / "docs" / "stratum.md").read_text().partition("## Conformance")
        statements = re.split(r"^[0-9]+\. ", text, flags=re.MULTILINE)[1:]
        assert all(re.search(r"Proof:\s+\[`test_|not\s+yet|\syet\.", each) for each in statements)


class TestArchitecture:
    def test_the_arrows_are_those_that_are_tested(self) -> None:
        rows = table("architecture.md", "module, and what is below it", "may import")
        documented = {module: set(re.findall(r"[\w.]+", allowed)) for module, allowed in rows}
        assert documented == {module: set(allowed) - {module} for module, allowed in ARROWS.items()}


class TestPayouts:
    """The worked examples of docs/payouts.md 2, by the rules themselves."""

    WORK = work_from_target(target_from_nbits(0x1E0377AE))
    SHARE = share_work(0.0001, 0x1E0377AE)
    UNITS = unit_score(SHARE, WORK)
    REWARD_SAT = 5_000_000_000

    def examples(self) -> tuple[list[list[str]], list[list[str]]]:
        rows = table("payouts.md", "stake", "shares", "exact part", "gross sat", "fee sat", "net sat")
        return rows[:2], rows[2:]

    def split(self, alice: int, bob: int) -> list[list[str]]:
        capacity = window_capacity(Fraction(8))
        weights = {"alice, PPLNS": alice, "bob, PPS": bob}
        fees_bps = {"alice, PPLNS": 100, "bob, PPS": 0}
        divided = split_reward(self.REWARD_SAT, weights, fees_bps, capacity, Startup.DISTRIBUTE)
        return [
            [
                credit.key,
                f"{credit.weight / self.UNITS:.2f}".removesuffix(".00"),
                f"{self.REWARD_SAT * credit.weight / (alice + bob):,.2f}",
                *(f"{amount_sat:,}" for amount_sat in (credit.gross_sat, credit.fee_sat, credit.net_sat)),
            ]
            for credit in divided.credits
        ]

    def test_the_numbers_of_the_chain(self) -> None:
        text = " ".join((ROOT / "docs" / "payouts.md").read_text().split())
        assert f"`W` = {self.WORK:,} hashes. A share has `w` = {self.SHARE:,}, so `u` = {self.UNITS:,} units" in text

    def test_the_first_block(self) -> None:
        assert self.examples()[0] == self.split(11 * self.UNITS, 4 * self.UNITS)

    def test_a_full_window(self) -> None:
        whole = 38 * self.UNITS
        assert self.examples()[1] == self.split(whole, window_capacity(Fraction(8)) - whole)

    def test_pay_per_share(self) -> None:
        each_psat = price(self.SHARE, self.WORK, self.REWARD_SAT, 200).net_psat
        carry_psat, rows = 0, []
        for period, shares in (("1", 17), ("2", 109)):
            earned_psat = shares * each_psat
            posted_sat, rest_psat = settle(carry_psat + earned_psat)
            amounts = (earned_psat, carry_psat + earned_psat, posted_sat * PSAT, rest_psat)
            earned, due, posted, carried = (f"{psat // PSAT:,}.{psat % PSAT:012}" for psat in amounts)
            rows.append([period, str(shares), earned, due, posted.removesuffix("." + "0" * 12), carried])
            carry_psat = rest_psat
        assert table("payouts.md", "period", "shares", "earned sat", "with the carry", "posted sat", "carried") == rows

    def test_the_hash_of_the_first_row(self) -> None:
        text = (ROOT / "docs" / "payouts.md").read_text()
        [canonical] = re.findall(r"^```json\n(.*)\n```$", text, re.MULTILINE)
        assert f"`{hashlib.sha256(bytes(32) + canonical.encode()).hexdigest()}`" in text

    def test_its_columns_sum_to_0(self) -> None:
        rows = table("payouts.md", "account", "block:00000224...:immature", "block:00000224...:mature")
        amounts = [[int(cell.replace(",", "") or "0") for cell in row[1:]] for row in rows]
        assert [sum(column) for column in zip(*amounts, strict=True)] == [0, 0]


def test_every_citation_of_the_documentation_leads_to_a_section() -> None:
    for source in [*ROOT.glob("payout/**/*.py"), *ROOT.glob("pool/**/*.py"), *ROOT.glob("[nst]*/**/*.py")]:
        for page, numbers in _CITATION.findall(source.read_text()):
            cited = ROOT / "docs" / f"{page}.md"
            assert cited.exists(), f"{source} cites {cited}"
            for number in re.findall(r"[0-9]\.[0-9]", numbers):
                heading = rf"^### {re.escape(number)} "
                assert re.search(heading, cited.read_text(), re.MULTILINE), f"{source} cites {cited} {number}"
