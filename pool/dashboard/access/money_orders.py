"""What operators order about payments, blocks, accounts and the reserve."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from payout.accounts import Scheme
from payout.desk_views import AccountTerms, PlanReport, ReserveReport, StatusReport, WaitingBlock
from payout.foreign import Foreign
from pool.dashboard.access.operations import LARGE_BYTES_MAX
from pool.dashboard.access.orders import Name, Nothing, Reason, Why, look, order

SAT_MAX = 2_100_000_000_000_000

Ticket = Annotated[
    str,
    Meta(pattern=r"^[A-Za-z0-9_.-]{1,64}$", description="Names why, once and for ever: booked twice it is refused."),
]
FeeBps = Annotated[int, Meta(ge=0, le=10_000, description="In hundredths of a percent.")]


class Resume(Struct, frozen=True, forbid_unknown_fields=True):
    """Payouts go on. nothing_was_paid: you vouch that since the copy that the books were restored from nothing was, for
    a pool without a wallet to ask."""

    reason: Reason
    nothing_was_paid: bool = False


class FeeRate(Struct, frozen=True, forbid_unknown_fields=True):
    """At which rate a transaction is drafted. fee_rate: in sat/vB; null for the node's estimate. newest: the txid of
    the newest transaction of the batch; given, the order is refused once there is a newer one, so that it can be
    repeated without being carried out twice."""

    fee_rate: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    newest: Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?$")] = ""


class SignedPsbt(Struct, frozen=True, forbid_unknown_fields=True):
    """A PSBT that has its signatures, in base64."""

    psbt: Annotated[str, Meta(min_length=1)]


class Coins(Struct, frozen=True, forbid_unknown_fields=True):
    """Coins that came into the wallet otherwise than by blocks; negative: that left it otherwise than by payouts."""

    ticket: Ticket
    amount_sat: Annotated[int, Meta(ge=-SAT_MAX, le=SAT_MAX)]


class Txid(Struct, frozen=True, forbid_unknown_fields=True):
    """A transaction, as /api/v1/payouts/foreign names it."""

    txid: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]


class ReserveCoins(Struct, frozen=True, forbid_unknown_fields=True):
    """Coins for the reserve; negative: that were taken out of it. from_fees: they are fees that the pool has earned."""

    ticket: Ticket
    amount_sat: Annotated[int, Meta(ge=-SAT_MAX, le=SAT_MAX)]
    from_fees: bool = False


class AddAccount(Struct, frozen=True, forbid_unknown_fields=True):
    """An account before its first share. scheme, fee_bps: null for what the configuration says. address: where it is
    paid; null for later."""

    name: Name
    scheme: Scheme | None = None
    fee_bps: FeeBps | None = None
    address: Annotated[str, Meta(max_length=128)] | None = None


class ChangePlan(Struct, frozen=True, forbid_unknown_fields=True):
    """Another scheme or fee; null: as it is. from_time: as 2026-12-01T00:00Z; empty for in a minute or two."""

    scheme: Scheme | None = None
    fee_bps: FeeBps | None = None
    from_time: Annotated[str, Meta(max_length=40)] = ""


class ChangeAddress(Struct, frozen=True, forbid_unknown_fields=True):
    """Where an account is paid from the end of the hold on."""

    address: Annotated[str, Meta(min_length=1, max_length=128)]


class ChangeThreshold(Struct, frozen=True, forbid_unknown_fields=True):
    """From how much on an account is paid; null: as payouts.threshold_sat says."""

    threshold_sat: Annotated[int, Meta(ge=1, le=SAT_MAX)] | None


class Drafted(Struct, frozen=True):
    """A transaction that was drafted for a batch."""

    done: str
    payout: int
    txid: str
    fee_sat: int


class GivenOut(Struct, frozen=True):
    """What is to be signed elsewhere: a PSBT in base64. From now on it may be signed, so the batch cannot be released
    any more, only cancelled."""

    done: str
    payout: int
    psbt: str


class ForeignPayments(Struct, frozen=True):
    """What the wallet sent after the copy that the books were restored from, and that they do not know."""

    rows: tuple[Foreign, ...]


class WaitingBlocks(Struct, frozen=True):
    """The blocks that a person has to look at."""

    rows: tuple[WaitingBlock, ...]


MONEY_ORDERS = (
    look("payouts.plan", "payouts/plan", "Whom a run would pay now, and why the others wait: a dry run.", PlanReport),
    look(
        "payouts.status",
        "payouts/status",
        "Whether payouts go on, how many batches are where, and what is wrong with the books.",
        StatusReport,
    ),
    order("payouts.run", "payouts/run", "Pay now whoever can be paid, instead of at the daily hour.", Nothing),
    order("payouts.stop", "payouts/stop", "Send nothing more until `resume`.", Why),
    order("payouts.resume", "payouts/resume", "Let payouts go on, once somebody has looked.", Resume),
    order("payouts.fund", "payouts/fund", "Book coins that came into the wallet, or left it, otherwise.", Coins),
    look(
        "payouts.foreign",
        "payouts/foreign",
        "What the wallet sent and the books do not know, as after they were restored from an older copy.",
        ForeignPayments,
    ),
    order("payouts.adopt", "payouts/adopt", "Book such a transaction as the payments that it was.", Txid),
    order("payouts.release", "payouts/{id}/release", "Give the money of a batch back to its accounts.", Nothing),
    order("payouts.bump", "payouts/{id}/bump", "Draft a replacement at a higher fee rate.", FeeRate, Drafted),
    order(
        "payouts.cancel",
        "payouts/{id}/cancel",
        "Draft a transaction that spends an input back to the pool.",
        FeeRate,
        Drafted,
    ),
    order(
        "payouts.export",
        "payouts/{id}/export",
        "Give out the PSBT of a batch that waits for signatures, for the signer; again, if it got lost.",
        Nothing,
        GivenOut,
    ),
    order(
        "payouts.import",
        "payouts/import",
        "Take a signed PSBT; refused if it is not what was given out.",
        SignedPsbt,
        body_bytes_max=LARGE_BYTES_MAX,
    ),
    look(
        "blocks.held", "blocks/held", "Blocks that are held, or pay the pool and are not in its books.", WaitingBlocks
    ),
    order("blocks.hold", "blocks/{hash}/hold", "Hold back what a block pays.", Why),
    order("blocks.release", "blocks/{hash}/release", "Let go what a held block pays.", Why),
    order(
        "blocks.accept",
        "blocks/{hash}/accept",
        "End the alarm about a block that pays the pool and is not in its books, once somebody knows why.",
        Why,
    ),
    order("accounts.add", "accounts", "Register an account before its first share.", AddAccount),
    look(
        "accounts.terms",
        "accounts/{name}/terms",
        "How an account is paid, was and will be: plans, addresses, threshold.",
        AccountTerms,
    ),
    order("accounts.plan", "accounts/{name}/plan", "Give it another scheme or fee from a time on.", ChangePlan),
    order("accounts.plan.cancel", "accounts/{name}/plan/cancel", "Take back the change that is planned.", Nothing),
    order(
        "accounts.address",
        "accounts/{name}/address",
        "Pay it elsewhere, once the change was on hold for payouts.address_hold_hours.",
        ChangeAddress,
    ),
    order(
        "accounts.address.cancel",
        "accounts/{name}/address/cancel",
        "Take back the change that is on hold.",
        Nothing,
    ),
    order("accounts.threshold", "accounts/{name}/threshold", "Pay it once it has so much.", ChangeThreshold),
    look("reserve.show", "reserve", "What the reserve of pay per share holds, and should hold.", ReserveReport),
    order("reserve.fund", "reserve/fund", "Book coins for the reserve, or that were taken out of it.", ReserveCoins),
    order("reserve.resume", "reserve/resume", "Pay per share again, once the reserve is funded.", Why),
)
