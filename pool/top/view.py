"""What the operator wants to see, and what each key changes in it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from pool.dashboard.query import SEARCH_CHARACTERS_MAX

PAGE_MAX: Final = 10_000


class Pane(enum.Enum):
    """What the lower part shows."""

    WORKERS = "workers"
    SITES = "sites"
    ALARMS = "alarms"


SORTS: Final[Mapping[str, str]] = {
    "hashrate": "hashrate_5m",
    "rejects": "reject_rate",
    "last": "last_share",
    "name": "login",
}
"""By what the table can be sorted, and what the page calls that. The most comes first; names as people count."""

_KEYS: Final[Mapping[str, str]] = {"h": "hashrate", "r": "rejects", "l": "last", "n": "name"}
_PANES: Final[Mapping[str, Pane]] = {"w": Pane.WORKERS, "s": Pane.SITES, "a": Pane.ALARMS}


class View(Struct, frozen=True):
    """sort: one of SORTS. search: words that a login must have. page: from 1. is_typing: keys are written into the
    search."""

    pane: Pane = Pane.WORKERS
    sort: str = "hashrate"
    is_reversed: bool = False
    search: str = ""
    page: int = 1
    is_typing: bool = False

    @property
    def is_descending(self) -> bool:
        return (self.sort != "name") is not self.is_reversed


def press(view: View, key: str) -> View | None:
    """The view after a key: a character, or one of enter, escape, backspace, up, down, page_up, page_down, home. None:
    the operator is done. Keys that mean nothing change nothing."""
    if view.is_typing:
        return _typed(view, key)
    if key in ("q", "Q"):
        return None
    if key in _KEYS:
        sort = _KEYS[key]
        return replace(view, sort=sort, is_reversed=sort == view.sort and not view.is_reversed, page=1)
    if key in _PANES:
        return replace(view, pane=_PANES[key], page=1)
    match key:
        case "/":
            return replace(view, pane=Pane.WORKERS, is_typing=True)
        case "escape":
            return replace(view, search="", page=1)
        case "down" | "page_down" | " ":
            return replace(view, page=min(view.page + 1, PAGE_MAX))
        case "up" | "page_up":
            return replace(view, page=max(view.page - 1, 1))
        case "home":
            return replace(view, page=1)
    return view


def _typed(view: View, key: str) -> View:
    match key:
        case "enter":
            return replace(view, is_typing=False)
        case "escape":
            return replace(view, is_typing=False, search="", page=1)
        case "backspace":
            return replace(view, search=view.search[:-1], page=1)
    if len(key) == 1 and " " <= key <= "~" and len(view.search) < SEARCH_CHARACTERS_MAX:
        return replace(view, search=view.search + key, page=1)
    return view
