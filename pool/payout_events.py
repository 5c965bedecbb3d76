"""Log events of payments, as those of `pool.events`. In alphabetical order."""

from __future__ import annotations

from pool.emit import CRITICAL, INFO, WARNING, emit


def payout_changed(
    payout_id: int, before: str | None, after: str, total_sat: int, txid_hex: str | None, fee_sat: int | None
) -> None:
    """A batch of payments was made, went from one state to the next, or got another transaction."""
    emit(
        INFO,
        "payout_changed",
        payout=payout_id,
        before=before,
        after=after,
        total_sat=total_sat,
        txid=txid_hex,
        fee_sat=fee_sat,
    )


def payouts_go_on(what: str) -> None:
    """What payments waited for is there again."""
    emit(INFO, "payouts_go_on", what=what)


def payouts_stopped(message: str) -> None:
    """Something is wrong with the money: nothing is sent until a person has looked. Mining and credits go on."""
    emit(CRITICAL, "payouts_stopped", message=message)


def payouts_wait(what: str, message: str) -> None:
    """Something that payments need is away. what: a payout, the run, the lease, coins, the node or the database."""
    emit(WARNING, "payouts_wait", what=what, message=message)
