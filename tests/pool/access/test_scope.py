"""pool.access.scope."""

from __future__ import annotations

import pytest

from pool.access.scope import POOL, AccessRefused, Scope, parse_scope


@pytest.mark.parametrize("text", ["pool", "account:alice", "site:ganzi-2", "fleet:big/east", "account:a_-9"])
def test_what_is_a_scope_is_read_and_written_alike(text: str) -> None:
    assert str(parse_scope(text)) == text


def test_a_scope_has_its_kind_and_name() -> None:
    assert parse_scope("pool") == POOL
    assert parse_scope("site:ganzi") == Scope("site", "ganzi")


@pytest.mark.parametrize(
    "text",
    ["", "pool:", "pool:x", "account", "account:", "account:a.b", "worker:x", "site:<b>", "fleet:/x"],
)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(AccessRefused, match="is no scope: write pool, account:NAME"):
        parse_scope(text)
