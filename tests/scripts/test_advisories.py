"""What pip-audit is told of a package, by the pages of an index."""

from __future__ import annotations

import importlib.util
import json
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "advisories.py"
WEAKNESS = {
    "id": "PYSEC-2026-1",
    "aliases": ["CVE-2026-1"],
    "summary": None,
    "details": "It leaks.",
    "fixed_in": ["2.1"],
    "withdrawn": None,
    "link": "https://osv.dev/vulnerability/PYSEC-2026-1",
    "source": "osv",
}


def page(version: str, *vulnerabilities: dict[str, Any]) -> dict[str, Any]:
    """Of an index."""
    return {"info": {"version": version}, "vulnerabilities": list(vulnerabilities)}


def read(path: str) -> dict[str, Any]:
    """An index with pages of versions for `whole`, and without for `mirrored`."""
    pages = {
        "whole/1.0": page("1.0", WEAKNESS),
        "whole": page("2.1"),
        "mirrored": page("2.0", WEAKNESS),
        "clean": page("3.0"),
    }
    if path not in pages:
        raise OSError("HTTP Error 404: Not Found")
    return pages[path]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("advisories", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def advisories(script: ModuleType) -> Iterator[Any]:
    found = script.Advisories(read)
    yield found
    found.close()


def ask(advisories: Any, name: str, version: str) -> Any:
    """As pip-audit asks."""
    question = json.dumps({"package": {"name": name, "ecosystem": "PyPI"}, "version": version}).encode()
    with urllib.request.urlopen(advisories.url, question, timeout=10) as response:
        return json.load(response)


@pytest.mark.parametrize(("name", "version"), [("whole", "1.0"), ("mirrored", "2.0")])
def test_a_weakness_is_told_with_the_version_that_mends_it(advisories: Any, name: str, version: str) -> None:
    (told,) = ask(advisories, name, version)["vulns"]
    assert (told["id"], told["aliases"], told["details"]) == ("PYSEC-2026-1", ["CVE-2026-1"], "It leaks.")
    assert told["affected"] == [
        {
            "package": {"name": name, "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.1"}]}],
        }
    ]
    assert advisories.unknown == {}


def test_a_version_of_which_nothing_is_known_is_clean(advisories: Any) -> None:
    assert ask(advisories, "clean", "3.0") == {"vulns": []}
    assert advisories.unknown == {}


@pytest.mark.parametrize(("name", "version", "reason"), [("mirrored", "1.0", "newest is 2.0"), ("gone", "1", "404")])
def test_a_version_of_which_nothing_can_be_learned_is_not(
    advisories: Any, name: str, version: str, reason: str
) -> None:
    assert ask(advisories, name, version) == {}
    assert reason in advisories.unknown[f"{name} {version}"]


@pytest.mark.parametrize(("names", "status"), [(("clean",), 0), (("mirrored",), 3), (("clean", "gone"), 1)])
def test_the_status_is_that_of_the_audit_or_tells_that_something_could_not_be_learned(
    script: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    names: tuple[str, ...],
    status: int,
) -> None:
    monkeypatch.setattr(script, "_read_page", read)
    audit = (
        "import json, sys, urllib.request\n"
        "found = 0\n"
        "for name in sys.argv[1:-4]:\n"
        "    version = {'clean': '3.0', 'mirrored': '2.0', 'gone': '1'}[name]\n"
        "    question = json.dumps({'package': {'name': name}, 'version': version}).encode()\n"
        "    found += len(json.load(urllib.request.urlopen(sys.argv[-1], question)).get('vulns', []))\n"
        "sys.exit(3 if found else 0)\n"
    )
    assert script.main([sys.executable, "-c", audit, *names]) == status
    assert ("gone 1" in capsys.readouterr().out) == ("gone" in names)
