"""Live books beside rebuilt ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Row, select

from payout.accounts import Account, Stake
from payout.epochs import NetworkEpoch
from payout.fee_days import DAY_MS, day_name
from payout.ledger import LedgerError
from payout.order import OrderedShares, unpack, unpack_sums
from payout.ports import BookedBlock
from payout.pps import PSAT
from payout.store.activity import SqlActivity
from payout.store.ledger import SqlBooks
from payout.store.stakes import STAKES, stake_of
from pool.rebuild.comparison import Check
from pool.store.fleet_tables import slice_accrual
from pool.store.scheme_tables import fpps_base, fpps_carry
from pool.store.sql import account, journal, pps_accrual, pps_carry, progress, share_batch, share_sum

_AT_ONCE = {"yield_per": 1_000}
_EVER_MS = 1 << 62


def compare_books(live: SqlBooks, rebuilt: SqlBooks) -> list[Check]:
    """Everything but the postings, which are compared while they are made."""
    return [
        Check("journals' last records").mappings(live.shares.high_waters(), rebuilt.shares.high_waters()),
        Check("accounts and plans", "taken from the ledger").mappings(_accounts(live), _accounts(rebuilt)),
        _order(live.connection, rebuilt.connection),
        _sums(live.connection, rebuilt.connection),
        Check("earned per share, by period").mappings(_accruals(live.connection), _accruals(rebuilt.connection)),
        Check("fractions carried").mappings(_carries(live.connection), _carries(rebuilt.connection)),
        Check("earned by slices").mappings(_of_slices(live.connection), _of_slices(rebuilt.connection)),
        Check("what FPPS adds fees to, by day").mappings(_bases(live.connection), _bases(rebuilt.connection)),
        Check("blocks", "window's length and states from the ledger").mappings(_blocks(live), _blocks(rebuilt)),
        Check("credits of blocks").mappings(_credits(live), _credits(rebuilt)),
        Check("luck of accounts and firmware").mappings(live.luck.tallies(), rebuilt.luck.tallies()),
        _epochs(live.epochs.every(), rebuilt.epochs.every()),
        *_activity(live.activity, rebuilt.activity),
        Check("balances").mappings(live.journal.balances_sat(), rebuilt.journal.balances_sat()),
        Check("period, heights and runs of payouts").mappings(
            _progress(live.connection), _progress(rebuilt.connection)
        ),
        Check("hash of the newest row").mappings(_head(live.connection), _head(rebuilt.connection)),
    ]


def _accounts(books: SqlBooks) -> dict[str, object]:
    def told(each: Account) -> str:
        plans = ", ".join(f"{plan.scheme} {plan.fee_bps} bps from {plan.valid_from_ms}" for plan in each.plans)
        return f"since {each.created_ms}, {plans}"

    return {each.name: told(each) for each in books.accounts.every()}


def _order(live: Connection, rebuilt: Connection) -> Check:
    check = Check("batches of shares", "their order is the ledger's")
    names, names_again = _stakes(live), _stakes(rebuilt)
    same_numbers = names == names_again
    for one, two in zip_longest(_batches(live), _batches(rebuilt)):
        check.live += one is not None
        check.rebuilt += two is not None
        if one is None or two is None:
            check.differs(f"{_place(one or two)}: only {'rebuilt' if one is None else 'live'}")
            continue
        if one == two and same_numbers:
            continue
        if (one.frontend, one.last_seq, one.score_before, one.score_after) != (
            two.frontend,
            two.last_seq,
            two.score_before,
            two.score_after,
        ):
            told = [f"{_place(each)}, score {each.score_before} to {each.score_after}" for each in (one, two)]
            check.differs(f"{told[0]} live, {told[1]} rebuilt")
        if (difference := _first_difference(one, two, names, names_again)) is not None:
            check.differs(f"{_place(one)}: {difference}")
    return check


def _first_difference(
    one: Row[Any], two: Row[Any], names: Mapping[int, Stake], names_again: Mapping[int, Stake]
) -> str | None:
    try:
        live, rebuilt = list(_shares(unpack(one.shares), names)), list(_shares(unpack(two.shares), names_again))
    except LedgerError as error:
        return str(error)
    for share, again in zip_longest(live, rebuilt):
        if share != again:
            return f"share {_told(share)} live, {_told(again)} rebuilt"
    return None


def _shares(shares: OrderedShares[int], names: Mapping[int, Stake]) -> Iterator[tuple[int, str, int]]:
    unknown = "a stake that is not there"
    for seq, (stake, units) in zip(shares.seqs(), shares.in_order(), strict=True):
        yield seq, _name(names[stake]) if stake in names else unknown, units


def _told(share: tuple[int, str, int] | None) -> str:
    return "none" if share is None else f"{share[0]} of {share[1]}, {share[2]} units"


def _name(stake: Stake) -> str:
    return f"{stake.account} (slice {stake.slice_id}, {stake.scheme}, {stake.fee_bps} bps)"


def _place(row: Any) -> str:
    return f"batch {row.id}, journal {row.frontend} up to record {row.last_seq}"


def _batches(connection: Connection) -> Iterator[Row[Any]]:
    columns = share_batch.c
    rows = select(columns.id, columns.frontend, columns.last_seq, columns.score_before, columns.score_after)
    rows = rows.add_columns(columns.shares).order_by(columns.id)
    return iter(connection.execute(rows, execution_options=_AT_ONCE))


def _stakes(connection: Connection) -> dict[int, Stake]:
    return {row.id: stake_of(row) for row in connection.execute(STAKES)}


def _sums(live: Connection, rebuilt: Connection) -> Check:
    check = Check("sums of batches")
    names, names_again = _stakes(live), _stakes(rebuilt)

    def every(connection: Connection) -> Iterator[Row[Any]]:
        rows = select(share_sum).order_by(share_sum.c.height, share_sum.c.number)
        return iter(connection.execute(rows, execution_options=_AT_ONCE))

    for one, two in zip_longest(every(live), every(rebuilt)):
        check.live += one is not None
        check.rebuilt += two is not None
        if one == two and names == names_again:
            continue
        if one is None or two is None or _named(one.sums, names) != _named(two.sums, names_again):
            either = one or two
            check.differs(f"sum {either.number} of height {either.height}")
    return check


def _named(sums: bytes, names: Mapping[int, Stake]) -> object:
    try:
        return {names.get(stake): units for stake, units in unpack_sums(sums).items()}
    except LedgerError as error:
        return str(error)


def _accruals(connection: Connection) -> dict[tuple[str, int], object]:
    rows = connection.execute(
        select(pps_accrual, account.c.name).join(account, account.c.id == pps_accrual.c.account_id)
    )
    return {
        (row.name, row.period_ms): f"{row.earned_sat * PSAT + row.earned_psat} psat"
        + (", settled" if row.settled else "")
        for row in rows
    }


def _carries(connection: Connection) -> dict[str, int]:
    return {
        f"{row.name}{of}": row.carry_psat
        for table, of in ((pps_carry, ""), (fpps_carry, ", FPPS"))
        for row in connection.execute(
            select(table.c.carry_psat, account.c.name).join(account, account.c.id == table.c.account_id)
        )
    }


def _of_slices(connection: Connection) -> dict[tuple[object, ...], str]:
    rows = connection.execute(
        select(slice_accrual, account.c.name).join(account, account.c.id == slice_accrual.c.account_id)
    )
    return {
        (row.basis, row.at_ms, row.name, f"slice {row.slice_id}", row.fee_bps): (
            f"{row.earned_sat * PSAT + row.earned_psat} psat"
        )
        for row in rows
    }


def _bases(connection: Connection) -> dict[tuple[str, str, int], str]:
    rows = connection.execute(select(fpps_base, account.c.name).join(account, account.c.id == fpps_base.c.account_id))
    return {
        (day_name(row.day_ms), row.name, row.fee_bps): f"{row.base_sat * PSAT + row.base_psat} psat" for row in rows
    }


def _blocks(books: SqlBooks) -> dict[str, BookedBlock]:
    return {each.life.hash_hex: replace(each, credits=()) for each in books.blocks.every()}


def _credits(books: SqlBooks) -> dict[tuple[str, str], object]:
    return {
        (block.life.hash_hex, _name(each.key)): f"weight {each.weight}, {each.gross_sat} sat, fee {each.fee_sat}, "
        f"bought {each.bought_sat}"
        for block in books.blocks.every()
        for each in block.credits
    }


def _epochs(live: Sequence[NetworkEpoch], rebuilt: Sequence[NetworkEpoch]) -> Check:
    """From the first on that the live books have: older ones did not keep them, and began with what held already."""
    check = Check("difficulty and subsidy over time")
    first = live[0].from_height if live else 0
    told = {each.from_height: each for each in rebuilt if each.from_height > first}
    if live and (before := [each for each in rebuilt if each.from_height <= first]):
        told[first] = replace(before[-1], from_height=first, from_ms=live[0].from_ms)
    return check.mappings({each.from_height: each for each in live}, told if live else {})


def _activity(live: SqlActivity, rebuilt: SqlActivity) -> Iterator[Check]:
    """From the first full minute, and day, on that the live books have: older ones did not keep them."""
    first_ms = live.first_ms()
    check, workers = Check("what slices did, each ten seconds"), Check("who worked under slices, by day")
    if first_ms is not None:
        since_ms, day_ms = first_ms + 60_000, first_ms - first_ms % DAY_MS + DAY_MS
        check.mappings(_counted(live, since_ms), _counted(rebuilt, since_ms))
        workers.mappings(_workers(live, day_ms), _workers(rebuilt, day_ms))
    yield from (check, workers)


def _counted(kept: SqlActivity, from_ms: int) -> dict[tuple[int, int], object]:
    return {(each.slice_id, each.from_ms): each.activity for each in kept.between(from_ms, _EVER_MS)}


def _workers(kept: SqlActivity, from_ms: int) -> dict[tuple[int, int, str], object]:
    return dict.fromkeys(kept.workers(from_ms, _EVER_MS), "worked")


def _progress(connection: Connection) -> dict[str, int]:
    # How far looks at the chain have come follows from no share; the highest job was not always kept, and decides only
    # from where on the next decision holds.
    name = progress.c.name
    of_shares = select(progress).where(name.not_like("scan_%"), name != "share_height")
    return {row.name: row.value for row in connection.execute(of_shares)}


def _head(connection: Connection) -> dict[str, str]:
    newest = connection.execute(select(journal.c.hash).order_by(journal.c.id.desc()).limit(1)).scalar_one_or_none()
    return {} if newest is None else {"row": newest.hex()}
