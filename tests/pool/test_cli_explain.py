"""`steppe explain`, `statement`, `blocks`, `export`: what they say and refuse, without a node."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from pool import config_file
from pool.roles.database import open_database
from pool.store.sql import connect
from pool.work.share import Outcome
from tests.databases import dump, empty_sqlite
from tests.pool.explain.mined import MinedPool, mined_job
from tests.pool.rebuild.pools import ONE, TWO, group_of, write_journal
from tests.pool.test_cli import config, steppe
from tests.pool.test_cli_payouts import said

__all__ = ["config"]

JOB = mined_job("a1")


@pytest.fixture
def pool(config: Path, tmp_path: Path) -> Path:
    """A file whose pool has a block of alice's and a refused share in its journal."""
    data_dir = tmp_path / "data"
    config.write_text(config.read_text().replace("[pool]\n", f'[pool]\ndata_dir = "{data_dir}"\n'))
    data_dir.mkdir()
    engine = open_database(config_file.load(config))
    (tmp_path / "empty").mkdir()
    mined = MinedPool(data_dir, engine, empty_sqlite(tmp_path / "empty"))
    found = mined.share(JOB, "alice", is_block=True)
    mined.pool.take(JOB, mined.share(JOB, "bob"), found, mined.share(JOB, "bob", outcome=Outcome.STALE))
    mined.reach(105, found)
    mined.journals()
    engine.dispose()
    return config


def refused(*arguments: str | Path) -> str:
    result = steppe(*arguments)
    assert result.exit_code == 1, result.output
    return result.output


class TestExplain:
    @pytest.mark.parametrize(
        "words",
        [
            ("explain", "credit", "100:alice"),
            ("explain", "balance", "alice"),
            ("explain", "reject", f"{ONE}:4"),
        ],
    )
    def test_each_answers_in_words_and_in_json(self, pool: Path, words: tuple[str, ...]) -> None:
        assert len(said(*words, "-c", pool).output.splitlines()) > 5
        assert isinstance(json.loads(said(*words, "--json", "-c", pool).output), dict)

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (
                ("explain", "credit", "99:alice"),
                "the pool found no block at height 99; `steppe blocks` lists its blocks",
            ),
            (("explain", "credit", "alice"), "a credit is BLOCK:ACCOUNT"),
            (("explain", "balance", "nobody"), "there is no account 'nobody'; `steppe account list` shows them"),
            (("explain", "payout", "1"), "there is no payout 1: payouts are numbered from 1; `steppe payout list`"),
            (("explain", "reject", "1"), "a share's id is JOURNAL:NUMBER"),
            (("explain", "reject", "bob.rig@2001-01-01"), "no share of bob.rig was refused within a minute"),
            (("statement", "nobody"), "there is no account 'nobody'"),
            (("statement", "alice", "--row", "99"), "the ledger has no row 99"),
            (("export", "block", "99", "--out", "x"), "the pool found no block at height 99"),
        ],
    )
    def test_what_is_not_there_is_refused_with_how_to_find_it(
        self, pool: Path, words: tuple[str, ...], says: str
    ) -> None:
        assert says in refused(*words, "-c", pool)

    def test_a_worker_and_a_time_with_several_refused_shares_lists_them(self, pool: Path, tmp_path: Path) -> None:
        other = MinedPoolElsewhere(tmp_path)
        moment = other.journal_two_more()
        lines = said(
            "explain", "reject", f"bob.rig@{moment}", "--journal", other.folder, "-c", pool
        ).output.splitlines()
        assert [line.split("\t")[1:3] for line in lines] == [["bob.rig", "stale"]] * 3


class MinedPoolElsewhere:
    """A journal of another machine, without books."""

    def __init__(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "elsewhere"
        self._tmp_path = tmp_path

    def journal_two_more(self) -> int:
        mined = MinedPool(self.folder, connect(f"sqlite:///{self._tmp_path / 'none.sqlite'}"), b"")
        shares = [replace(mined.share(JOB, "bob", outcome=Outcome.STALE), job_id="a2") for _ in range(2)]
        write_journal(self.folder / "2", TWO, [group_of(shares, 1)])
        return shares[0].time_ms


class TestBooks:
    def test_blocks_are_listed(self, pool: Path) -> None:
        (line,) = said("blocks", "-c", pool).output.splitlines()
        fields = line.split("\t")
        assert (fields[0], fields[2:]) == ("100", ["immature", "6 deep", "0.01000000 BTC", "alice.rig"])
        (row,) = json.loads(said("blocks", "--json", "-c", pool).output)
        assert (row["hash"], row["credits"]) == (fields[1], 2)

    def test_a_statement_comes_in_three_forms(self, pool: Path) -> None:
        assert "closing: " in said("statement", "alice", "-c", pool).output
        made = json.loads(said("statement", "alice", "--format", "json", "-c", pool).output)
        lines = said("statement", "alice", "--format", "csv", "-c", pool).output.splitlines()
        assert len(lines) == len(made["lines"]) + 3

    def test_a_statement_does_not_end_in_the_future_nor_at_no_time(self, pool: Path) -> None:
        for text in ("2999-01-01", "soon"):
            assert steppe("statement", "alice", "--to", text, "-c", pool).exit_code == 2

    def test_an_export_says_what_it_wrote_and_how_to_check_it(self, pool: Path, tmp_path: Path) -> None:
        lines = said("export", "block", "100", "--out", tmp_path / "out", "-c", pool).output.splitlines()
        assert lines[0].endswith("2 shares, 2 with their headers")
        assert lines[1] == f"check it: python3 docs/verify_payout.py {tmp_path / 'out'}"

    @pytest.mark.parametrize(
        "words", [("blocks",), ("statement", "alice"), ("explain", "credit", "1:a"), ("solvency",)]
    )
    def test_a_pool_that_never_ran_has_no_books_and_gets_none(self, config: Path, words: tuple[str, ...]) -> None:
        assert "has this pool run yet?" in refused(*words, "-c", config)
        assert not list(config.parent.rglob("*.sqlite"))

    def test_reading_changes_nothing(self, pool: Path, tmp_path: Path) -> None:
        engine = open_database(config_file.load(pool))
        before = dump(engine)
        for words in (
            ("blocks",),
            ("statement", "alice"),
            ("explain", "credit", "100:bob"),
            ("explain", "balance", "bob"),
        ):
            said(*words, "-c", pool)
        said("export", "block", "100", "--out", tmp_path / "out", "-c", pool)
        assert dump(engine) == before
        engine.dispose()
