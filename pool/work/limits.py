"""Weight and sigops of the block that a template becomes with our coinbase; no block of ours exceeds what it may have.

The node keeps room for a coinbase, but does not know ours, and not every node keeps its word: a pool lost two blocks to
80,003 sigops of 80,000 in April 2023 (`bad-blk-sigops`, blocks 783426 and 784121).
"""

from __future__ import annotations

from msgspec import Struct

from pool.bitcoin.script import legacy_sigops
from pool.bitcoin.transaction import compact_size, parse_outputs, with_coinbase_witness
from pool.work.block import HEADER_BYTES
from pool.work.coinbase import EXTRANONCE_BYTES, SALT_BYTES_MAX, Coinbase, halves
from pool.work.template import WITNESS_SCALE, Template, TemplateError


class Cost(Struct, frozen=True):
    """Of a block or a part of it. weight: in weight units. sigops: their cost (BIP-0141)."""

    weight: int
    sigops: int


def fitted(template: Template, coinbase: Coinbase) -> Template:
    """The template with as many of its first transactions as have room beside our coinbase; nearly always all.

    Raises TemplateError if there is none for the coinbase alone.
    """
    frame = _frame(template, coinbase)
    weight_left, sigops_left = template.weight_max - frame.weight, template.sigops_max - frame.sigops
    if weight_left < 0 or sigops_left < 0:
        raise TemplateError(
            f"header and coinbase need {frame.weight} weight and {frame.sigops} sigops, and a whole block may have "
            f"{template.weight_max} and {template.sigops_max}"
        )
    for index, transaction in enumerate(template.transactions):
        weight_left -= transaction.weight
        sigops_left -= transaction.sigops
        if weight_left < 0 or sigops_left < 0:
            return template.first(index)
    return template


def block_cost(template: Template, coinbase: Coinbase) -> Cost:
    """At most this much the whole block has."""
    frame = _frame(template, coinbase)
    return Cost(
        frame.weight + sum(each.weight for each in template.transactions),
        frame.sigops + sum(each.sigops for each in template.transactions),
    )


def coinbase_cost(template: Template, coinbase: Coinbase) -> Cost:
    """Of our coinbase with the longest salt, its witness with it."""
    first, second = halves(coinbase, template, bytes(SALT_BYTES_MAX))
    transaction = first + bytes(EXTRANONCE_BYTES) + second
    witness_bytes = len(with_coinbase_witness(transaction)) - len(transaction)
    # Its input script only pushes, whatever the extranonce.
    sigops = sum(legacy_sigops(output.script) for output in parse_outputs(transaction))
    return Cost(WITNESS_SCALE * len(transaction) + witness_bytes, WITNESS_SCALE * sigops)


def _frame(template: Template, coinbase: Coinbase) -> Cost:
    """What there is beside the template's transactions."""
    count_bytes = len(compact_size(1 + len(template.transactions)))
    ours = coinbase_cost(template, coinbase)
    return Cost(ours.weight + WITNESS_SCALE * (HEADER_BYTES + count_bytes), ours.sigops)
