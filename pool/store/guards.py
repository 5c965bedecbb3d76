"""The triggers by which the database refuses to change what is written once: which there must be, and what is there.

An owner of the database can take them away. So the pool looks for them with every look at its books, and reads the
whole ledger again when something was done to them: see payout.watch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cache

from msgspec import Struct
from sqlalchemy import Connection, text

Keys = tuple[tuple[str, ...], ...]

_FLEET_KINDS = (
    "model", "site", "capacity", "site_event", "contract", "fleet", "batch", "count", "assignment", "tariff", "levy",
    "reading", "rate",
)  # fmt: skip

GUARDED: dict[str, Keys] = {
    "access_credential": (("id",), ("secret",)),
    "access_end": (("credential_id",),),
    "access_log": (("id",), ("hash",)),
    "account": (("id",), ("name",)),
    "block_hold": (("block_hash", "number"),),
    "credit": (("block_hash", "stake_id"),),
    "entry": (("journal_id", "account"),),
    "fee_block": (("day_ms", "height"),),
    "fee_day": (("day_ms",),),
    "fleet_charge": (("id",), ("reading", "party")),
    **{f"fleet_{kind}": (("row_id",), ("replaces",)) for kind in _FLEET_KINDS},
    "journal": (("id",), ("key",), ("hash",)),
    "luck_test": (("kind", "name", "checkpoint"),),
    "move": (("id",), ("name",)),
    "move_draft": (("name", "number"),),
    "move_event": (("move_id", "number"), ("move_id", "key")),
    "payout_address": (("account_id", "valid_from_ms"),),
    "payout_address_cancel": (("account_id", "valid_from_ms"),),
    "payout_attempt": (("payout_id", "number"),),
    "payout_line": (("payout_id", "account_id"),),
    "payout_switch": (("id",),),
    "payout_threshold": (("account_id", "valid_from_ms"),),
    "plan": (("account_id", "valid_from_ms"),),
    "plan_cancel": (("account_id", "valid_from_ms"),),
    "pps_stop": (("from_height",),),
    "share_batch": (("id",), ("frontend", "last_seq")),
    "share_sum": (("height", "number"),),
    "stake": (("id",), ("account_id", "slice_id", "scheme", "fee_bps")),
    "stray_block": (("block_hash",),),
    "stray_block_end": (("block_hash",),),
}
"""Tables whose rows are never changed, with their unique keys."""

_BLOCK_KEPT = (
    "hash", "height", "found_ms", "finder", "worker", "frontend", "seq", "outcome", "score_end", "window_x", "startup",
)  # fmt: skip
_PAYOUT_KEPT = ("id", "created_ms", "total_sat")
KEPT: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "block": (_BLOCK_KEPT, ("reward_sat", "reserve_sat", "subsidy_sat", "taker_stake_id")),
    "payout": (_PAYOUT_KEPT, ()),
}
"""Tables whose rows go through states: the columns that stay as they are, and those that are filled in once."""

_FUNCTION = "refuse_change"
_FUNCTION_BODY = (
    " BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END "
)


class Guards(Struct, frozen=True):
    """What is there. missing: triggers that are gone or say something else. token: another one if anything was done
    to them since, also if all are back."""

    missing: tuple[str, ...]
    token: str


def look(connection: Connection) -> Guards:
    """The triggers as they are now."""
    if connection.dialect.name == "postgresql":
        return _look_at_postgresql(connection)
    return _look_at_sqlite(connection)


def put_back(connection: Connection, tables: Collection[str] | None = None) -> tuple[str, ...]:
    """Make those again that are missing, of these tables or of all; which these were."""
    missing = tuple(name for name in look(connection).missing if tables is None or _table_of(name) in tables)
    for name in missing:
        connection.execute(text(f"DROP TRIGGER IF EXISTS {name}{_on_table(connection, name)}"))
    for statement in statements(connection.dialect.name, missing):
        connection.execute(text(statement))
    return missing


def statements(dialect: str, names: Iterable[str]) -> Iterator[str]:
    """What makes the triggers of these names."""
    if dialect == "postgresql":
        yield f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $${_FUNCTION_BODY}$$"
    wanted = _triggers(dialect)
    for name in names:
        yield wanted[name]
        if dialect == "postgresql":
            # Else a session could leave them out by itself (session_replication_role).
            yield f"ALTER TABLE {_table_of(name)} ENABLE ALWAYS TRIGGER {name}"


@cache
def _triggers(dialect: str) -> dict[str, str]:
    """Their statements by name."""
    found: dict[str, str] = {}
    for table, keys in GUARDED.items():
        found |= _guards_on_postgresql(table) if dialect == "postgresql" else _guards_on_sqlite(table, keys)
    for table, (kept, once) in KEPT.items():
        found |= _keeps(dialect, table, kept, once)
    return found


def _guards_on_sqlite(table: str, keys: Keys) -> dict[str, str]:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    # INSERT OR REPLACE would delete the old row without a word to the triggers on deletion.
    taken = " OR ".join("(" + " AND ".join(f"NEW.{column} = {column}" for column in key) + ")" for key in keys)
    replaced = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {taken})"  # noqa: S608 - names of ours
    return {
        f"{table}_no_update": f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse}",
        f"{table}_no_delete": f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}",
        f"{table}_no_replace": f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} {replaced} {refuse}",
    }


def _guards_on_postgresql(table: str) -> dict[str, str]:
    refuse = f"EXECUTE FUNCTION {_FUNCTION}()"
    return {
        f"{table}_no_change": f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW {refuse}",
        f"{table}_no_truncate": f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT {refuse}",
    }


def _keeps(dialect: str, table: str, kept: tuple[str, ...], once: tuple[str, ...]) -> dict[str, str]:
    differs = "IS NOT" if dialect == "sqlite" else "IS DISTINCT FROM"
    changed = [f"NEW.{column} {differs} OLD.{column}" for column in kept]
    changed += [f"(OLD.{column} IS NOT NULL AND NEW.{column} {differs} OLD.{column})" for column in once]
    when = f"WHEN ({' OR '.join(changed)})"
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    if dialect == "postgresql":
        refuse = f"EXECUTE FUNCTION {_FUNCTION}()"
    row = "FOR EACH ROW"
    return {
        f"{table}_kept": f"CREATE TRIGGER {table}_kept BEFORE UPDATE ON {table} {row} {when} {refuse}",
        f"{table}_no_delete": f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {row} {refuse}",
    }


def _look_at_sqlite(connection: Connection) -> Guards:
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name").all()
    there = {row.name: row.sql for row in rows}
    missing = tuple(name for name, statement in _triggers("sqlite").items() if there.get(name) != statement)
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    return Guards(missing, f"{version}")


def _look_at_postgresql(connection: Connection) -> Guards:
    rows = connection.execute(_TRIGGERS).all()
    there = {row.name for row in rows if row.enabled == "A" and row.body == _FUNCTION_BODY}
    missing = tuple(name for name in _triggers("postgresql") if name not in there)
    token = " ".join(f"{row.oid}.{row.version}.{row.function_version}" for row in rows)
    return Guards(missing, token)


_TRIGGERS = text(
    "SELECT t.tgname AS name, t.tgenabled AS enabled, t.oid AS oid, t.xmin::text AS version, "
    "p.prosrc AS body, p.xmin::text AS function_version "
    "FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid "
    "WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace ORDER BY t.oid"
)


def _table_of(trigger: str) -> str:
    return next(table for table in (*GUARDED, *KEPT) if trigger in {f"{table}{ending}" for ending in _ENDINGS})


_ENDINGS = ("_no_update", "_no_delete", "_no_replace", "_no_change", "_no_truncate", "_kept")


def _on_table(connection: Connection, trigger: str) -> str:
    return f" ON {_table_of(trigger)}" if connection.dialect.name == "postgresql" else ""
