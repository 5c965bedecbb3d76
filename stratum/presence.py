"""Who is connected."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from stratum.ports import Link


class Presence(Struct, frozen=True):
    """A worker that is connected now; a worker with two machines is there twice. difficulty: None before its first job.
    agent: printable ASCII, untrusted."""

    account: str
    worker: str
    remote_address: str
    agent: str
    difficulty: float | None
    since_ms: int


def presence_of(link: Link, since_ms: int) -> Iterator[Presence]:
    """The workers authorized on one connection."""
    session = link.session
    for login in session.logins.values():
        yield Presence(
            login.account, login.worker, link.remote_address, session.agent, session.difficulty.current, since_ms
        )
