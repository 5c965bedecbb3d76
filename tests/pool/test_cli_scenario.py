"""The commands `steppe scenario`, as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from pool.cli import main


def test_a_folder_in_use_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    result = CliRunner().invoke(main, ["scenario", "bit-mining-2021", "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert "is not empty, and nothing in it is overwritten: name a new folder with --out" in result.output


def test_without_a_folder_nothing_is_played() -> None:
    result = CliRunner().invoke(main, ["scenario", "bit-mining-2021"])
    assert result.exit_code == 2
    assert "--out" in result.output


def test_json_is_alone_on_stdout(tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = ["scenario", "bit-mining-2021", "--out", str(out), "--seed", "5", "--scale", "200", "--json"]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["seed"], told["scale"]) == (5, 200)
    assert json.loads((out / "summary.json").read_text()) == told
    assert "%" not in result.stderr  # a bar is for terminals
