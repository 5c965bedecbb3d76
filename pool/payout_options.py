"""The options of rewards and payments, as those of `pool.config`."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

_FRACTION = r"^[1-9][0-9]{0,3}(/[1-9][0-9]{0,3})?$"


class AccountingOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """Rewards."""

    pplns_window: Annotated[
        str,
        Meta(
            pattern=_FRACTION,
            description="Window in expected blocks, a whole number or a fraction such as 1/2.",
        ),
    ] = "8"
    pplns_startup: Annotated[
        Literal["distribute", "reserve"],
        Meta(
            description="While the window is not yet full: the whole block to what is there, or the rest to a reserve."
        ),
    ] = "distribute"
    default_scheme: Annotated[
        Literal["pplns", "pps", "fpps", "pps_plus", "solo"],
        Meta(description="Scheme of an account that is seen for the first time."),
    ] = "pplns"
    default_fee_bps: Annotated[
        int, Meta(ge=0, le=10_000, description="Pool fee of such an account, in hundredths of a percent.")
    ] = 100
    pps_period_seconds: Annotated[
        int, Meta(ge=1, le=86_400, description="PPS earnings move into the ledger once per period.")
    ] = 3600
    pps_losses_bps: Annotated[
        int,
        Meta(
            ge=0,
            le=10_000,
            description="Of what is paid per share, hundredths of a percent lost to orphans and withheld blocks.",
        ),
    ] = 50
    pps_floor_sat: Annotated[
        int,
        Meta(
            ge=0,
            le=2_100_000_000_000_000,
            description="With a reserve of this or less, in satoshis, new jobs are paid by PPLNS instead of per share.",
        ),
    ] = 0
    fee_hold_sat: Annotated[
        int,
        Meta(
            ge=0,
            le=2_100_000_000_000_000,
            description="A block whose transactions paid more fees is held until `steppe block release`; 0: none is.",
        ),
    ] = 1_000_000_000


class PayoutOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """Payments: coins from a wallet of the first node to the accounts."""

    enabled: Annotated[bool, Meta(description="Send coins; else what is earned stays in the ledger.")] = False
    wallet: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9._-]{1,64}$",
            description="The node's wallet, which holds pool.payout_address and serves nothing but the pool.",
        ),
    ] = "steppe"
    signer: Annotated[
        Literal["wallet", "external"],
        Meta(description="The wallet has the keys, or it only watches and a person signs what is exported."),
    ] = "wallet"
    hour_utc: Annotated[
        int, Meta(ge=-1, le=23, description="Hour of the daily run, UTC; -1: only when `steppe payout run` asks.")
    ] = 0
    threshold_sat: Annotated[
        int,
        Meta(ge=1, le=2_100_000_000_000_000, description="Accounts without a threshold of their own wait for this."),
    ] = 1_000_000
    outputs_max: Annotated[int, Meta(ge=1, le=2_000, description="Outputs of one transaction.")] = 500
    fee_target_blocks: Annotated[
        int, Meta(ge=1, le=1_008, description="The fee rate is the node's estimate for so many blocks.")
    ] = 6
    fee_rate_fallback: Annotated[
        int, Meta(ge=1, le=10_000, description="Fee rate while the node has no estimate, in sat/vB.")
    ] = 5
    fee_rate_max: Annotated[
        int, Meta(ge=1, le=10_000, description="Nothing is sent at a higher fee rate, in sat/vB.")
    ] = 100
    fee_max_sat: Annotated[
        int, Meta(ge=1, le=10_000_000_000, description="Nothing is sent that costs more, in satoshis a transaction.")
    ] = 2_000_000
    address_hold_hours: Annotated[
        int, Meta(ge=0, le=8_760, description="Payments to an account wait so long after a change of its address.")
    ] = 72
