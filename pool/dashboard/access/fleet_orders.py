"""What operators order about moves, and what they say of fleets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct

from payout.charges import Charged
from pool.access.credential import Right
from pool.dashboard.access.operations import LARGE_BYTES_MAX, Operation
from pool.dashboard.access.orders import Name, Nothing, look, order
from pool.dashboard.answers import CSV
from pool.fleet.pace import DEFAULT_PACE
from pool.fleet.planning import Planned
from pool.fleet.report import Stray
from pool.fleet.views import GROUPS, FactView

Cell = Annotated[str, Meta(max_length=2_000)]
Time = Annotated[str, Meta(max_length=40, description="With its zone, as 2026-12-01T09:00+08:00.")]
Text = Annotated[str, Meta(max_length=300)]


class MoveOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """An order about a move. key: the same key is one order, however often it is given."""

    reason: Text = ""
    key: Name = ""


class CloseOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """An order to say that a move is done. force: though machines have not arrived. key: as of other orders."""

    reason: Text = ""
    key: Name = ""
    force: bool = False


class MovePlan(Struct, frozen=True, forbid_unknown_fields=True):
    """A move as a person asks for it.

    name: of a draft that a notice opened, which says account, workers and origin; or a new one. workers: a pattern;
    empty for all. origin, target: sites, or regions. endpoints: HOST:PORT; empty for what the region says. pace:
    20/min, or waves as 10%/15min. deadline: when the old site goes dark; empty for its next notice. planned_on: when
    all should mine at the new one; empty for the deadline. start: begins by itself then; empty for when it is ordered.
    words: the notice as it was said. dry_run: keep nothing, and say who would be told what and when.
    """

    name: Name
    target: Text
    account: Name = ""
    origin: Text = ""
    pace: Name = DEFAULT_PACE
    workers: Text = ""
    origin_endpoint: Text = ""
    target_endpoint: Text = ""
    deadline: Time = ""
    planned_on: Time = ""
    tolerance_minutes: Annotated[int, Meta(ge=0, le=525_600)] = 60
    start: Time = ""
    wait_seconds: Annotated[int, Meta(ge=0, le=600)] = 0
    grace_seconds: Annotated[int, Meta(ge=1, le=3600)] = 10
    words: Text = ""
    dry_run: bool = False


class MovePlanned(Struct, frozen=True):
    """A plan with its machines."""

    done: str
    planned: Planned


class Strays(Struct, frozen=True):
    """Workers that came on in another region without a move, and nobody has confirmed it."""

    rows: tuple[Stray, ...]


class Said(Struct, frozen=True, forbid_unknown_fields=True):
    """A fact. kind: of those that the path has; empty for the first. says: its fields as text, as in a cell of a CSV
    file. Without valid_from it holds from now on."""

    says: Mapping[str, Cell]
    kind: Name = ""


class End(Struct, frozen=True, forbid_unknown_fields=True):
    """A row ends at a time; at its own beginning: so that it never held. kind: as in Said. source: who says so."""

    at: Time
    kind: Name = ""
    source: Text = ""


class FleetFiles(Struct, frozen=True, forbid_unknown_fields=True):
    """CSV files by their names, as assignment.csv: one for each kind of fact."""

    files: Mapping[str, str]


class Recorded(Struct, frozen=True):
    """What an entry came to: the rows that are new, or that ended because of it. moves: what it means for moves, in
    words: a suspension or closure opens a draft of one for the workers at its site, and a draft follows its notice."""

    done: str
    rows: tuple[FactView, ...]
    moves: tuple[str, ...] = ()


class ChargesMade(Struct, frozen=True):
    """What charging the readings of meters came to."""

    done: str
    charged: Charged


def _facts(group: str) -> tuple[Operation, Operation]:
    kinds = ", ".join(GROUPS[group])
    return (
        order(f"{group}.add", group, f"Enter a fact: {kinds}.", Said, Recorded, Right.MOVES),
        order(f"{group}.end", f"{group}/{{id}}/end", f"Let a row end: {kinds}.", End, Recorded, Right.MOVES),
    )


FLEET_ORDERS = (
    order("moves.plan", "moves", "Plan a move, or see what it would be.", MovePlan, MovePlanned, Right.MOVES),
    look("moves.due", "moves/{name}/due", "Who would be told when, if it were started now.", Planned, Right.MOVES),
    look(
        "moves.due_back",
        "moves/{name}/due-back",
        "Who would be told when, if it were rolled back now.",
        Planned,
        Right.MOVES,
    ),
    *(
        order(f"moves.{verb}", f"moves/{{name}}/{verb}", text, MoveOrder, right=Right.MOVES)
        for verb, text in (
            ("start", "Begin a planned move."),
            ("pause", "Tell nobody more to go."),
            ("resume", "Go on with the next."),
            ("rollback", "Have everybody come back."),
        )
    ),
    order(
        "moves.close",
        "moves/{name}/close",
        "Say that it is done; refused while machines are missing, unless by force. A draft is dropped, for a reason.",
        CloseOrder,
        right=Right.MOVES,
    ),
    look(
        "strays.show",
        "strays",
        "Workers that came on in another region without a move; their accounts' addresses are held.",
        Strays,
        Right.MOVES,
    ),
    order(
        "strays.confirm",
        "strays/{account}/confirm",
        "Say that an account's workers are where they should be; its address may be changed again.",
        Nothing,
        right=Right.MOVES,
    ),
    *(each for group in GROUPS for each in _facts(group)),
    order(
        "contracts.charge",
        "contracts/charge",
        "Charge the readings of meters, and take from balances what they cover; the rest are invoices.",
        Nothing,
        ChargesMade,
        Right.PAYOUTS,
    ),
    look("fleets.export", "fleets/export", "All that is known of fleets, as CSV files.", FleetFiles, Right.MOVES),
    look(
        "fleets.export.file",
        "fleets/export/{file}",
        "One of these files, such as assignment.csv.",
        CSV.partition(";")[0],
        Right.MOVES,
    ),
    order(
        "fleets.import",
        "fleets/import",
        "Record what CSV files say: all of it, or nothing. A refusal names each line that is wrong.",
        FleetFiles,
        Recorded,
        Right.MOVES,
        body_bytes_max=LARGE_BYTES_MAX,
    ),
    order(
        "fleets.import.file",
        "fleets/import/{file}",
        "The same with one file, as it is.",
        str,
        Recorded,
        Right.MOVES,
        media=CSV.partition(";")[0],
        body_bytes_max=LARGE_BYTES_MAX,
    ),
)
