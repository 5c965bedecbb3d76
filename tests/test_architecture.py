"""The design is the layout: arrows go one way, pure code is pure, modules stay small. Source: docs/architecture.md."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("native", "pool", "stratum", "payout")
LINES_MAX = 400

# Who may import whom, by the longest matching prefix; a name stands for itself and everything below it.
# `pool.service` and what starts it know everyone and are not listed.
ARROWS: dict[str, tuple[str, ...]] = {
    "native": ("native",),
    "pool.bitcoin": ("native", "pool.bitcoin"),
    "pool.work": ("native", "pool.bitcoin", "pool.work"),
    "pool.stats": ("native", "pool.bitcoin", "pool.work", "pool.stats"),
    "pool.ports": ("pool.bitcoin", "pool.work"),
    "pool.emit": (),
    "pool.events": ("pool.bitcoin", "pool.emit"),
    "pool.disk_events": ("pool.emit",),
    "pool.payout_events": ("pool.emit",),
    "pool.alert_events": ("pool.emit",),
    "pool.node.events": ("pool.emit",),
    "pool.failpoints": (),
    "pool.logs": (),
    "pool.config": ("pool.alert_options", "pool.fleet_options", "pool.payout_options", "pool.stratum_options"),
    "pool.alert_options": (),
    "pool.payout_options": (),
    "pool.fleet_options": (),
    "pool.stratum_options": (),
    "pool.fleet_events": ("pool.emit",),
    "pool.paths": (),
    "pool.documents": (),
    "pool.preflight": ("pool.config", "pool.paths"),
    "pool.machine": ("pool.preflight",),
    "pool.config_words": ("pool.config", "pool.stratum_options"),
    "pool.config_file": (
        "pool.config",
        "pool.config_words",
        "pool.alert_options",
        "pool.stratum_options",
        "pool.bitcoin",
    ),
    "pool.supervisor": ("pool.events", "pool.service_manager"),
    "pool.service_manager": (),
    "pool.miner": ("native", "pool.bitcoin"),
    "pool.feed": ("pool.bitcoin", "pool.work", "pool.ports", "pool.events", "pool.failpoints", "pool.feed"),
    "pool.journal": (
        "pool.work",
        "pool.stats",
        "pool.ports",
        "pool.events",
        "pool.disk_events",
        "pool.failpoints",
        "pool.journal",
    ),
    "pool.journal.events": ("pool.emit",),
    "pool.node": (
        "native",
        "pool.bitcoin",
        "pool.work",
        "pool.ports",
        "pool.events",
        "pool.disk_events",
        "pool.failpoints",
        "pool.node",
    ),
    # For demos and tests: a child process like the roles, which ends with its parent.
    "pool.node.private": ("pool.ports", "pool.supervisor"),
    "pool.access": ("pool.access",),
    "pool.fleet": ("payout.accounts", "payout.contracts", "pool.fleet"),
    "pool.reports": ("payout", "pool.bitcoin", "pool.fleet", "pool.reports"),
    "pool.store": ("pool.bitcoin", "pool.work", "pool.stats", "pool.ports", "pool.events", "pool.store"),
    "pool.store.access": ("pool.access", "pool.store"),
    "pool.store.drafts": ("pool.fleet", "pool.store"),
    "pool.store.moves": ("pool.fleet", "pool.store"),
    "pool.store.redis_moves": ("pool.fleet", "pool.stats", "pool.ports", "pool.store"),
    "pool.store.fleets": ("pool.fleet", "payout.contracts", "pool.store"),
    "pool.dashboard": (
        "pool.bitcoin",
        "pool.work",
        "pool.stats",
        "pool.ports",
        "pool.events",
        "pool.fleet",
        "pool.access",
        "pool.reports",
        "pool.explain",
        "pool.dashboard",
        "payout",
    ),
    "pool.alerts": ("pool.dashboard", "payout.instants", "pool.alerts"),
    # Beside the roles: what they wrote is copied, and put back with what keeps them from repeating themselves.
    "pool.backup": (
        "payout.instants",
        "pool.config",
        "pool.failpoints",
        "pool.journal",
        "pool.paths",
        "pool.store",
        "pool.work",
        "pool.backup",
    ),
    "pool.top": ("pool.dashboard", "pool.alerts", "pool.fleet", "pool.ports", "pool.top"),
    "stratum": ("native", "pool.bitcoin", "pool.work", "pool.stats", "pool.ports", "pool.events", "stratum"),
    "payout": ("native", "pool.bitcoin", "pool.work", "pool.stats", "pool.ports", "payout"),
    # What people are told is found in journals and in the books, and says what the miner was told.
    "pool.explain": (
        "pool.bitcoin",
        "pool.work",
        "pool.stats",
        "pool.ports",
        "pool.journal",
        "pool.store.sql",
        "stratum.errors",
        "payout",
        "pool.explain",
    ),
    "pool.rebuild": (
        "pool.bitcoin",
        "pool.work",
        "pool.stats",
        "pool.ports",
        "pool.journal",
        "pool.store",
        "payout",
        "pool.rebuild",
    ),
    # The ledger's tables are part of the one SQL schema; its adapter and the accounting role's loop log events.
    # A wallet is one of the node's; its adapter belongs to the side that uses it.
    "payout.wallet": ("pool.bitcoin", "pool.ports", "pool.node.rpc", "payout"),
    "payout.store": (
        "pool.bitcoin",
        "pool.work",
        "pool.ports",
        "pool.events",
        "pool.failpoints",
        "pool.store.sql",
        "pool.store.watch_tables",
        "pool.store.guards",
        "pool.store.fleet_tables",
        "pool.fleet.energy",
        "pool.store.scheme_tables",
        "pool.store.move_tables",
        "pool.store.report_tables",
        "payout",
    ),
}

ABOVE = (
    "pool",
    "pool.__main__",
    "pool.cli",
    "pool.cli_access",
    "pool.cli_accounts",
    "pool.cli_audit",
    "pool.cli_backup",
    "pool.cli_books",
    "pool.cli_common",
    "pool.cli_completion",
    "pool.cli_fleets",
    "pool.cli_maintenance",
    "pool.cli_logged",
    "pool.cli_moves",
    "pool.cli_doctor",
    "pool.cli_explain",
    "pool.cli_payouts",
    "pool.cli_progress",
    "pool.cli_reports",
    "pool.cli_scenario",
    "pool.cli_schemes",
    "pool.cli_stratum",
    "pool.cli_top",
    "pool.demo",
    "pool.journal_command",
    "pool.operations",
    "pool.service",
)

ABOVE_WITH_ALL_BELOW = ("pool.doctor", "pool.roles", "pool.scenario")

PURE = ("pool.bitcoin", "pool.work", "pool.stats", "pool.fleet", "pool.ports", "pool.reports", "stratum", "payout")
IMPURE = (
    "stratum.drain",
    "stratum.protocol",
    "stratum.server",
    "stratum.settling",
    "stratum.endpoint",
    "stratum.front",
    "stratum.tls",
    "payout.store",
    "payout.wallet",
)
OUTSIDE = {
    "alembic", "asyncio", "bitcoinrpc", "http", "os", "random", "redis", "requests", "secrets", "select", "shutil",
    "socket", "sqlalchemy", "sqlite3", "subprocess", "tempfile", "threading", "time", "twisted", "urllib", "uvloop",
}  # fmt: skip
# The clock is passed in; only these names of datetime are values rather than clocks.
# `pathlib` reads files, so pure code has it only where a file is the very thing it checks.
MAY_READ_FILES = ("payout.vectors",)


def _modules() -> dict[str, Path]:
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = _modules()


def _imports(path: Path) -> set[str]:
    """Every imported module, with `from a import b` as a.b when that is a module."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            for alias in node.names:
                assert alias.name != "*", f"{path}: import *"
                whole = f"{node.module}.{alias.name}"
                names.add(whole if whole in MODULES else node.module)
    return names


