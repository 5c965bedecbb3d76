"""`steppe maintenance`: what it refuses; with a Redis it is in tests/regtest/test_messages.py."""

from __future__ import annotations

from pathlib import Path

from tests.pool.test_cli import config, steppe

__all__ = ["config"]


def test_it_needs_a_time(config: Path) -> None:
    assert "--minutes" in steppe("maintenance", "on", "-c", config).output


def test_a_reason_is_one_line(config: Path) -> None:
    result = steppe("maintenance", "on", "-c", config, "--minutes", "5", "--reason", "a\nb")
    assert (result.exit_code, "one line" in result.output) == (2, True)


def test_without_redis_the_reason_is_told(config: Path) -> None:
    result = steppe("maintenance", "show", "-c", config)
    assert result.exit_code == 1
    assert "Redis at" in result.output
