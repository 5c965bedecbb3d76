"""Who is paid by a job, read out of the coinbase that its miners have."""

from __future__ import annotations

import enum

from msgspec import Struct

from pool.bitcoin.network import Network
from pool.bitcoin.script import WITNESS_COMMITMENT_PREFIX, address_of
from pool.bitcoin.transaction import parse_outputs
from pool.work.coinbase import EXTRANONCE_BYTES, Coinbase
from pool.work.job import Job


class Payee(enum.Enum):
    """Whom an output pays: the address that the operator configured; nobody, as a commitment; or somebody else."""

    POOL = "pool"
    COMMITMENT = "commitment"
    OTHER = "other"


class PaidOutput(Struct, frozen=True):
    """An output of a coinbase. part: of all that it pays, 0 to 1. address: None for a script that has none."""

    value_sat: int
    part: float
    address: str | None
    script_hex: str
    to: Payee


def who_is_paid(job: Job, coinbase: Coinbase, network: Network) -> tuple[PaidOutput, ...]:
    """The outputs of a job in their order. Read back from its bytes, not from what they were made of, so that it says
    what the miners really have."""
    outputs = parse_outputs(job.coinb1 + bytes(EXTRANONCE_BYTES) + job.coinb2)
    total_sat = sum(output.value_sat for output in outputs)
    return tuple(
        PaidOutput(
            output.value_sat,
            output.value_sat / total_sat if total_sat else 0.0,
            address_of(output.script, network),
            output.script.hex(),
            _payee(output.script, coinbase),
        )
        for output in outputs
    )


def _payee(script: bytes, coinbase: Coinbase) -> Payee:
    if script == coinbase.payout_script:
        return Payee.POOL
    return Payee.COMMITMENT if script.startswith(WITNESS_COMMITMENT_PREFIX) else Payee.OTHER
