"""Kills before and after every step between two states of a payment, of the pool and, separately, of its node, each
played to the end with a real wallet: until all is final, and everybody was paid exactly once."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import Struct

from payout.desk import DeskRefused
from tests.databases import NAMES
from tests.regtest.payer_process import PAUSE
from tests.regtest.paying_pool import COIN, Chain, PayingPool, amounts, end, kill
from tests.regtest.whole_pool import eventually

NAMES_OF_OWED = ("alice", "bob", "carol")
_EXITED_BY_KILL = -signal.SIGKILL
_WAIT_SECONDS = 60


class Step(Struct, frozen=True):
    """From one state to another. places: where it can be killed, in order, with what has happened by then. lead: brings
    a pool to where the step is next; it is given how to start the payer that takes it."""

    name: str
    places: tuple[tuple[str, str], ...]
    lead: Callable[[PayingPool, Callable[[], subprocess.Popen[bytes]]], subprocess.Popen[bytes]]


class Kill(Struct, frozen=True):
    """One of the kills. victim: `payer`, `node` or `command`, which is an operator's."""

    step: str
    place: str
    when: str
    victim: str
    database: str

    @property
    def title(self) -> str:
        return f"{self.step}, {self.victim} killed {self.when}, {self.database}"


def _at_once(pool: PayingPool, start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    return start()


def _mined(blocks: int) -> Callable[..., subprocess.Popen[bytes]]:
    def lead(pool: PayingPool, start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        process = start()
        pool.until("broadcast", process=process)
        pool.node.mine(blocks)
        return process

    return lead


def _until(pool: PayingPool, state: str) -> None:
    """By a payer that is ended in good order then."""
    process = pool.start()
    pool.until(state, process=process)
    end(process)


def _reorg(pool: PayingPool) -> None:
    """Another block in place of the newest, without the payment."""
    pool.node.call("invalidateblock", pool.node.call("getbestblockhash"))
    pool.node.call("generateblock", "raw(51)", [])


def _taken_back(pool: PayingPool, start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    _until(pool, "broadcast")
    pool.node.mine(1)
    _until(pool, "confirmed")
    _reorg(pool)
    return start()


def _bumped(pool: PayingPool, start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    _until(pool, "broadcast")
    pool.desk().bump(1, 20_000)
    return start()


def _cancel(pool: PayingPool) -> None:
    _until(pool, "broadcast")
    pool.desk().cancel(1, None)
    process = pool.start()
    eventually("the cancelling transaction is kept", lambda: len(pool.batches()[0].attempts) == 2)
    txid_hex = pool.batches()[0].attempts[1].txid_hex
    eventually("it is in the mempool", lambda: pool.node.call("getrawmempool") == [txid_hex])
    end(process)
    pool.node.mine(1)


def _cancelled(pool: PayingPool, start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    _cancel(pool)
    return start()


def _cancelled_deep(pool: PayingPool, start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    _cancel(pool)
    _until(pool, "cancelled")
    pool.node.mine(5)
    return start()


def _cancel_taken_back(pool: PayingPool, start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    _cancel(pool)
    _until(pool, "cancelled")
    _reorg(pool)
    return start()


_CONFIRM = (("payout-confirm", "before"), ("payout-confirmed", "after"))
_FINISH = (("payout-finish", "before"), ("payout-finished", "after"))
_UNCONFIRM = (("payout-unconfirm", "before"), ("payout-unconfirmed", "after"))
_SIGN = (("payout-sign", "before"), ("payout-signed", "signed, not kept"), ("payout-signed-kept", "after"))
_SEND = (("payout-send", "before"), ("payout-sent", "sent, not kept"), ("payout-sent-kept", "after"))

STEPS = (
    Step("new -> reserved", (("payout-reserve", "before"), ("payout-reserved", "after")), _at_once),
    Step(
        "reserved -> built",
        (("payout-build", "before"), ("payout-built", "built, not kept"), ("payout-built-kept", "after")),
        _at_once,
    ),
    Step("built -> signed", _SIGN, _at_once),
    Step("signed -> broadcast", _SEND, _at_once),
    Step("broadcast -> confirmed", _CONFIRM, _mined(1)),
    Step("confirmed -> final", _FINISH, _mined(6)),
    Step("confirmed -> broadcast (reorg)", _UNCONFIRM, _taken_back),
    Step(
        "broadcast -> broadcast (replaced)",
        (*_SIGN, ("payout-send", "kept, not sent"), ("payout-sent", "sent")),
        _bumped,
    ),
    Step("broadcast -> cancelled", _CONFIRM, _cancelled),
    Step("cancelled -> released", _FINISH, _cancelled_deep),
    Step("cancelled -> broadcast (reorg)", _UNCONFIRM, _cancel_taken_back),
)
OPERATORS_STEPS = ("built -> released", "built -> exported", "exported -> signed")
_COMMIT = (("books-written", "before"), ("books-committed", "after"))

KILLS = [
    Kill(step.name, place, when, victim, database)
    for step in STEPS
    for place, when in step.places
    for victim in ("payer", "node")
    for database in NAMES
] + [
    Kill(step, place, when, "command", database)
    for step in OPERATORS_STEPS
    for place, when in _COMMIT
    for database in NAMES
]


def owe(pool: PayingPool) -> None:
    """Three accounts are owed, and a run is asked for."""
    pool.book()
    amounts(pool, NAMES_OF_OWED, COIN // 3)
    pool.ask()


def play(each: Kill, pool: PayingPool, chain: Chain) -> None:
    """Kill there, start again, go on to the end. Raises AssertionError unless every line was paid exactly once."""
    if each.victim == "command":
        _play_command(each, pool)
    else:
        _play_payer(each, pool, chain)
    if "released" in pool.states():
        pool.ask()
        pool.finish()
    pool.check()
    assert {*pool.states()} <= {"final", "released"}
    assert pool.states()[-1] == "final"


def _play_payer(each: Kill, pool: PayingPool, chain: Chain) -> None:
    [step] = [step for step in STEPS if step.name == each.step]
    if each.victim == "payer":
        process = step.lead(pool, lambda: pool.start(kill_at=f"{each.place}=1"))
        assert process.wait(_WAIT_SECONDS) == _EXITED_BY_KILL
        pool.finish()
        return
    process = step.lead(pool, lambda: pool.start(**{PAUSE: each.place}))
    eventually("it has come there", lambda: _is_stopped(process.pid))
    kill(pool.node, chain)
    process.send_signal(signal.SIGCONT)
    pool.finish(process)


def _play_command(each: Kill, pool: PayingPool) -> None:
    process = pool.start(kill_at="payout-built-kept=1")
    assert process.wait(_WAIT_SECONDS) == _EXITED_BY_KILL
    assert pool.states() == ["built"]
    if each.step == "built -> released":
        _killed(pool, each, "release")
        pool.ask()
        pool.finish()
        return
    if each.step == "built -> exported":
        _killed(pool, each, "export")
    psbt = pool.desk(signs=False).export(1, 1)
    signed = str(pool.wallet()._call("walletprocesspsbt", psbt)["psbt"])
    if each.step == "exported -> signed":
        _killed(pool, each, "sign", signed)
    # Whoever does not know whether it was taken gives it once more.
    if pool.states() == ["exported"]:
        pool.desk(signs=False).take_signed(signed, 1)
    else:
        with pytest.raises(DeskRefused, match="has the signatures"):
            pool.desk(signs=False).take_signed(signed, 1)
    pool.finish()


def _killed(pool: PayingPool, each: Kill, what: str, *psbt: str) -> None:
    process = pool.start_command(f"{each.place}=1", what, "1", *psbt)
    assert process.wait(_WAIT_SECONDS) == _EXITED_BY_KILL


def _is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
