"""Which rack a machine stands in, by its name; and an order of machines that stays."""

from __future__ import annotations

import re

RACK_RULE = r"(.+)-[^-]+"
"""Of the worker name, what stands before the last dash: `kz1-r07-0113` is machine 0113 of rack `kz1-r07`."""

_DIGITS = re.compile(r"([0-9]+)")


class BadRackRule(ValueError):
    """It is no rule. The text says why."""


def check_rule(rule: str) -> str:
    """A rule that can be used: a regular expression for the whole worker name, whose first group is the rack. Raises
    BadRackRule."""
    try:
        groups = re.compile(rule).groups
    except re.error as error:
        raise BadRackRule(f"the rack rule {rule!r} is no regular expression: {error}") from error
    if groups < 1:
        raise BadRackRule(
            f"the rack rule {rule!r} has no group: put what names the rack in parentheses, as {RACK_RULE}"
        )
    return rule


def rack_of(login: str, rule: str = RACK_RULE) -> str:
    """The rack of a machine; empty if its name says none."""
    _, _, worker = login.partition(".")
    match = re.fullmatch(rule, worker)
    return match[1] or "" if match else ""


def in_order(login: str, rule: str = RACK_RULE) -> tuple[object, ...]:
    """A key to sort machines by rack, then by name, numbers as numbers: `r2` stands before `r10`."""
    return _natural(rack_of(login, rule)), _natural(login)


def _natural(text: str) -> tuple[tuple[int, int, str], ...]:
    parts = _DIGITS.split(text)
    return tuple((1, int(part), part) if part.isdecimal() else (0, 0, part) for part in parts)
