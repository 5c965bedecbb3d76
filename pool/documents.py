"""Where the documentation is: in the checkout, or where the wheel has put it (see setup.py)."""

from __future__ import annotations

import sys
from pathlib import Path

_CHECKOUT = Path(__file__).parents[1]


def document(name: str) -> Path:
    """A file of docs/; in the checkout as one types it there."""
    if not (_CHECKOUT / "docs").is_dir():
        return Path(sys.prefix, "share", "doc", "steppe", "docs", name)
    return (Path() if Path.cwd() == _CHECKOUT else _CHECKOUT) / "docs" / name
