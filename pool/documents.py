"""Where the documentation is: in the checkout, or where the wheel has put it (see setup.py)."""

from __future__ import annotations

import sys
from pathlib import Path

_CHECKOUT = Path(__file__).parents[1]


def document(name: str) -> Path:
    """A file of docs/, as short as it can be typed here."""
    top = _CHECKOUT if (_CHECKOUT / "docs").is_dir() else Path(sys.prefix, "share", "doc", "steppe")
    found, here = top / "docs" / name, Path.cwd()
    return found.relative_to(here) if found.is_relative_to(here) else found
