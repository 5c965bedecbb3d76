"""The files of the page: complete, self-contained, and without any way for a name to become markup."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import pool.dashboard
from pool.dashboard.assets import assets

ANSWERS = assets()
TEXTS = {path: answer.body.decode() for path, answer in ANSWERS.items()}
(FOLDER,) = pool.dashboard.__path__
SOURCES = sorted(Path(FOLDER, "frontend", "src").rglob("*.ts*"))


def test_the_table_has_every_file_that_was_built() -> None:
    assert len(ANSWERS) == len(list(Path(FOLDER, "static").iterdir()))


def test_whatever_the_page_refers_to_is_in_the_table() -> None:
    wanted = set(re.findall(r'(?:href|src)="(/[^"]+)"', TEXTS["/"]))
    assert wanted <= set(ANSWERS)
    assert "url(" not in TEXTS["/static/app.css"]


@pytest.mark.parametrize("path", TEXTS)
def test_nothing_comes_from_elsewhere(path: str) -> None:
    text = re.sub(r"/\*!.*?\*/", "", TEXTS[path])  # licences name their projects
    elsewhere = re.findall(r"(?:https?:)?//[a-z0-9][a-z0-9.-]*\.[a-z]{2,}", text)
    assert [address for address in elsewhere if "www.w3.org" not in address] == []


def test_the_page_has_no_inline_script_style_or_handler() -> None:
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", TEXTS["/"]) == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_no_source_turns_text_into_markup_or_code(source: Path) -> None:
    markup = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser"
    code = r"\beval\b|new Function"
    assert re.findall(f"{markup}|{code}", source.read_text()) == []


def test_each_type_is_stated_so_that_no_browser_guesses() -> None:
    kinds = {path.rpartition(".")[2]: answer.content_type for path, answer in ANSWERS.items()}
    assert kinds == {
        "/": "text/html; charset=utf-8",
        "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8",
        "svg": "image/svg+xml",
    }