def _below(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


def _rule(module: str) -> tuple[str, ...] | None:
    matching = [prefix for prefix in ARROWS if _below(module, prefix)]
    return ARROWS[max(matching, key=len)] if matching else None


@pytest.mark.parametrize("module", MODULES)
def test_each_module_imports_only_what_stands_below_it(module: str) -> None:
    allowed = _rule(module)
    if allowed is None:
        assert module in ABOVE or any(_below(module, each) for each in ABOVE_WITH_ALL_BELOW)
        return
    ours = {name for name in _imports(MODULES[module]) if name.split(".")[0] in PACKAGES}
    refused = {name for name in ours if not any(_below(name, prefix) for prefix in allowed)}
    assert not refused, f"{module} must not import {sorted(refused)}"


@pytest.mark.parametrize(
    "module", [m for m in MODULES if any(_below(m, p) for p in PURE) and not any(_below(m, p) for p in IMPURE)]
)
def test_pure_modules_know_no_socket_clock_file_or_database(module: str) -> None:
    roots = {name.split(".")[0] for name in _imports(MODULES[module])}
    if module not in MAY_READ_FILES:
        roots |= {"os"} if "pathlib" in roots else set()
    assert not roots & OUTSIDE


@pytest.mark.parametrize("module", MODULES)
def test_no_module_is_longer_than_the_limit(module: str) -> None:
    assert len(MODULES[module].read_text().splitlines()) <= LINES_MAX


@pytest.mark.parametrize("path", [p for n, p in MODULES.items() if p.name == "__init__.py" and n != "native"], ids=str)
def test_a_package_file_holds_a_docstring_and_no_code(path: Path) -> None:
    body = ast.parse(path.read_text()).body
    assert len(body) == 1
    assert isinstance(body[0], ast.Expr)
    assert isinstance(body[0].value, ast.Constant)


def test_every_folder_of_tests_is_a_package_or_it_would_shadow_ours() -> None:
    folders = {path.parent for path in (ROOT / "tests").rglob("*.py")}
    assert all((folder / "__init__.py").exists() for folder in folders)


def test_docker_is_no_package() -> None:
    assert not (ROOT / "docker" / "__init__.py").exists()


def test_only_the_standard_library_and_declared_dependencies_are_imported() -> None:
    declared = {
        "alembic", "bdkpython", "bitcoinrpc", "click", "cryptography", "msgspec", "prometheus_client", "redis",
        "sqlalchemy", "twisted", "uvloop", "zmq", "zope",
    }  # fmt: skip
    roots = {name.split(".")[0] for path in MODULES.values() for name in _imports(path)}
    assert roots - set(sys.stdlib_module_names) - set(PACKAGES) <= declared
