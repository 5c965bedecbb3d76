"""The pages to browse, built as scripts/docs builds them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def build(source: Path, out: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-c", "docs", str(source), str(out)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all of them are built; every link and every anchor leads somewhere."""
    out = tmp_path_factory.mktemp("site")
    done = build(ROOT, out)
    assert done.returncode == 0, done.stderr
    return out


def test_every_page_is_built(site: Path) -> None:
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]
    built = [site / page.relative_to(ROOT).with_suffix(".html") for page in pages]
    assert [page for page in built if not page.exists()] == []


def test_they_ask_nothing_of_any_other_host(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert pages
    for page in pages:
        assert not re.search(r'(?:src|<link[^>]+href)="(?:https?:)?//', page.read_text()), page


def test_an_anchor_that_leads_nowhere_fails_the_build(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "README.md").write_text("# One\n\n[there](#nowhere)\n\n## Read on\n")
    done = build(source, tmp_path / "out")
    assert (done.returncode, "nowhere" in done.stderr) == (1, True), done.stderr
