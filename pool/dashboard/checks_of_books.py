"""The checks of the accounting role: the books, the reserve, the moves and the fleets."""

from __future__ import annotations

from pool.bitcoin.amount import format_btc
from pool.dashboard.checks import Check, State
from pool.dashboard.role_rows import AccountingRole

LAG_WARN_SHARES = 120_000
"""A minute of shares at 2,000 a second, the load that the pool is built for: credits are visibly late."""

TOLD_MAX = 10
"""So many alarms are told in one line."""

NAMES = ("accounting", "ledger", "reserve", "luck", "moves", "fleet")


def of_books(role: AccountingRole | None) -> tuple[Check, ...]:
    """Named as in NAMES."""
    return (_accounting(role), _ledger(role), _reserve(role), _luck(role), _moves(role), _fleet(role))


def _accounting(role: AccountingRole | None) -> Check:
    if role is None:
        return Check(
            "accounting",
            State.DOWN,
            "the accounting role gives no sign of life; shares are safe in the journal, credits wait",
            "`steppe run` restarts it by itself; if it does not stay up, its log says why.",
        )
    if role.lag_shares is not None and role.lag_shares > LAG_WARN_SHARES:
        return Check(
            "accounting",
            State.WARN,
            "credits are late: many shares wait to be booked",
            "It catches up by itself unless the database is too slow for the share rate.",
        )
    return Check("accounting", State.OK, "books shares")


def _ledger(role: AccountingRole | None) -> Check:
    """Never down: mining goes on, whatever is wrong with the money."""
    if role is None:
        return Check("ledger", State.UNKNOWN, "not known while the accounting role is down")
    if role.broken:
        first = role.broken[0]
        more = f", and {len(role.broken) - 1} more" if len(role.broken) > 1 else ""
        text = f"payouts are stopped: invariant {first.invariant} is broken: {first.what}{more}"
        return Check("ledger", State.WARN, text, f"{first.mend} Then `steppe payout resume REASON`.")
    if role.payouts_stopped is not None:
        mend = "`steppe payout status` says more. Once all is well: `steppe payout resume REASON`."
        return Check("ledger", State.WARN, f"payouts are stopped: {role.payouts_stopped}", mend)
    if role.held:
        first_held = role.held[0]
        text = f"{len(role.held)} of our blocks are held: {first_held.hash_hex}: {first_held.reason}"
        return Check("ledger", State.WARN, text, "Look at it, then `steppe block release HASH REASON`.")
    return Check("ledger", State.OK, "every invariant holds")


def _luck(role: AccountingRole | None) -> Check:
    if role is None:
        return Check("luck", State.UNKNOWN, "not known while the accounting role is down")
    if role.suspected:
        first = role.suspected[0]
        text = f"blocks are missing from {len(role.suspected)} groups, first {first.kind} {first.name}"
        return Check("luck", State.WARN, text, f"`steppe withholding` has the figures. {first.told}")
    return Check("luck", State.OK, "nobody finds fewer blocks than luck allows")


def _reserve(role: AccountingRole | None) -> Check:
    if role is None:
        return Check("reserve", State.UNKNOWN, "not known while the accounting role is down")
    found = role.reserve
    if found is None:
        return Check("reserve", State.OK, "not looked at yet")
    held = f"the reserve of pay per share holds {format_btc(found.held_sat)} BTC"
    mend = "`steppe reserve show` says what is needed; `steppe reserve fund` books what you add."
    match found.level:
        case "unused":
            return Check("reserve", State.OK, "nobody is paid per share")
        case "low":
            return Check("reserve", State.WARN, f"{held}, below {_btc(found.alarm_sat)}", mend)
        case "closed":
            text = f"{held}, below {_btc(found.close_sat)}: no account more is paid per share"
            return Check("reserve", State.WARN, text, mend)
        case "stopped":
            text = f"{held}: it was used up, and new jobs are paid by PPLNS"
            return Check("reserve", State.WARN, text, f"{mend} Then `steppe reserve resume`.")
        case _:
            return Check("reserve", State.OK, held)


def _btc(amount_sat: int | None) -> str:
    if amount_sat is None:
        return "any amount: the lowest fee does not cover the losses"
    return f"{format_btc(amount_sat)} BTC"


def _moves(role: AccountingRole | None) -> Check:
    if role is None or role.moves is None:
        return Check("moves", State.UNKNOWN if role is None else State.OK, "not known while nobody looks after them")
    if role.moves.late:
        late = ", ".join(f"{name}: {count}" for name, count in sorted(role.moves.late.items()))
        mend = "`steppe move show` lists who is missing, by rack; close the move when no more are to come."
        return Check("moves", State.WARN, f"relocation late, machines that have not arrived: {late}", mend)
    if role.moves.strays:
        return Check(
            "moves",
            State.WARN,
            f"{role.moves.strays} workers came on in another region without a planned move",
            "`steppe move strays` lists them. Their accounts' addresses cannot be changed until `steppe move confirm`.",
        )
    if role.moves.drafts:
        [first, *more] = role.moves.drafts
        which = f"{first} and {len(more)} more" if more else first
        mend = (
            f"`steppe move plan {first} --to SITE` says where; `steppe move close {first} --reason WHY` that they stay."
        )
        return Check("moves", State.WARN, f"power ends at a site, and nobody said where its machines go: {which}", mend)
    text = f"{role.moves.open} open" if role.moves.open else "none is open"
    return Check("moves", State.OK, text)


def _fleet(role: AccountingRole | None) -> Check:
    if role is None:
        return Check("fleet", State.UNKNOWN, "not known while nobody looks after it")
    if not role.alarms:
        return Check("fleet", State.OK, "no machine that should hash is known to be dark")
    told = [f"{each.kind} {each.name}: {each.dark:,} of {each.machines:,}" for each in role.alarms[:TOLD_MAX]]
    mend = "The page Fleets says since when. Call the site; announce what is planned with `steppe site event`."
    return Check("fleet", State.WARN, f"machines are dark: {'; '.join(told)}", mend)
