"""A pool that pays, in a few lines: books, a wallet in memory, a payer that may be killed at any named place."""

from __future__ import annotations

from msgspec.structs import replace
from sqlalchemy import Engine

from payout import ledger
from payout.accounts import PayoutAddress, Scheme
from payout.advance import Moved, Settings, Waits
from payout.checks import FeeCaps
from payout.desk import Desk
from payout.payer import DAY_MS, Payer, Stopped, Told
from payout.payment import Batch
from payout.planning import Policy
from payout.store.ledger import SqlLedger
from payout.watch import Watch
from tests.payout.fake_wallet import FakeWallet, script

START_MS = 20_000 * DAY_MS
COIN = 100_000_000
SETTINGS = Settings(
    policy=Policy(threshold_sat=1_000_000, outputs_max=500, script_of=script),
    caps=FeeCaps(rate_max_sat_kvb=100_000, total_max_sat=1_000_000),
    target_blocks=6,
    fee_rate_fallback_sat_kvb=5_000,
    signs=True,
    hour_utc=None,
)


class Killed(BaseException):
    """The process ends here."""


class PaymentScene:
    """One pool."""

    def __init__(self, engine: Engine, settings: Settings = SETTINGS, coins: int = 10) -> None:
        self.ledger = SqlLedger(engine)
        self.settings = settings
        self.wallet = FakeWallet([COIN] * coins)
        self.wallet.mine(6)  # no reorg comes so deep
        self.now_ms = START_MS
        self.kill_at: str | None = None
        self.hits: list[str] = []
        self.lives = 0
        self.payer = self.another_payer()
        if coins:
            self.post("mined", {ledger.WALLET: coins * COIN, ledger.POOL_FEE: -coins * COIN})

    @property
    def desk(self) -> Desk:
        return Desk(self.ledger, self.wallet, self.settings)

    def another_payer(self) -> Payer:
        """As a process that starts after the last one has ended."""
        self.lives += 1
        life = f"life {self.lives}"
        return Payer(self.ledger, self.wallet, self.settings, life, lambda holder: holder != life, self.hit)

    def hit(self, name: str) -> None:
        self.hits.append(name)
        if name == self.kill_at:
            self.kill_at = None
            raise Killed

    def post(self, key: str, amounts: dict[str, int]) -> None:
        with self.ledger.write() as books:
            books.journal.post([ledger.posting(key, "test", key, self.now_ms, amounts)])

    def post_as(self, kind: str, ref: str, amounts: dict[str, int]) -> None:
        """A row that looks like one of a batch."""
        with self.ledger.write() as books:
            books.journal.post([ledger.posting(f"{kind}:by hand", kind, ref, self.now_ms, amounts)])

    def account(self, name: str, sat: int, address: str | None = None) -> None:
        """An account with something to be paid; its address is its name."""
        pays = None if address == "" else PayoutAddress(address or name, script(address or name))
        with self.ledger.write() as books:
            books.accounts.add(name, Scheme.PPLNS, 0, pays, START_MS)
        self.earn(name, sat)

    def earn(self, name: str, sat: int) -> None:
        if sat:
            self.post(f"earned:{name}:{self.now_ms}", {ledger.POOL_FEE: sat, ledger.available(name): -sat})

    def run(self) -> None:
        """Ask for a run."""
        with self.ledger.write() as books:
            books.payouts.open_run(None)

    def tick(self, seconds: int = 1) -> list[Told]:
        self.now_ms += seconds * 1000
        return list(self.payer.tick(self.now_ms))

    def ticks(self, count: int = 8) -> list[str]:
        """Tick so often; what was told, in words."""
        return [_word(told) for _ in range(count) for told in self.tick()]

    def restart(self) -> None:
        self.payer = self.another_payer()

    def calm(self) -> None:
        """Nothing is in the way any more, and a new process pays."""
        self.wallet.failure, self.wallet.lose_answers, self.wallet.locked, self.kill_at = None, 0, False, None
        self.restart()

    def batch(self, payout_id: int = 1) -> Batch:
        with self.ledger.read() as books:
            found = books.payouts.get(payout_id)
        assert found is not None
        return found

    def state(self, payout_id: int = 1) -> str:
        return self.batch(payout_id).state.value

    def stopped(self) -> str | None:
        with self.ledger.read() as books:
            switch = books.payouts.switch()
        return switch.reason if switch.is_stopped else None

    def resume(self) -> None:
        with self.ledger.write() as books:
            books.payouts.set_switch(is_stopped=False, reason="looked", time_ms=self.now_ms)

    def balances(self) -> dict[str, int]:
        """Every account that is not at 0, after a look at every invariant."""
        with self.ledger.read() as books:
            assert Watch().look(books) == ()
            balances = books.journal.balances_sat()
        return {name: sat for name, sat in sorted(balances.items()) if sat}

    def keys(self) -> list[str]:
        with self.ledger.read() as books:
            return [row.posting.key for row in books.journal.rows() if row.posting.kind.startswith("payout.")]

    def finish(self) -> None:
        """Let the chain and the payer go on until nothing is on its way any more."""
        for _ in range(40):
            self.ticks(4)
            self.wallet.mine()
            with self.ledger.read() as books:
                if not books.payouts.live() and not books.payouts.is_run_open():
                    return
        raise AssertionError(f"still on its way: {self.state()}")


def settings(**changes: object) -> Settings:
    """The settings of the scene, some of them otherwise."""
    return replace(SETTINGS, **changes)


def _word(told: Told) -> str:
    match told:
        case Moved(before=before, after=after):
            return f"{after.id}: {before or 'new'} -> {after.state}"
        case Waits(what=what, text=text):
            return f"{what} waits: {text}"
        case Stopped(reason=reason):
            return f"stopped: {reason}"
