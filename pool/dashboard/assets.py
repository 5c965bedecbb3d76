"""The files of the page: a fixed table, read once, so that no path of a request ever reaches the file system.

They are built from `frontend/` (decision 0080) and lie in `static/`.
"""

from __future__ import annotations

from importlib.resources import files

from pool.dashboard.answers import HTML, Answer, etag

_FILES = {
    "/": ("index.html", HTML),
    "/static/app.js": ("app.js", "text/javascript; charset=utf-8"),
    "/static/app.css": ("app.css", "text/css; charset=utf-8"),
    "/static/icon.svg": ("icon.svg", "image/svg+xml"),
}


def assets() -> dict[str, Answer]:
    """Each path with its whole answer. Raises FileNotFoundError when the installation lacks a file."""
    folder = files("pool.dashboard") / "static"
    answers = {}
    for path, (name, content_type) in _FILES.items():
        body = (folder / name).read_bytes()
        answers[path] = Answer(200, content_type, body, etag(body))
    return answers
