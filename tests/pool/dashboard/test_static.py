"""The files of the page: complete, self-contained, and without any way for a name to become markup."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import pool.dashboard
from pool.dashboard.static import static_answers

ANSWERS = static_answers()
TEXTS = {path: answer.body.decode() for path, answer in ANSWERS.items()}
SCRIPTS = [path for path in TEXTS if path.endswith(".js")]


def test_the_table_has_every_file_of_the_folder() -> None:
    (folder,) = pool.dashboard.__path__
    files = [path for path in Path(folder).iterdir() if path.suffix in (".html", ".css", ".js", ".svg")]
    assert len(ANSWERS) == len(files)


def test_whatever_the_page_and_its_scripts_refer_to_is_in_the_table() -> None:
    wanted = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', TEXTS["/"]))
    for script in SCRIPTS:
        wanted |= {f"/static/{name}" for name in re.findall(r'from "\./([^"]+)"', TEXTS[script])}
    assert wanted <= set(ANSWERS)


@pytest.mark.parametrize("path", TEXTS)
def test_nothing_comes_from_elsewhere(path: str) -> None:
    elsewhere = re.findall(r"(?:https?:)?//[a-z0-9][a-z0-9.-]*\.[a-z]{2,}", TEXTS[path])
    assert [address for address in elsewhere if "www.w3.org" not in address] == []


def test_the_page_has_no_inline_script_style_or_handler() -> None:
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", TEXTS["/"]) == []


@pytest.mark.parametrize("path", SCRIPTS)
def test_no_script_turns_text_into_markup_or_code(path: str) -> None:
    markup = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser"
    code = r"\beval\b|new Function"
    assert re.findall(f"{markup}|{code}", TEXTS[path]) == []


@pytest.mark.parametrize("path", SCRIPTS)
def test_every_element_that_a_script_looks_for_is_on_the_page(path: str) -> None:
    ids = set(re.findall(r'\bid="([^"]+)"', TEXTS["/"]))
    assert set(re.findall(r'byId\("([^"]+)"\)', TEXTS[path])) <= ids


def test_each_type_is_stated_so_that_no_browser_guesses() -> None:
    kinds = {path.rpartition(".")[2]: answer.content_type for path, answer in ANSWERS.items()}
    assert kinds == {
        "/": "text/html; charset=utf-8",
        "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8",
        "svg": "image/svg+xml",
    }
