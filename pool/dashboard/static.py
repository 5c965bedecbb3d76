"""The files of the page: a fixed table, read once, so that no path of a request ever reaches the file system."""

from __future__ import annotations

from importlib.resources import files

from pool.dashboard.answers import Answer, etag

_HTML = "text/html; charset=utf-8"
_CSS = "text/css; charset=utf-8"
_SCRIPT = "text/javascript; charset=utf-8"

_STYLES = ("overview.css", "page.css", "tables.css")
_SCRIPTS = ("detail.js", "dom.js", "format.js", "overview.js", "page.js", "source.js", "table.js")

_FILES = {
    "/": ("page.html", _HTML),
    **{f"/static/{name}": (name, _CSS) for name in _STYLES},
    **{f"/static/{name}": (name, _SCRIPT) for name in _SCRIPTS},
    "/static/icon.svg": ("icon.svg", "image/svg+xml"),
}


def static_answers() -> dict[str, Answer]:
    """Each path with its whole answer. Raises FileNotFoundError when the installation lacks a file."""
    folder = files("pool.dashboard")
    answers = {}
    for path, (name, content_type) in _FILES.items():
        body = (folder / name).read_bytes()
        answers[path] = Answer(200, content_type, body, etag(body))
    return answers
