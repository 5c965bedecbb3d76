"""What shares count for, by number: the shares of a batch and the credits of a block name a stake by its id."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, insert, select

from payout.accounts import Scheme, Stake
from payout.store.statements import account_ids, chunks, next_id
from pool.store.sql import account, stake

STAKES = select(stake.c.id, account.c.name, stake.c.slice_id, stake.c.scheme, stake.c.fee_bps).join(
    account, account.c.id == stake.c.account_id
)
"""Every stake with the name of its account; a row of it makes a `stake_of`."""


def stake_of(row: Any) -> Stake:
    """The stake of a row of STAKES."""
    return Stake(row.name, row.slice_id, Scheme(row.scheme), row.fee_bps)


def stakes_by_id(connection: Connection, ids: Collection[int]) -> dict[int, Stake]:
    """The stakes of these numbers."""
    found: dict[int, Stake] = {}
    for chunk in chunks(ids):
        found.update((row.id, stake_of(row)) for row in connection.execute(STAKES.where(stake.c.id.in_(chunk))))
    return found


def ids_of(connection: Connection, stakes: Collection[Stake]) -> dict[Stake, int]:
    """The numbers of these stakes, whose accounts exist; a new stake gets the next one."""
    names = account_ids(connection, {each.account for each in stakes})
    known: dict[Stake, int] = {}
    for chunk in chunks(names.values()):
        rows = connection.execute(STAKES.where(stake.c.account_id.in_(chunk)))
        known.update((stake_of(row), row.id) for row in rows)
    missing = [each for each in stakes if each not in known]
    if missing:
        known.update((each, stake_id) for stake_id, each in enumerate(missing, next_id(connection, stake)))
        connection.execute(
            insert(stake),
            [
                {
                    "id": known[each],
                    "account_id": names[each.account],
                    "slice_id": each.slice_id,
                    "scheme": each.scheme.value,
                    "fee_bps": each.fee_bps,
                }
                for each in missing
            ],
        )
    return known
