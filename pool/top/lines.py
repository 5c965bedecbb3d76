"""Lines of styled text, and how items are laid out in them."""

from __future__ import annotations

import enum
import textwrap
from collections.abc import Iterable, Sequence

from msgspec import Struct

from pool.top.words import clean, cut

LABEL_WIDTH = 9


class Style(enum.Enum):
    """How a piece of text stands out where the terminal can show it. Nothing is said by a style alone."""

    PLAIN = "plain"
    QUIET = "quiet"
    STRONG = "strong"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    BAR = "bar"


class Piece(Struct, frozen=True):
    """Text in one style."""

    text: str
    style: Style = Style.PLAIN


Line = tuple[Piece, ...]


def text_of(line: Line) -> str:
    """Without its styles."""
    return "".join(piece.text for piece in line)


def flow(label: str, items: Iterable[Piece | str], width: int) -> list[Line]:
    """Items behind a label, two spaces between them; those that do not fit go on in further lines."""
    lines: list[list[Piece]] = [[Piece(f"{label:<{LABEL_WIDTH}}"[:LABEL_WIDTH], Style.QUIET)]]
    room = max(width - LABEL_WIDTH, 1)
    used = 0
    for item in items:
        piece = Piece(item) if isinstance(item, str) else item
        text = cut(clean(piece.text), room)
        gap = 2 if used else 0
        if used and used + gap + len(text) > room:
            lines.append([Piece(" " * LABEL_WIDTH)])
            used = gap = 0
        if gap:
            lines[-1].append(Piece("  "))
        lines[-1].append(Piece(text, piece.style))
        used += gap + len(text)
    return [tuple(line) for line in lines]


def wrapped(text: str, width: int, style: Style, indent: str = "") -> list[Line]:
    """A sentence over as many lines as it needs; the further ones, or all but the first, indented."""
    found = textwrap.wrap(clean(text), max(width, 12), subsequent_indent=indent, break_on_hyphens=False)
    return [(Piece(line[:width], style),) for line in found]


def columns(cells: Sequence[str], widths: Sequence[int], style: Style = Style.PLAIN) -> Line:
    """A row of a table: the first column to the left, the others to the right."""
    texts = [cut(clean(cell), width) for cell, width in zip(cells, widths, strict=True)]
    first, *rest = texts
    aligned = [f"{first:<{widths[0]}}", *(f"{text:>{width}}" for text, width in zip(rest, widths[1:], strict=True))]
    return (Piece(" ".join(aligned), style),)


def fitted(line: Line, width: int) -> Line:
    """The part of a line that fits."""
    found: list[Piece] = []
    for piece in line:
        text = clean(piece.text)[:width]
        width -= len(text)
        if text:
            found.append(Piece(text, piece.style))
    return tuple(found)
