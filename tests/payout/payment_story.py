"""What may happen to payments, as words: t: tick, m: block, r/R: reorg, f: mempool lost, k/K: killed or a twin, l: an
answer lost, s/u: node away or back, o: the wallet locked, or open again, b/c/d: an operator bumps, cancels or releases
it, and asks for another run; a place: killed there."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterable

from sqlalchemy import Engine

from payout.desk import DeskRefused
from payout.payment import StateChanged
from payout.payment_ports import WalletWaits
from pool.ports import NodeUnavailable
from tests.payout.payment_scene import COIN, Killed, PaymentScene
from tests.payout.payment_scene import settings as other_settings

OWED_SAT = {"alice": 3 * COIN // 2, "bob": COIN // 2}
PLACES = [
    "payout-reserve",
    "payout-reserved",
    "payout-build",
    "payout-built",
    "payout-built-kept",
    "payout-sign",
    "payout-signed",
    "payout-signed-kept",
    "payout-send",
    "payout-sent",
    "payout-sent-kept",
    "payout-confirm",
    "payout-confirmed",
    "payout-finish",
    "payout-finished",
]
"""Before and after every step of a payout that goes well."""

AFTER_A_REORG = ["payout-unconfirm", "payout-unconfirmed"]
"""Before and after a payment is taken back."""

WORDS = [*"tttttmmmrRfkKlsuobcd", *PLACES, *AFTER_A_REORG]


def random_story(rng: random.Random) -> list[str]:
    """Something that may happen."""
    return rng.choices(WORDS, k=rng.randrange(5, 41))


def paying(engine: Engine, **changes: object) -> PaymentScene:
    """A pool that owes alice and bob, asked to pay."""
    scene = PaymentScene(engine, other_settings(**changes))
    for name, sat in OWED_SAT.items():
        scene.account(name, sat)
    scene.run()
    return scene


def tell(scene: PaymentScene, story: Iterable[str]) -> None:
    """Let it happen."""
    for what in story:
        _happen(scene, what)


def pay_out(scene: PaymentScene) -> None:
    """Whatever happened, nothing is in the way any more: let it come to the end, and pay again what was cancelled."""
    scene.calm()
    scene.finish()
    scene.run()
    scene.finish()


def _happen(scene: PaymentScene, what: str) -> None:
    match what:
        case "m":
            scene.wallet.mine()
        case "r" | "R":
            scene.wallet.reorg(1 if what == "r" else 3, forget=what == "R")
        case "f":
            scene.wallet.forget_mempool()
        case "k":
            scene.restart()
        case "K":
            twin = scene.another_payer()
            _attempt(lambda: list(twin.tick(scene.now_ms)))
        case "l":
            scene.wallet.lose_answers = 1
        case "s":
            scene.wallet.failure = NodeUnavailable("away")
        case "u":
            scene.wallet.failure = None
        case "o":
            scene.wallet.locked = not scene.wallet.locked
        case "b":
            _attempt(lambda: scene.desk.bump(_newest(scene), 20_000))
        case "c":
            _attempt(lambda: scene.desk.cancel(_newest(scene), None))
        case "d":
            _attempt(lambda: scene.desk.release(_newest(scene), scene.now_ms))
            scene.run()
        case "t":
            _attempt(scene.tick)
        case place:
            scene.kill_at = place
            for _ in range(3):
                _attempt(scene.tick)
            scene.kill_at = None
            scene.restart()


def _newest(scene: PaymentScene) -> int:
    with scene.ledger.read() as books:
        return books.payouts.count()


def _attempt(work: Callable[[], object]) -> None:
    with contextlib.suppress(Killed, NodeUnavailable, DeskRefused, StateChanged, WalletWaits):
        work()
