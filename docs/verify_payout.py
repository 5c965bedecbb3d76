#!/usr/bin/env python3
"""Reckon again what a block of a Steppe pool pays, and say whether the pool agrees with the numbers.

    python3 verify_payout.py DIR

DIR holds block.json and shares.csv, as `steppe export block` writes them. Needs Python 3.9, has no line in common with
the pool. Exit code: 0 all agrees, 1 something does not, 2 the files cannot be read. Sections are of docs/payouts.md.
"""

import csv
import hashlib
import json
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path

ONE_BLOCK = 2**96  # units (1.2)
PER_SHARE = ("pps", "fpps", "pps_plus")  # these shares the reserve has bought, and has their part of the block (1.7)
wrong = []


def check(holds, text):
    wrong.extend([] if holds else [text])


def double_sha256(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def network_target(header):
    nbits = int.from_bytes(header[72:76], "little")
    size, mantissa = nbits >> 24, nbits & 0x7FFFFF
    return mantissa << 8 * (size - 3) if size > 3 else mantissa >> 8 * (3 - size)


def split(total, weights):
    """Largest remainder (1.4): everybody the floor, and what is missing one each to the largest remainders."""
    whole = sum(weights.values())
    parts = {key: total * weight // whole for key, weight in weights.items()}
    by_rest = sorted(weights, key=lambda key: (-(total * weights[key] % whole), key))
    parts.update({key: parts[key] + 1 for key in by_rest[: total - sum(parts.values())]})
    return parts


def units_of(header, difficulty):
    """The score of a share (1.2) by its header and the difficulty that its miner was told, and its target (1.1)."""
    of_block = network_target(header)
    target = max(of_block, min(2**256 - 1, int(0xFFFF * 2**208 / Fraction(difficulty))))
    work, block_work = 2**256 // (target + 1), 2**256 // (of_block + 1)
    return min(ONE_BLOCK, work * ONE_BLOCK // block_work), target


def read_shares(file, stakes, length):
    """The weight of each stake in a window that is `length` units long; how many shares, and how many with proof."""
    weights, counts, proven, last_seq, seen = {}, {}, 0, {}, set()
    total, first, first_stake, newest = 0, 0, None, ""
    for row in csv.DictReader(file):
        name = f"share {row['journal']}:{row['seq']}"
        stake, units, seq = stakes.get(int(row["stake"]), ("?", 0, "?", 0)), int(row["units"]), int(row["seq"])
        check(stake[0] != "?", f"{name} counts for stake {row['stake']}, which block.json does not have")
        check(0 < units <= ONE_BLOCK, f"{name} counts {units} units, which no share can")
        check(last_seq.get(row["journal"], 0) < seq, f"{name} does not follow the one before it in its journal")
        last_seq[row["journal"]] = seq
        first_stake, first = (stake, units) if first_stake is None else (first_stake, first)
        weights[stake], counts[stake] = weights.get(stake, 0) + units, counts.get(stake, 0) + 1
        total, newest = total + units, ""
        if row["header"]:
            header = bytes.fromhex(row["header"])
            digest = double_sha256(header)
            newest = digest[::-1].hex()  # as people write it
            score, target = units_of(header, row["difficulty"])
            check(len(header) == 80, f"{name}: its header has {len(header)} bytes instead of 80")
            check(int.from_bytes(digest, "little") <= target, f"{name}: its hash {newest} does not meet its target")
            check(units == score, f"{name}: it counts {units} units, but its difficulty is worth {score}")
            check(digest[:16] not in seen, f"{name}: the same header was counted before")
            seen.add(digest[:16])
            proven += 1
    over = total - length  # the oldest share counts only in part (1.6)
    what = "missing" if over < 0 else "too many"
    check(0 <= over < max(first, 1), f"the shares have {total} units, the window holds {length}: shares are {what}")
    if over > 0:
        weights[first_stake] -= over
    return weights, counts, proven, newest


def credit(weights, taker, block, window):
    """What each stake has of the block: (units, gross, fee, bought, own); and what the start-up policy keeps (1.6)."""
    reward = block["reward_sat"]
    if taker is not None:  # the finder is on SOLO and takes it all (1.7)
        fee = reward * taker[3] // 10000
        return {taker: (ONE_BLOCK, reward, fee, 0, reward - fee)}, 0
    taken = sum(weights.values())
    part = Fraction(taken, int(window["capacity"]) if window["startup"] == "reserve" else max(1, taken))
    gross = split(int(reward * part), weights)
    fees_of_block = split(int(max(0, reward - (block["subsidy_sat"] or 0)) * part), weights)
    credits = {}
    for key, units in weights.items():
        _, _, scheme, fee_bps = key
        fee = 0 if scheme in PER_SHARE else gross[key] * fee_bps // 10000  # rounded down (1.5)
        not_bought = fees_of_block[key] if scheme == "pps_plus" else 0
        bought = max(0, gross[key] - not_bought) if scheme in PER_SHARE else 0
        credits[key] = (units, gross[key], fee, bought, gross[key] - fee - bought)
    return credits, reward - int(reward * part)


def check_block(block):
    """The block by its own header, and its reward by the coinbase (without witness) that this header commits to."""
    header, coinbase = bytes.fromhex(block["header"]), bytes.fromhex(block["coinbase"])

    def number(at):  # how long, and where what follows begins
        size = {0xFD: 2, 0xFE: 4, 0xFF: 8}.get(coinbase[at], 0)
        return (int.from_bytes(coinbase[at + 1 : at + 1 + size], "little") if size else coinbase[at]), at + 1 + size

    script, at = number(4 + 1 + 36)
    outputs, at = number(at + script + 4)
    pays = 0
    for _ in range(outputs):
        pays += int.from_bytes(coinbase[at : at + 8], "little")
        at = sum(number(at + 8))
    digest, root = double_sha256(header), double_sha256(coinbase)
    for sibling in block["branch"]:
        root = double_sha256(root + bytes.fromhex(sibling))
    check(digest[::-1].hex() == block["hash"], f"the header of the finder's share is not that of block {block['hash']}")
    check(int.from_bytes(digest, "little") <= network_target(header), "the block does not meet the network's target")
    check(root == header[36:68], "the coinbase is not that of the block: its merkle root is another")
    check(pays == block["reward_sat"], f"the coinbase pays {pays} sat, and {block['reward_sat']} were shared out")
    print(f"Its header commits to a coinbase that pays {pays} sat.")


def divide(net, owner, contract):
    """What each party has of what an account earned in a slice: the steps of its contract, rounded down (4.4)."""
    left, parts, contract = net, Counter(), contract or {"cuts": [], "weights": {owner: 1}}
    for party, bps, base in contract["cuts"]:
        cut = (net if base == "net" else left) * bps // 10000
        left -= cut
        parts[party] += cut
    return parts + Counter(split(left, contract["weights"]))


def check_ledger(document, credits, kept, contracts):
    """The rows of the ledger: each sums to 0 and has its hash (3.1), and they book these credits."""
    claims = {"asset:coinbase_immature": document["block"]["reward_sat"], "equity:pplns_startup:immature": -kept}
    for key, (_, _, fee, bought, own) in credits.items():
        owed = [(f"liab:{party}", part) for party, part in divide(own, key[0], contracts.get(key)).items()]
        for owner, amount in (*owed, ("income:pool_fee", fee), ("equity:pps_reserve", bought)):
            claims[f"{owner}:immature"] = claims.get(f"{owner}:immature", 0) - amount
    booked = sorted([account, amount] for account, amount in claims.items() if amount)
    for row in document["ledger"]:
        canonical = [row["time_ms"], row["key"], row["kind"], row["ref"], row["entries"]]
        said = json.dumps(canonical, ensure_ascii=False, separators=(",", ":")).encode()
        digest = hashlib.sha256(bytes.fromhex(row["prev_hash"]) + said).hexdigest()
        check(digest == row["hash"], f"row {row['id']} of the ledger does not have its hash: it was changed")
        check(sum(amount for _, amount in row["entries"]) == 0, f"row {row['id']} of the ledger does not sum to 0")
        if row["kind"] == "block.immature":
            check(row["entries"] == booked, f"row {row['id']} of the ledger books something else than these credits")
    check(any(row["kind"] == "block.immature" for row in document["ledger"]), "the ledger has no row for the block")


def main(folder):
    document = json.loads((folder / "block.json").read_text(encoding="utf-8"))
    block, window = document["block"], document["window"]
    parts = ("account", "slice", "scheme", "fee_bps")  # what shares count for, and the order that breaks ties (1.4)
    stakes = {each["stake"]: tuple(each[part] for part in parts) for each in document["stakes"]}
    print(f"Block {block['height']}, {block['hash']}, pays {block['reward_sat']} sat; it is {block['state']}.")
    check_block(block) if block["header"] else print("No proof: compare the reward with the block in the chain.")
    begin, end, capacity = int(window["begin"]), int(window["end"]), int(window["capacity"])
    check(capacity == Fraction(window["blocks"]) * ONE_BLOCK // 1, "the window is not as long as its blocks")
    check(begin == (end if block["taker"] else max(0, end - capacity)), "the window begins elsewhere")
    with (folder / "shares.csv").open(encoding="ascii", newline="") as file:
        weights, counts, proven, newest = read_shares(file, stakes, end - begin)
    is_last = newest in ("", block["hash"]) or block["outcome"] != "accepted"
    check(is_last, "the newest share of the window is not the one that found the block")
    print(f"Its window holds {sum(counts.values())} shares; the work of {proven} was checked by their headers.")
    credits, kept = credit(weights, stakes.get(block["taker"]), block, window)
    names = ("units", "gross_sat", "fee_sat", "bought_sat", "own_sat")
    booked = {stakes[each["stake"]]: tuple(int(each[name]) for name in names) for each in document["credits"]}
    for key in sorted(credits.keys() | booked.keys()):
        units, gross, fee, bought, own = credits.get(key, (0,) * 5)
        who = f"{key[0]} ({key[2]}, fee {key[3]} bps{f', slice {key[1]}' if key[1] else ''})"
        print(f"{who}: {counts.get(key, 0)} shares, {units} units")
        print(f"    gross {gross}, fee {fee}, to the reserve {bought}, its own {own} sat")
        check(booked.get(key) == credits.get(key), f"{who}: booked are {booked.get(key)} ({', '.join(names)})")
    check(kept == document["reserve_sat"], f"start-up: {kept} sat are kept, and {document['reserve_sat']} are booked")
    check(sum(gross for _, gross, *_ in credits.values()) + kept == block["reward_sat"], "the parts are not the reward")
    contracts = {stakes[each["stake"]]: each.get("contract") for each in document["stakes"]}
    check_ledger(document, credits, kept, contracts)


if __name__ == "__main__":
    try:
        main(Path(*sys.argv[1:2]) if len(sys.argv) == 2 else sys.exit(__doc__))
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        print(f"These files cannot be read: {type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(2)
    print(*(f"WRONG: {text}" for text in wrong[:50]), sep="\n", end="\n" if wrong else "")
    print(f"{len(wrong)} things do NOT agree with the pool." if wrong else "Everything agrees, to the satoshi.")
    sys.exit(1 if wrong else 0)
