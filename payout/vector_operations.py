"""The operations of the vectors: each takes the rules of this package as they are and writes down what comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any

from payout import commissioning, contracts, pps, rewards, settlement
from payout import vector_inputs as inputs
from payout.apportion import largest_remainder
from payout.ledger import Book, Posting, available
from payout.maturity import Life, Reward, State, enter
from payout.reserve import pps_reserve_sat
from payout.rewards import Credit, Split, Startup
from payout.vector_inputs import typed
from payout.withholding import judge_luck
from pool.bitcoin.target import target_from_difficulty, target_from_nbits, work_from_target

Key = tuple[str, str]
"""An account and its slice; the empty slice is none."""


def _work_from_nbits(given: Mapping[str, Any]) -> dict[str, Any]:
    rows = [
        {"nbits": nbits, **_target(target_from_nbits(int(nbits, 16)))} for nbits in typed(given, inputs.Targets).nbits
    ]
    return {"rows": rows}


def _target_from_difficulty(given: Mapping[str, Any]) -> dict[str, Any]:
    rows = [
        {"difficulty": difficulty, **_target(target_from_difficulty(Fraction(difficulty)))}
        for difficulty in typed(given, inputs.Difficulties).difficulty
    ]
    return {"rows": rows}


def _target(target: int) -> dict[str, str]:
    return {"target_hex": f"{target:064x}", "work": str(work_from_target(target))}


def _unit_score(given: Mapping[str, Any]) -> dict[str, Any]:
    pairs = typed(given, inputs.Pairs).pairs
    return {"units": [str(rewards.unit_score(int(pair.work), int(pair.net_work))) for pair in pairs]}


def _largest_remainder(given: Mapping[str, Any]) -> dict[str, Any]:
    cases = typed(given, inputs.SplitCases).cases
    return {"alloc": [largest_remainder(case.total, _ints(case.weights)) for case in cases]}


def _pplns(given: Mapping[str, Any]) -> dict[str, Any]:
    return _pplns_result(typed(given, inputs.Pplns))[0]


def _pplns_result(window: inputs.Pplns) -> tuple[dict[str, Any], Split[Key]]:
    if window.variant == "unit":
        block_score = rewards.UNIT
    elif window.block_net_work is not None:
        block_score = int(window.block_net_work)
    else:
        raise ValueError("the variant work needs block_net_work")
    capacity = rewards.window_capacity(window.x, block_score)
    shares = _newest_first(window, window.finder_seq)
    scores = [(share.seq, _score(share, window.variant)) for share in shares]
    taken = list(rewards.take_window(scores, capacity))
    weights = rewards.sum_weights((share.key, weight) for share, (_, weight) in zip(shares, taken, strict=False))
    split = rewards.split_reward(
        window.subsidy + window.fees, weights, _fees(window, weights), capacity, Startup(window.startup)
    )
    result = {
        "capacity": str(capacity),
        "taken": [{"seq": seq, "weight": str(weight)} for seq, weight in taken],
        "window_weight": str(sum(weights.values())),
        "weights": {_name(key): str(weight) for key, weight in weights.items()},
        "gross": _by_name(split, lambda credit: credit.gross_sat),
        "fee": _by_name(split, lambda credit: credit.fee_sat),
        "net": _by_name(split, lambda credit: credit.net_sat),
        "pool_fee": split.fee_sat,
        "reserve": split.reserve_sat,
    }
    return result, split


def _pplns_split(given: Mapping[str, Any]) -> dict[str, Any]:
    window = typed(given, inputs.PplnsSplit)
    result, split = _pplns_result(window)
    bound = {name: _contract(steps) for name, steps in window.contracts.items()}
    result["postings"] = {
        _name(credit.key): contracts.divide(credit.net_sat, bound[_name(credit.key)])
        for credit in split.credits
        if _name(credit.key) in bound
    }
    return result


def _contract(steps: list[inputs.Step]) -> contracts.Contract:
    if not steps or steps[-1].type != "share" or any(step.type != "bps" for step in steps[:-1]):
        raise ValueError("a contract is steps of bps and then one share of all that is left")
    # The format names the second base in words only ("what is left"), so whatever is not the net is that.
    cuts = [
        contracts.Cut(step.to, step.bps, contracts.Base.NET if step.of == "net" else contracts.Base.LEFT)
        for step in steps[:-1]
    ]
    return contracts.Contract(cuts, contracts.Shareout(_ints(steps[-1].parties)))


def _pps(given: Mapping[str, Any]) -> dict[str, Any]:
    accrued = typed(given, inputs.Pps)
    psat = _ints(accrued.carry_psat)
    prices = []
    for share in accrued.shares:
        price = pps.price(int(share.work), int(share.net_work), share.subsidy, share.fee_bps)
        psat[share.account] = psat.get(share.account, 0) + price.net_psat
        prices.append(price)
    rows = [
        {"gross_psat": str(price.gross_psat), "net_psat": str(price.net_psat), "fee_psat": str(price.fee_psat)}
        for price in prices
    ]
    return {"shares": rows, "accounts": {account: _settled(total) for account, total in psat.items()}}


def _settled(psat: int) -> dict[str, Any]:
    post_sat, carry_psat = pps.settle(psat)
    return {"post_sat": post_sat, "carry_psat": str(carry_psat)}


def _fpps_day(given: Mapping[str, Any]) -> dict[str, Any]:
    day = typed(given, inputs.FppsDay)
    rate = pps.fee_rate((pps.DayBlock(each.height, each.fees, each.subsidy) for each in day.blocks), day.trim)
    accounts = {}
    for account, base_psat in _ints(day.base_gross_psat).items():
        bonus_psat = rate.bonus_psat(base_psat)
        net_psat = pps.less_fee(base_psat + bonus_psat, day.fee_bps.get(account, day.default_fee_bps))
        accounts[account] = {"bonus_psat": str(bonus_psat), "net_psat": str(net_psat), **_settled(net_psat)}
    return {
        "used_heights": list(rate.heights),
        "sum_fees": rate.fees_sat,
        "sum_subsidy": rate.subsidy_sat,
        "accounts": accounts,
    }


def _ppsplus_block(given: Mapping[str, Any]) -> dict[str, Any]:
    window = typed(given, inputs.Pplns)
    capacity = rewards.window_capacity(window.x)
    split = rewards.pps_plus_block(window.fees, _weights(window, window.finder_seq), capacity)
    return {"to_pps_reserve": window.subsidy, "gross": _by_name(split, lambda credit: credit.gross_sat)}


def _solo(given: Mapping[str, Any]) -> dict[str, Any]:
    block = typed(given, inputs.Solo)
    credit = rewards.solo(block.finder, block.subsidy + block.fees, block.fee_bps)
    return {"gross": credit.gross_sat, "fee": credit.fee_sat, "net": credit.net_sat}


def _pps_reserve(given: Mapping[str, Any]) -> dict[str, Any]:
    rows = typed(given, inputs.Reserve).rows
    return {"reserve_sat": [pps_reserve_sat(row.block_sat, row.fee_bps, Fraction(row.delta)) for row in rows]}


def _orphan(given: Mapping[str, Any]) -> dict[str, Any]:
    story = typed(given, inputs.Orphan)
    capacity = rewards.window_capacity(story.x)
    lives: dict[str, Life] = {}
    splits: dict[str, Split[Key]] = {}
    for height, block in enumerate(story.blocks):
        weights = _weights(story, block.finder_seq)
        splits[block.hash] = rewards.split_reward(
            block.reward, weights, _fees(story, weights), capacity, Startup.DISTRIBUTE
        )
        lives[block.hash] = Life(block.hash.encode(), height)
    result: dict[str, Any] = {
        f"credits_{name}": _by_name(split, lambda credit: credit.net_sat) for name, split in splits.items()
    }
    book = Book()
    for event in story.events:
        word, name = event.split()
        if name not in lives:
            raise ValueError(f"the event {event!r} is about no block of the vector")
        lives[name], postings = enter(lives[name], State(word), _reward(splits[name]), time_ms=0)
        _deliver(book, postings)
        if word == State.ORPHANED.value:
            result[f"reversal_{name}"] = _by_name(splits[name], lambda credit: -credit.net_sat)
    balances_sat = book.balances_sat()
    accounts = sorted({credit.key[0] for split in splits.values() for credit in split.credits})
    result["available_after"] = {each: -balances_sat.get(available(each), 0) for each in accounts}
    result["immature_after"] = {each: -balances_sat.get(f"liab:{each}:immature", 0) for each in accounts}
    result["pool_fee_after"] = -balances_sat.get("income:pool_fee", 0)
    return result


def _reward(split: Split[Key]) -> Reward:
    claims_sat = {"income:pool_fee": split.fee_sat, "equity:pplns_startup": split.reserve_sat}
    for credit in split.credits:
        claim = f"liab:{credit.key[0]}"
        claims_sat[claim] = claims_sat.get(claim, 0) + credit.net_sat
    return Reward(split.total_sat, claims_sat)


def _energy_charge(given: Mapping[str, Any]) -> dict[str, Any]:
    sat = [
        contracts.energy_charge_sat(
            contracts.Charge(row.kind), row.energy_wh, Fraction(row.rate_minor_per_kwh), Fraction(row.sat_per_minor)
        )
        for row in typed(given, inputs.Energy).rows
    ]
    return {"sat": sat}


def _expected_sat(given: Mapping[str, Any]) -> dict[str, Any]:
    sat = [
        rewards.expected_sat(
            int(row.hps), row.seconds, row.block_sat, work_from_target(target_from_nbits(int(row.nbits, 16)))
        )
        for row in typed(given, inputs.Expected).rows
    ]
    return {"sat": sat}


def _commissioning(given: Mapping[str, Any]) -> dict[str, Any]:
    rows = []
    for batch in typed(given, inputs.Commissioning).batches:
        done = commissioning.progress(
            commissioning.Batch(
                batch.machines, batch.machines_online, int(batch.nominal_ghs), int(batch.work), batch.seconds
            )
        )
        each = done.nominal_ghs_per_machine
        rows.append(
            {
                "nominal_ghs_per_machine": f"{each.numerator}/{each.denominator}",
                "measured_ghs": str(done.measured_ghs),
                "expected_ghs": str(done.expected_ghs),
                "measured_vs_nominal_bps": done.measured_vs_nominal_bps,
                "measured_vs_expected_bps": done.measured_vs_expected_bps,
                "online_bps": done.online_bps,
            }
        )
    return {"batches": rows}


def _poisson_tail(given: Mapping[str, Any]) -> dict[str, Any]:
    test = typed(given, inputs.Poisson)
    judged = [judge_luck(Fraction(row.expected_blocks), row.found, Fraction(test.alpha)) for row in test.rows]
    return {"p": [each.probability for each in judged], "flag": [each.flagged for each in judged]}


def _ledger_cycle(given: Mapping[str, Any]) -> dict[str, Any]:
    cycle = typed(given, inputs.Cycle)
    claims_sat = {f"liab:{account}": amount for account, amount in cycle.credits.items()}
    reward = Reward(cycle.reward, {**claims_sat, "income:pool_fee": cycle.pool_fee})
    found = Life(cycle.block.encode(), height=0)
    immature, credited = enter(found, State.IMMATURE, reward, time_ms=0)
    _, matured = enter(immature, State.MATURE, reward, time_ms=0)
    paid: tuple[Posting, ...] = ()
    if cycle.payout:
        paid = (
            settlement.reserve(cycle.payout_id, cycle.payout, time_ms=0),
            settlement.confirm(cycle.payout_id, cycle.payout, cycle.network_fee, time_ms=0),
        )
    book = Book()
    _deliver(book, (*credited, *matured, *paid))
    # The ledger calls a block by its hash, a vector by a word.
    postings = [
        {
            "key": row.posting.key.replace(found.hash_hex, cycle.block),
            "entries": {entry.account: entry.amount_sat for entry in row.posting.entries},
        }
        for row in book.rows
    ]
    return {"postings": postings, "balances": book.balances_sat()}


def _payout_batch(given: Mapping[str, Any]) -> dict[str, Any]:
    batch = typed(given, inputs.PayoutBatch)
    unknown = sorted({each.script_type for each in batch.candidates} - set(batch.dust))
    if unknown:
        raise ValueError(f"no dust limit for the script types {unknown}")
    candidates = [
        settlement.Candidate(
            account=each.account,
            available_sat=each.available,
            min_payout_sat=each.min_payout,
            script=each.script,
            dust_sat=batch.dust[each.script_type],
            address_valid=each.address_valid,
            address_hold_until=each.address_hold_until,
            state=each.state,
        )
        for each in batch.candidates
    ]
    chosen = settlement.select(candidates, batch.now, batch.max_outputs)
    return {
        "outputs": chosen.outputs_sat,
        "lines": [{"account": line.account, "script": line.script, "amount": line.amount_sat} for line in chosen.lines],
        "skipped": dict(chosen.skipped),
        "total": chosen.total_sat,
    }


def _newest_first(window: inputs.Window, finder_seq: int) -> list[inputs.WindowShare]:
    shares = sorted(window.shares, key=lambda share: -share.seq)
    if len({share.seq for share in shares}) != len(shares):
        raise ValueError("two shares have the same seq")
    return [share for share in shares if share.seq <= finder_seq]


def _weights(window: inputs.Window, finder_seq: int) -> dict[Key, int]:
    """Of a window of unit scores."""
    scores = ((share.key, _score(share, "unit")) for share in _newest_first(window, finder_seq))
    return rewards.sum_weights(rewards.take_window(scores, rewards.window_capacity(window.x)))


def _score(share: inputs.WindowShare, variant: str) -> int:
    work = int(share.work)
    return rewards.unit_score(work, int(share.net_work)) if variant == "unit" else work


def _fees(window: inputs.Window, keys: Iterable[Key]) -> dict[Key, int]:
    return {key: window.fee_of(key[0]) for key in keys}


def _by_name(split: Split[Key], amount: Callable[[Credit[Key]], int]) -> dict[str, int]:
    return {_name(credit.key): amount(credit) for credit in split.credits}


def _name(key: Key) -> str:
    account, slice_name = key
    return f"{account}/{slice_name}" if slice_name else account


def _deliver(book: Book, postings: Iterable[Posting]) -> None:
    """Book every event, and every one again: the second time changes nothing."""
    for posting in postings:
        book.post(posting)
        book.post(posting)


def _ints(values: Mapping[str, str]) -> dict[str, int]:
    return {key: int(value) for key, value in values.items()}


OPERATIONS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "work_from_nbits": _work_from_nbits,
    "target_from_difficulty": _target_from_difficulty,
    "unit_score": _unit_score,
    "largest_remainder": _largest_remainder,
    "pplns": _pplns,
    "pps": _pps,
    "fpps_day": _fpps_day,
    "ppsplus_block": _ppsplus_block,
    "solo": _solo,
    "pps_reserve": _pps_reserve,
    "orphan": _orphan,
    "pplns_split": _pplns_split,
    "energy_charge": _energy_charge,
    "expected_sat": _expected_sat,
    "commissioning": _commissioning,
    "poisson_tail": _poisson_tail,
    "ledger_cycle": _ledger_cycle,
    "payout_batch": _payout_batch,
}
