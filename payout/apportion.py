"""Split an integer exactly: the only way an amount of money is divided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar


class Ordered(Protocol):
    """What a key must know for a tie to have one answer."""

    def __lt__(self, other: Any, /) -> bool: ...


Key = TypeVar("Key", bound=Ordered)


def largest_remainder(total: int, weights: Mapping[Key, int]) -> dict[Key, int]:
    """Parts of total in proportion to the weights; they sum to total.

    Each key gets the floor of its share; the units still missing go one each to the largest remainders, ties to the
    smaller key, so a weight of 0 never gets one. Text keys compare as their UTF-8 bytes do: by code point.
    Raises ValueError if something is to be split among nothing. Source: Hamilton's method; docs/payouts.md 1.4.
    """
    if total < 0 or any(weight < 0 for weight in weights.values()):
        raise ValueError("neither the total nor a weight may be negative")
    whole = sum(weights.values())
    if whole == 0:
        if total:
            raise ValueError(f"{total} cannot be split among weights that sum to 0")
        return dict.fromkeys(weights, 0)
    parts = {key: total * weight // whole for key, weight in weights.items()}
    missing = total - sum(parts.values())
    # The remainders sum to missing * whole and each is below whole, so more than `missing` of them are not 0.
    by_remainder = sorted(weights, key=lambda key: (-(total * weights[key] % whole), key))
    for key in by_remainder[:missing]:
        parts[key] += 1
    return parts
