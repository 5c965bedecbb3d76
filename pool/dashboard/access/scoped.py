"""The sources as one who may not see everything sees them. What is not let through here cannot be told by any endpoint,
because none of them has it."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from payout.accounts import AccountRefused
from payout.solvency import Solvency
from payout.statement import Statement
from payout.store.luck import GroupReport
from payout.store.payout_reports import PayoutDetail, PayoutsPage
from pool.access.scope import Scope
from pool.dashboard.ports import Books, Fleets, Live, SourceUnavailable
from pool.dashboard.role_rows import Roles
from pool.dashboard.rows import (
    AccountCredit,
    Activity,
    Block,
    BlockDetail,
    BookAccount,
    Hashrate,
    LiveView,
    Rate,
    Reject,
    Totals,
    Worker,
)
from pool.dashboard.workers import together
from pool.fleet.kinds import Assignment
from pool.fleet.register import Register
from pool.fleet.slices import NEVER_MS, SliceTable
from pool.ports import Clock
from pool.stats.history import Rings

_Belongs = Callable[[str, str], bool]
"""Whether a worker, by account and name, is of a part of the pool."""

_NOTHING = Activity(Hashrate(*[Rate(0.0, None)] * 4), 0, {}, None)
_ONLINE, _OFFLINE = (Worker("", "", "", sessions, None, _NOTHING) for sessions in (1, 0))
"""All that everybody is told of a worker: that there is one."""

_REMEMBERED_MAX = 100_000
_NO_FLEETS = Register()
_NOT_TOLD = "operators see it in full"


class AnonymousLive:
    """For everybody: how much and how many, but nobody's name."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._made: tuple[LiveView, LiveView] | None = None

    async def view(self) -> LiveView:
        """The same object for the same reading."""
        view = await self._live.view()
        if self._made is None or self._made[0] is not view:
            self._made = (view, _anonymous(view))
        return self._made[1]

    async def history(self) -> Rings:
        return await self._live.history()

    async def rejects(self, _login: str) -> tuple[Reject, ...]:
        return ()

    async def is_own(self, _login: str) -> bool:
        """Whether a worker is of the part that is seen."""
        return False


class ScopedLive:
    """For who sees an account, a site or a fleet: its workers, and the sum of them as the pool."""

    def __init__(self, live: Live, fleets: Fleets, scope: Scope, clock: Clock) -> None:
        self._live = live
        self._fleets = fleets
        self._scope = scope
        self._clock = clock
        self._made: tuple[LiveView, _Belongs, LiveView] | None = None
        self._belongs: tuple[Register, int, _Belongs] | None = None

    async def view(self) -> LiveView:
        """The same object for the same reading."""
        view = await self._live.view()
        own = await self._own()
        if self._made is None or self._made[0] is not view or self._made[1] is not own:
            self._made = (view, own, self._narrowed(view, own))
        return self._made[2]

    async def history(self) -> Rings:
        raise SourceUnavailable("hashrate over time is kept of the whole pool only")

    async def rejects(self, login: str) -> tuple[Reject, ...]:
        return await self._live.rejects(login) if await self.is_own(login) else ()

    async def is_own(self, login: str) -> bool:
        """Whether a worker is of the part that is seen."""
        account, _, worker = login.partition(".")
        return (await self._own())(account, worker)

    def _narrowed(self, view: LiveView, own: _Belongs) -> LiveView:
        workers = tuple(row for row in view.workers if own(row.account, row.worker))
        if self._scope.kind != "account":
            return replace(view, pool=together(workers), workers=workers, accounts=(), roles=_nameless(view.roles))
        accounts = tuple(row for row in view.accounts if row.name == self._scope.name)
        activity = accounts[0].activity if accounts else _NOTHING
        return replace(view, pool=activity, workers=workers, accounts=accounts, roles=_nameless(view.roles))

    async def _own(self) -> _Belongs:
        """Made anew when the fleets say something else, or the time of an assignment comes."""
        register = _NO_FLEETS if self._scope.kind == "account" else await self._fleets.register()
        now_ms = self._clock.time_ms()
        if self._belongs is None or self._belongs[0] is not register or now_ms >= self._belongs[1]:
            self._belongs = (register, *self._made_of(register, now_ms))
        return self._belongs[2]

    def _made_of(self, register: Register, now_ms: int) -> tuple[int, _Belongs]:
        scope = self._scope
        if scope.kind == "account":
            return NEVER_MS, lambda account, _: account == scope.name
        table = SliceTable(register.every(Assignment))
        standing = table.at(now_ms)
        slices = {each.slice_id for each in table.assignments if each.holds_at(now_ms) and _is_in(each, scope)}
        remembered: dict[tuple[str, str], bool] = {}  # each second asks for the same ten thousand

        def belongs(account: str, worker: str) -> bool:
            key = (account, worker)
            if key not in remembered:
                if len(remembered) >= _REMEMBERED_MAX:
                    remembered.clear()  # names have come and gone
                remembered[key] = standing.slice_of(account, worker) in slices
            return remembered[key]

        return standing.until_ms, belongs


