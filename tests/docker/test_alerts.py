"""Alert rules and the board: each rule fires and is silent where it should, is explained, and names what there is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.pool.dashboard.browser import complete

ROOT = Path(__file__).parents[2]
RULES = ROOT / "docker" / "prometheus" / "alerts.yml"
BOARD = ROOT / "docker" / "grafana" / "steppe.json"
RUNBOOKS = ROOT / "docs" / "runbooks.md"
CASES: dict[str, dict[str, dict[str, str]]] = json.loads((Path(__file__).parent / "alert_cases.json").read_text())
"""Of each rule: series under which it fires, with which labels, and series like them under which it does not; one value
a minute."""

LONG_MINUTES = 480
"""After so long every rule has had its time."""

MAINTENANCE = "steppe_maintenance_until_timestamp_seconds"
DAY = 86_400
"""Seconds; the series begin at 0."""


def promtool(*words: str, given: bytes = b"") -> str:
    tool = shutil.which("promtool")
    if tool is None:
        pytest.fail("there is no promtool; `scripts/setup --test` installs it", pytrace=False)
    done = subprocess.run([tool, *words], input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    assert done.returncode == 0, done.stdout.decode()
    return done.stdout.decode()


def names() -> list[str]:
    return re.findall(r"^      - alert: (\w+)$", RULES.read_text(), re.MULTILINE)


def groups() -> dict[str, str]:
    """Of each rule the group."""
    parts = re.findall(r"^  - name: (\w+)$(.*?)(?=^  - name: |\Z)", RULES.read_text(), re.MULTILINE | re.DOTALL)
    return {name: group for group, text in parts for name in re.findall(r"- alert: (\w+)", text)}


def expressions() -> list[str]:
    """Those of the board."""
    board = json.loads(BOARD.read_text())
    return [target["expr"] for panel in board["panels"] for target in panel["targets"]]


@pytest.fixture(scope="module")
def metrics() -> str:
    """All that the pool may tell."""
    return complete().ask("/metrics").body.decode()


def known(metrics: str) -> set[str]:
    return set(re.findall(r"^(steppe_\w+)", metrics, re.MULTILINE))


def test_the_metrics_keep_to_the_conventions(metrics: str) -> None:
    assert promtool("check", "metrics", given=metrics.encode()) == ""


def test_the_rules_and_the_configuration_are_valid() -> None:
    assert f"SUCCESS: {len(names()) + 1} rules found" in promtool("check", "rules", str(RULES))
    promtool("check", "config", str(RULES.with_name("prometheus.yml")))


def test_there_are_rules_enough_each_with_cases_of_its_own() -> None:
    assert len(names()) >= 25
    assert sorted(CASES) == sorted(names())


@pytest.mark.parametrize("name", names())
def test_a_rule_fires_when_it_should_and_not_otherwise(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    check(tmp_path, _test(case["fires"], name, is_firing=True), _test(case["quiet"], name, is_firing=False))


def test_a_region_without_a_node_is_told_whatever_another_has(tmp_path: Path) -> None:
    nodes = {'steppe_nodes{region="texas",state="good"}': "1x10", 'steppe_nodes{region="main",state="good"}': "0x10"}
    check(tmp_path, _test(nodes, "SteppeNoGoodNode", is_firing=True))


def test_a_work_role_that_comes_back_refused_no_template_by_that(tmp_path: Path) -> None:
    refused = {
        'steppe_templates_refused_total{region="texas"}': "3x20",
        'steppe_templates_refused_total{region="sichuan"}': "2x5 _x5 2x8",
    }
    check(tmp_path, _test(refused, "SteppeTemplateRefused", is_firing=False))


@pytest.mark.parametrize("name", names())
def test_maintenance_silences_all_but_what_is_about_blocks_and_money(name: str, tmp_path: Path) -> None:
    series = CASES[name]["fires"] | {MAINTENANCE: f"{DAY}x{_minutes(CASES[name]['fires'])}"}
    check(tmp_path, _test(series, name, is_firing=groups()[name] in ("blocks", "money")))


def test_what_is_still_wrong_after_the_maintenance_is_told(tmp_path: Path) -> None:
    check(tmp_path, _test({"steppe_ready": "0x20", MAINTENANCE: "600x20"}, "SteppeNotReady", is_firing=True))


def test_maintenance_that_was_ended_silences_nothing(tmp_path: Path) -> None:
    check(tmp_path, _test({"steppe_ready": "0x20", MAINTENANCE: f"{DAY}x5 0x14"}, "SteppeNotReady", is_firing=True))


@pytest.mark.parametrize("ends", ["stale", "_"])
def test_a_web_role_that_is_away_by_maintenance_is_no_alert(ends: str, tmp_path: Path) -> None:
    up = {'up{job="steppe",instance="a"}': "1x5 0x14", MAINTENANCE: f"{DAY}x5 {ends} _x13"}
    check(tmp_path, _test(up, "SteppeAway", is_firing=False))


def check(folder: Path, *tests: dict[str, Any]) -> None:
    """That promtool finds them true."""
    file = folder / "test.json"
    file.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}))
    assert "SUCCESS" in promtool("test", "rules", str(file))


def _minutes(series: dict[str, str]) -> int:
    """How long these series go on."""
    lengths = [sum(map(_length, values.split())) for values in series.values()]
    return min(*lengths, LONG_MINUTES) if len(lengths) > 1 else min(lengths[0], LONG_MINUTES)


def _length(part: str) -> int:
    _, x, more = part.rpartition("x")
    return int(more) + 1 if x else 1


def _test(series: dict[str, str], name: str, *, is_firing: bool) -> dict[str, Any]:
    samples = [{"labels": _labels(name, CASES[name]["labels"]), "value": 1}] if is_firing else []
    return {
        "interval": "1m",
        "input_series": [{"series": each, "values": values} for each, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f'ALERTS{{alertname="{name}", alertstate="firing"}}',
                "eval_time": f"{_minutes(series) - 1}m",
                "exp_samples": samples,
            }
        ],
    }


def _labels(name: str, labels: dict[str, str]) -> str:
    every = {"alertname": name, "alertstate": "firing"} | labels
    return "ALERTS{" + ", ".join(f'{key}="{value}"' for key, value in every.items()) + "}"


@pytest.mark.parametrize("name", names())
def test_a_rule_has_a_section_of_the_runbooks_with_the_mend(name: str) -> None:
    assert f"runbook: docs/runbooks.md#{name.lower()}\n" in RULES.read_text()
    _, _, section = RUNBOOKS.read_text().partition(f"\n### {name}\n")
    assert "\nMend: " in section.partition("\n### ")[0]


def test_no_section_of_the_runbooks_is_left_over() -> None:
    assert sorted(re.findall(r"^### (Steppe\w+)$", RUNBOOKS.read_text(), re.MULTILINE)) == sorted(names())


def test_rules_and_board_name_only_metrics_that_there_are(metrics: str) -> None:
    asked = set(re.findall(r"steppe_\w+", RULES.read_text() + " ".join(expressions())))
    assert asked <= known(metrics)


def test_the_board_asks_only_what_prometheus_understands(tmp_path: Path) -> None:
    rules = [{"record": f"board:{number}", "expr": expr} for number, expr in enumerate(expressions())]
    file = tmp_path / "board.json"
    file.write_text(json.dumps({"groups": [{"name": "board", "rules": rules}]}))
    assert f"SUCCESS: {len(rules)} rules found" in promtool("check", "rules", str(file))
