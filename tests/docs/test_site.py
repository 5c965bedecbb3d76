"""The pages to browse, built as scripts/docs builds them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

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


def test_every_page_is_built_and_every_link_and_anchor_leads_somewhere(tmp_path: Path) -> None:
    done = build(ROOT, tmp_path)
    assert done.returncode == 0, done.stderr
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]
    built = [tmp_path / page.relative_to(ROOT).with_suffix(".html") for page in pages]
    assert [page for page in built if not page.exists()] == []


def test_they_ask_nothing_of_any_other_host(tmp_path: Path) -> None:
    assert build(ROOT, tmp_path).returncode == 0
    for page in tmp_path.rglob("*.html"):
        assert not re.search(r'(?:src|<link[^>]+href)="(?:https?:)?//', page.read_text()), page


def test_an_anchor_that_leads_nowhere_fails_the_build(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "README.md").write_text("# One\n\n[there](#nowhere)\n\n## Read on\n")
    done = build(source, tmp_path / "out")
    assert (done.returncode, "nowhere" in done.stderr) == (1, True), done.stderr
