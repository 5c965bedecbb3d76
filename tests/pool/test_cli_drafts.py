"""What docs/relocate-a-fleet.md says of a notice: it opens a draft of a move, by a command or by a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pool import config_file
from pool.roles.database import open_database
from pool.store.moves import SqlMoves
from pool.store.sql import writing
from tests.pool.test_cli import config
from tests.pool.test_cli_moves import out, refusal

__all__ = ["config"]

SINCE, SOON = "2021-01-01T00:00Z", "2099-12-01T01:00:00Z"
DRAFT = (
    "move ganzi-out is a draft: acme has workers sc-* at ganzi, where power ends at 2099-12-01T01:00:00Z: say where "
    "they go with `steppe move plan ganzi-out --to SITE`"
)


@pytest.fixture
def standing(config: Path) -> Path:
    """Acme's workers stand at ganzi; two of them were seen there."""
    for command in (
        ("account", "add", "acme"),
        ("site", "add", "ganzi", "CN", "Asia/Shanghai", "--region", "sichuan", "--from", SINCE),
        ("site", "capacity", "ganzi", "20000000", "--from", SINCE),
        ("fleet", "add", "acme/main", "--from", SINCE),
        ("assign", "add", "acme", "sc-*", "acme/main", "ganzi"),
    ):
        out(*command, "-c", config)
    engine = open_database(config_file.load(config))
    with writing(engine) as connection:
        seen = [
            ("acme.sc-r1-1", "sichuan"),
            ("acme.sc-r1-2", "sichuan"),
            ("acme.tx-1", "sichuan"),
            ("acme.sc-r2-1", "kz"),
        ]
        SqlMoves(connection).settle(seen, 1_800_000_000_000)
    engine.dispose()
    return config


def suspend(config: Path, kind: str = "suspension", at: str = SOON, source: str = "State Grid") -> str:
    return out("site", "event", "ganzi", kind, SINCE, "--from", at, "--source", source, "-c", config)


def moves(config: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(out("move", "list", "--json", "-c", config))
    return rows


def deadlines(config: Path) -> list[tuple[str, str, int]]:
    return [(row["name"], row["state"], row["deadline_ms"]) for row in moves(config)]


DARK_MS = 4_099_770_000_000
DROPPED = ("ganzi-out", "dropped", DARK_MS)


def test_a_suspension_opens_a_draft_that_says_what_it_lacks(standing: Path) -> None:
    assert DRAFT in suspend(standing)
    [draft] = moves(standing)
    assert (draft["state"], draft["target"], draft["lacks"]) == ("draft", None, ["the site to go to"])
    assert (draft["account"], draft["pattern"], draft["deadline_ms"]) == ("acme", "sc-*", DARK_MS)
    assert out("move", "list", "-c", standing) == (
        "ganzi-out\tdraft\tganzi -> ?\t2 machines: 2 pending\tworkers sc-* of acme, power ends at 2099-12-01T01:00:00Z"
        "; lacks the site to go to: `steppe move plan ganzi-out --to SITE`\n"
    )
    shown = out("move", "show", "ganzi-out", "--machines", "-c", standing)
    assert "rack sc-r1\t2 pending" in shown
    assert "open by a notice\tsuspension of ganzi from 2099-12-01T01:00:00Z: State Grid" in shown
    assert "acme.sc-r1-2\tpending" in shown


def test_the_same_notice_again_and_one_of_another_source_open_no_other(standing: Path) -> None:
    suspend(standing)
    assert suspend(standing) == "known already\n"
    suspend(standing, kind="closure", source="press")
    assert len(moves(standing)) == 1


def test_it_comes_by_a_file_too_and_once(standing: Path, tmp_path: Path) -> None:
    folder = tmp_path / "csv"
    folder.mkdir()
    (folder / "site_event.csv").write_text(
        "site,kind,announced,wording,time_zone,valid_from,valid_to,source\n"
        f"ganzi,suspension,{SINCE},off,,{SOON},,State Grid\n"
    )
    assert DRAFT in out("fleet", "import", str(folder), "-c", standing)
    assert out("fleet", "import", str(folder), "-c", standing) == "known already\n"
    suspend(standing)
    assert deadlines(standing) == [("ganzi-out", "draft", DARK_MS)]


def test_a_notice_that_is_refused_opens_nothing(standing: Path) -> None:
    said = refusal(
        "site", "event", "ganzi", "suspension", SINCE, "--from", SOON, "--time-zone", "Mars/X", "-c", standing
    )
    assert "is not in the IANA database" in said
    assert moves(standing) == []


def test_a_site_without_workers_opens_none_and_says_so(standing: Path) -> None:
    out("site", "add", "almaty", "KZ", "Asia/Almaty", "--from", SINCE, "-c", standing)
    said = out("site", "event", "almaty", "closure", SINCE, "--from", SOON, "-c", standing)
    assert f"no workers are assigned to almaty at {SOON}: no move opens" in said
    assert "in the past: no move opens" in suspend(standing, at="2021-06-19T01:00Z")
    assert moves(standing) == []


def test_a_notice_that_is_withdrawn_drops_the_draft(standing: Path) -> None:
    suspend(standing)
    said = out("site", "end", "1", SOON, "--kind", "site_event", "-c", standing)
    assert "draft ganzi-out is dropped: no suspension or closure of ganzi is announced any more" in said
    assert deadlines(standing) == [DROPPED]


class TestDropping:
    def test_machines_that_stay_are_dropped_for_a_reason(self, standing: Path) -> None:
        suspend(standing)
        assert "to drop it give the reason" in refusal("move", "close", "ganzi-out", "-c", standing)
        for _ in range(2):
            close = ("move", "close", "ganzi-out", "--reason", "a generator", "-c", standing)
            assert out(*close) == "move ganzi-out: dropped\n"
        assert "a generator" in out("move", "show", "ganzi-out", "-c", standing)
        assert deadlines(standing) == [DROPPED]

    @pytest.mark.parametrize("order", ["start", "pause", "rollback"])
    def test_nothing_else_can_be_done_before_it_is_planned(self, standing: Path, order: str) -> None:
        suspend(standing)
        said = refusal("move", order, "ganzi-out", "-c", standing)
        assert (
            "is a draft, and lacks the site to go to: complete it with `steppe move plan ganzi-out --to SITE`" in said
        )


def test_what_is_no_draft_wants_to_be_said_whole(config: Path) -> None:
    said = refusal("move", "plan", "out", "--to", "ekibastuz", "-c", config)
    assert "Redis" in said or "move out is no draft that a notice opened: say whose machines go" in said
