"""Readings of meters into charges, and charges into the ledger: all of it one transaction."""

from __future__ import annotations

from sqlalchemy import Engine

from payout.charges import Charged, collect
from payout.store.charges import SqlCharges
from payout.store.ledger import SqlLedger
from pool import fleet_events
from pool.fleet.energy import dues
from pool.fleet.kinds import Reading
from pool.store.fleets import SqlFleets


def charge(engine: Engine, now_ms: int) -> Charged:
    """Charge every reading that is over and not charged, and take what balances cover of all charges.

    Done twice it does nothing more. Raises FleetRefused, and does nothing, if something about a reading is not known.
    """
    with SqlLedger(engine).write() as books:
        register, charges = SqlFleets(books.connection).register(), SqlCharges(books.connection)
        charged = charges.charged()
        due = [
            each
            for reading in register.known(Reading)
            if reading.row_id not in charged and not reading.is_withdrawn and (reading.valid_to_ms or 0) <= now_ms
            for each in dues(register, reading)
        ]
        charges.add(due, now_ms)
        postings = collect(books.journal, charges.every(), now_ms)
        after = charges.every()
    taken = {posted.ref for posted in postings}
    for each in after:
        if f"energy:{each.id}" in taken:
            fleet_events.energy_charged(each.account, each.party, each.amount_sat, each.open_sat)
    posted_sat = sum(entry.amount_sat for posted in postings for entry in posted.entries if entry.amount_sat > 0)
    return Charged(len(due), posted_sat, [each for each in after if each.open_sat])
