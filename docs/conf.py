"""How Sphinx makes the pages of scripts/docs. Its source is the checkout: README.md is the first page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]

project = "Steppe"
html_theme = "alabaster"
html_theme_options = {"description": "A Bitcoin mining pool server for fleets that move", "page_width": "72rem"}
html_sidebars = {"**": ["about.html", "searchfield.html", "navigation.html"]}
html_copy_source = html_show_sphinx = False
root_doc = "README"
extensions = ["myst_parser"]
include_patterns = ["README.md", "CHANGELOG.md", "docs/**.md"]
exclude_patterns = [f"{each.name}/**" for each in ROOT.iterdir() if each.is_dir() and each.name != "docs"]
# As GitHub makes them.
myst_heading_anchors = 4
# The JSON of one page is a line that no highlighter takes for JSON; prose is checked by the tests.
suppress_warnings = ["misc.highlighting_failure"]

_PAGE = re.compile(r"\]\(((?:docs/)?[\w/-]+)\.md\)")


def add_contents(_app: Any, page: str, source: list[str]) -> None:
    """The list of pages for the sidebar: what README.md lists under "Read on", and all decisions."""
    if page == root_doc:
        _, _, listed = source[0].partition("## Read on")
        names = list(dict.fromkeys(_PAGE.findall(listed)))
        source[0] += "\n".join(["\n```{toctree}", ":hidden:", *(f"/{name}" for name in names), "```\n"])
    elif page == "docs/decisions/README":
        source[0] += "\n```{toctree}\n:glob:\n0*\n```\n"


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", add_contents)