class ScopedBooks:
    """For everybody, and for who sees a part: of the money only what is the account's, if it is one.

    account: whose; None for nobody's. is_everybody: the sums of all accounts are told, as they name none.
    """

    def __init__(self, books: Books, account: str | None, *, is_everybody: bool = False) -> None:
        self._books = books
        self._account = account
        self._is_everybody = is_everybody

    async def totals(self) -> Totals:
        found = await self._books.totals()
        if self._is_everybody:
            return found
        own = await self.accounts()
        return replace(
            found,
            accounts=len(own),
            immature_sat=sum(row.immature_sat for row in own),
            available_sat=sum(row.available_sat for row in own),
        )

    async def accounts(self) -> tuple[BookAccount, ...]:
        return tuple(row for row in await self._books.accounts() if row.name == self._account)

    async def account_credits(self, name: str, count: int) -> tuple[AccountCredit, ...]:
        return await self._books.account_credits(name, count) if name == self._account else ()

    async def blocks(self, state: str | None, offset: int, count: int) -> tuple[Block, ...]:
        return tuple(self._block(row) for row in await self._books.blocks(state, offset, count))

    async def block(self, hash_hex: str) -> BlockDetail | None:
        found = await self._books.block(hash_hex)
        if found is None:
            return None
        credits = tuple(row for row in found.credits if row.account == self._account)
        ledger = tuple(row for row in found.ledger if self._is_own_row(row.account))
        return BlockDetail(self._block(found.block), credits, ledger)

    async def statement(self, name: str, from_ms: int, to_ms: int, last_row: int | None, changes_max: int) -> Statement:
        if name != self._account:
            raise AccountRefused(f"there is no account {name!r}")  # as of one that does not exist
        return await self._books.statement(name, from_ms, to_ms, last_row, changes_max)

    async def payout(self, payout_id: int) -> PayoutDetail | None:
        found = await self._books.payout(payout_id)
        lines = tuple(row for row in found.lines if row.account == self._account) if found else ()
        if found is None or not lines:
            return None
        ledger = tuple(row for row in found.ledger if self._is_own_row(row.account))
        own_sat = sum(row.amount_sat for row in lines)
        attempts = tuple(replace(row, inputs=(), raw="") for row in found.attempts)
        return PayoutDetail(replace(found.payout, total_sat=own_sat, fee_sat=None), lines, attempts, ledger)

    async def payouts(self, _offset: int, _count: int) -> PayoutsPage:
        raise SourceUnavailable("batches are the pool's; the statement of the account has its payments")

    async def solvency(self) -> Solvency:
        raise SourceUnavailable(_NOT_TOLD)

    async def luck(self) -> tuple[GroupReport, ...]:
        raise SourceUnavailable(_NOT_TOLD)

    def _block(self, row: Block) -> Block:
        return row if row.finder.partition(".")[0] == self._account else replace(row, finder="")

    def _is_own_row(self, account: str) -> bool:
        return self._account is not None and account.startswith(f"liab:{self._account}:")


def _anonymous(view: LiveView) -> LiveView:
    return replace(
        view,
        workers=tuple(_ONLINE if row.online else _OFFLINE for row in view.workers),
        accounts=tuple(replace(row, name="") for row in view.accounts),
        roles=_nameless(view.roles),
    )


def _nameless(roles: Roles) -> Roles:
    """What the books' role says of accounts, without saying of which: that something is wrong is everybody's."""
    said = roles.accounting
    if said is None:
        return roles
    return replace(
        roles,
        accounting=replace(
            said,
            payouts_stopped=None if said.payouts_stopped is None else _NOT_TOLD,
            broken=tuple(replace(row, what=_NOT_TOLD, mend=_NOT_TOLD) for row in said.broken),
            held=tuple(replace(row, reason=_NOT_TOLD) for row in said.held),
            alarms=tuple(replace(row, name="", parts=()) for row in said.alarms),
            suspected=tuple(replace(row, name="", told=_NOT_TOLD) for row in said.suspected),
        ),
    )


def _is_in(row: Assignment, scope: Scope) -> bool:
    if scope.kind == "site":
        return row.site == scope.name
    return row.fleet == scope.name or row.fleet.startswith(scope.name + "/")
