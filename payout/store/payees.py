"""Where accounts are paid and from how much on, in SQL: rows with a beginning, never overwritten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from sqlalchemy import Connection, Select, and_, func, insert, select

from payout.accounts import AccountRefused, PayoutAddress
from payout.ledger import available
from payout.payment_ports import Payee
from pool.store.move_tables import stray
from pool.store.sql import account, entry, payout_address, payout_address_cancel, payout_threshold

_AVAILABLE = available("%")


class AddressChange(Struct, frozen=True):
    """An address of an account. requested_ms: when it was asked for; valid_from_ms: from when on it is paid."""

    address: str
    requested_ms: int
    valid_from_ms: int
    cancelled_ms: int | None = None


class SqlPayees:
    """Addresses, thresholds, and who has something to be paid."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def addresses(self, name: str) -> list[AddressChange]:
        """The addresses of an account, oldest first, cancelled ones too. Raises AccountRefused for no account."""
        rows = self._connection.execute(_ADDRESSES.where(payout_address.c.account_id == self._id(name)))
        return [
            AddressChange(
                row.address,
                row.valid_from_ms if row.requested_ms is None else row.requested_ms,
                row.valid_from_ms,
                row.cancelled_ms,
            )
            for row in rows
        ]

    def owners(self) -> dict[str, list[str]]:
        """By every address that was ever given, the accounts that gave it."""
        found: dict[str, list[str]] = {}
        rows = select(payout_address.c.address, account.c.name).join_from(payout_address, account)
        for row in self._connection.execute(rows.distinct().order_by(account.c.name)):
            found.setdefault(row.address, []).append(row.name)
        return found

    def change_address(self, name: str, to: PayoutAddress, now_ms: int, hold_ms: int) -> AddressChange:
        """Pay an account elsewhere once the hold is over; its first address holds at once.

        Raises AccountRefused, also while another change is on hold, or a worker of the account is where nobody planned
        it to be: a move is when stolen names are easiest to use.
        """
        known = [change for change in self.addresses(name) if change.cancelled_ms is None]
        if known and known[-1].valid_from_ms > now_ms:
            raise AccountRefused(
                f"the address of {name} changes to {known[-1].address} already and is on hold: cancel that first"
            )
        if known and name in self._strayed():
            raise AccountRefused(
                f"the address of {name} cannot be changed: a worker of it came on in another region without a planned "
                f"move; see `steppe move strays`, and confirm it with `steppe move confirm {name}`"
            )
        if known and known[-1].address == to.address:
            raise AccountRefused(f"{name} is paid to {to.address} already")
        changed = AddressChange(to.address, now_ms, now_ms + (hold_ms if known else 0))
        self._connection.execute(
            insert(payout_address).values(
                account_id=self._id(name),
                valid_from_ms=changed.valid_from_ms,
                address=to.address,
                script=to.script,
                requested_ms=now_ms,
            )
        )
        return changed

    def cancel_change(self, name: str, now_ms: int) -> AddressChange:
        """Take back the change that is on hold. Raises AccountRefused if there is none."""
        for change in self.addresses(name):
            if change.cancelled_ms is None and change.valid_from_ms > now_ms:
                self._connection.execute(
                    insert(payout_address_cancel).values(
                        account_id=self._id(name), valid_from_ms=change.valid_from_ms, cancelled_ms=now_ms
                    )
                )
                return change
        raise AccountRefused(f"no change of the address of {name} is on hold")

    def change_threshold(self, name: str, threshold_sat: int | None, now_ms: int) -> None:
        """Pay an account once it has so much; None: as the pool does. Raises AccountRefused."""
        self._connection.execute(
            insert(payout_threshold).values(
                account_id=self._id(name), valid_from_ms=now_ms, threshold_sat=threshold_sat
            )
        )

    def threshold_sat(self, name: str, time_ms: int) -> int | None:
        """The threshold of an account at a time; None for the pool's."""
        return self._connection.execute(
            select(payout_threshold.c.threshold_sat)
            .where(payout_threshold.c.account_id == self._id(name), payout_threshold.c.valid_from_ms <= time_ms)
            .order_by(payout_threshold.c.valid_from_ms.desc())
            .limit(1)
        ).scalar_one_or_none()

    def payees(self, time_ms: int) -> Sequence[Payee]:
        """Every account with an available balance, by name."""
        balances = {
            row.account.removeprefix("liab:").removesuffix(":available"): -int(row.total)
            for row in self._connection.execute(_OWED)
            if row.total < 0
        }
        thresholds = self._thresholds_at(time_ms)
        names = self._connection.execute(select(account.c.id, account.c.name)).all()
        strayed = self._strayed()
        addresses, held = self._addresses_at(
            time_ms, {row.id: strayed[row.name] for row in names if row.name in strayed}
        )
        return sorted(
            (
                Payee(
                    account=row.name,
                    available_sat=balances[row.name],
                    address=addresses[row.id].address if row.id in addresses else None,
                    script=addresses[row.id].script if row.id in addresses else None,
                    held_until_ms=held.get(row.id, 0),
                    threshold_sat=thresholds.get(row.id),
                )
                for row in names
                if row.name in balances
            ),
            key=lambda payee: payee.account,
        )

    def _strayed(self) -> dict[str, int]:
        """By name, accounts with a worker where nobody planned it to be, and since when."""
        rows = self._connection.execute(
            select(stray.c.account, func.min(stray.c.seen_ms).label("since_ms"))
            .where(stray.c.confirmed_ms.is_(None))
            .group_by(stray.c.account)
        )
        return {row.account: row.since_ms for row in rows}

    def _addresses_at(
        self, time_ms: int, strayed: Mapping[int, int]
    ) -> tuple[dict[int, PayoutAddress], dict[int, int]]:
        """By account id: the address in force, and the end of a hold. strayed: since when changes are held that were on
        hold then, until somebody confirms; at the earliest, that is after now."""
        found: dict[int, PayoutAddress] = {}
        held: dict[int, int] = {}
        for row in self._connection.execute(_ADDRESSES.where(payout_address_cancel.c.cancelled_ms.is_(None))):
            is_held = row.account_id in found and row.valid_from_ms > strayed.get(row.account_id, row.valid_from_ms)
            if is_held and row.valid_from_ms <= time_ms:
                held[row.account_id] = time_ms + 1
            elif row.valid_from_ms <= time_ms:
                found[row.account_id] = PayoutAddress(row.address, row.script)
            else:
                held[row.account_id] = row.valid_from_ms
        return found, held

    def _thresholds_at(self, time_ms: int) -> dict[int, int | None]:
        rows = self._connection.execute(
            select(payout_threshold)
            .where(payout_threshold.c.valid_from_ms <= time_ms)
            .order_by(payout_threshold.c.valid_from_ms)
        )
        return {row.account_id: row.threshold_sat for row in rows}

    def _id(self, name: str) -> int:
        found = self._connection.execute(select(account.c.id).where(account.c.name == name)).scalar_one_or_none()
        if found is None:
            raise AccountRefused(f"account {name} does not exist; `steppe account list` shows those that do")
        return int(found)


_ADDRESSES: Select[int, int, str, bytes, int | None, int | None] = (
    select(
        payout_address.c.account_id,
        payout_address.c.valid_from_ms,
        payout_address.c.address,
        payout_address.c.script,
        payout_address.c.requested_ms,
        payout_address_cancel.c.cancelled_ms,
    )
    .join(
        payout_address_cancel,
        and_(
            payout_address_cancel.c.account_id == payout_address.c.account_id,
            payout_address_cancel.c.valid_from_ms == payout_address.c.valid_from_ms,
        ),
        isouter=True,
    )
    .order_by(payout_address.c.account_id, payout_address.c.valid_from_ms)
)
_OWED = (
    select(entry.c.account, func.sum(entry.c.amount_sat).label("total"))
    .where(entry.c.account.like(_AVAILABLE))
    .group_by(entry.c.account)
)
