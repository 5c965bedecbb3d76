"""pool.documents."""

from pathlib import Path

import pytest

from pool.documents import document

ROOT = Path(__file__).parents[2]


def test_a_page_of_the_checkout_is_named_from_where_one_stands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT)
    assert document("operating.md") == Path("docs/operating.md")
    monkeypatch.chdir(tmp_path)
    assert document("operating.md") == ROOT / "docs" / "operating.md"
