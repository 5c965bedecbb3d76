"""Log events of payments, as those of `pool.events`. In alphabetical order."""

from __future__ import annotations

from pool.emit import CRITICAL, INFO, WARNING, emit


def block_held(height: int, hash_hex: str, message: str) -> None:
    """What a block pays is held back until a person has looked: `steppe block release`."""
    emit(WARNING, "block_held", height=height, hash=hash_hex, message=message)


def blocks_missing(
    kind: str, name: str, checkpoint: int, blocks: int, probability: str, verdict: str, message: str
) -> None:
    """A group of machines found too few blocks for luck alone. kind: account or firmware. checkpoint: how many were to
    be expected. probability: of so few. verdict, message: what its other hashes say."""
    emit(
        WARNING,
        "blocks_missing",
        kind=kind,
        name=name,
        checkpoint=checkpoint,
        blocks=blocks,
        probability=probability,
        verdict=verdict,
        message=message,
    )


def invariant_broken(invariant: int, title: str, what: str, mend: str, in_all: int) -> None:
    """The books are wrong. what: which rows, and how; mend: what a person does; in_all: how many such things there
    are."""
    emit(CRITICAL, "invariant_broken", invariant=invariant, title=title, what=what, mend=mend, in_all=in_all)


def invariant_holds_again(invariant: int, title: str) -> None:
    """What was wrong is mended. Payouts stay stopped until somebody lets them go on."""
    emit(INFO, "invariant_holds_again", invariant=invariant, title=title)


def luck_tested(kind: str, name: str, checkpoint: int, blocks: int, probability: str) -> None:
    """A group of machines passed a checkpoint of expected blocks; it found no fewer than luck allows."""
    emit(INFO, "luck_tested", kind=kind, name=name, checkpoint=checkpoint, blocks=blocks, probability=probability)


def fee_day_settled(day: str, blocks: int, fees_sat: int, subsidy_sat: int, accounts: int) -> None:
    """What FPPS adds for a UTC day is in the ledger. fees_sat, subsidy_sat: of the blocks that count for the rate."""
    emit(
        INFO,
        "fee_day_settled",
        day=day,
        blocks=blocks,
        fees_sat=fees_sat,
        subsidy_sat=subsidy_sat,
        accounts=accounts,
    )


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


def pps_stopped(from_height: int, message: str) -> None:
    """The reserve is at the operator's floor: shares of jobs from this height on count by PPLNS, and nobody is paid per
    share. What was earned stays payable."""
    emit(CRITICAL, "pps_stopped", from_height=from_height, message=message)


def reserve_low(
    standing: str, held_sat: int, alarm_sat: int | None, close_sat: int | None, floor_sat: int, margin_bps: int | None
) -> None:
    """The reserve of pay per share is too small. standing: low, closed (to new accounts) or stopped.

    alarm_sat, close_sat: what should be held; None: no reserve is enough.
    """
    emit(
        WARNING,
        "reserve_low",
        standing=standing,
        held_sat=held_sat,
        alarm_sat=alarm_sat,
        close_sat=close_sat,
        floor_sat=floor_sat,
        margin_bps=margin_bps,
    )


def reserve_well(standing: str, held_sat: int) -> None:
    """The reserve of pay per share is large enough. standing: funded, or unused if nobody is paid per share."""
    emit(INFO, "reserve_well", standing=standing, held_sat=held_sat)


def stray_block(height: int, hash_hex: str, paid_sat: int, mend: str) -> None:
    """A block in the chain pays the pool, and no share of ours made it. mend: what a person does."""
    emit(CRITICAL, "stray_block", height=height, hash=hash_hex, paid_sat=paid_sat, mend=mend)
