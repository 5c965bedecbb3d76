"""What a session tells its driver. Requests wait for the answer that their docstring names; the others are facts."""

from __future__ import annotations

from msgspec import Struct

from stratum.errors import StratumError
from stratum.extensions import Wishes
from stratum.limits import CloseReason
from stratum.login import Login
from stratum.messages import Submission


class SubscriptionRequested(Struct, frozen=True):
    """mining.subscribe: answer with `Session.subscribe`. agent: printable ASCII. session_id: one to resume, or None."""

    request_id: bytes | None
    agent: str
    session_id: str | None


class AuthorizationRequested(Struct, frozen=True):
    """mining.authorize: answer with `Session.authorize` or `Session.deny`. name: the login as the miner writes it.
    password: untrusted text."""

    request_id: bytes | None
    name: str
    login: Login
    password: str


class ConfigurationRequested(Struct, frozen=True):
    """mining.configure: answer with `Session.configure`."""

    request_id: bytes | None
    wishes: Wishes


class ShareSubmitted(Struct, frozen=True):
    """mining.submit on a ready session: answer with `Session.accept` or `Session.reject`, in the order of the events.

    login: whose it is; the session's first if the name in it is not authorized. submission: None if its params are
    not five or six strings.
    """

    request_id: bytes | None
    login: Login
    authorized: bool
    submission: Submission | None


class RequestRefused(Struct, frozen=True):
    """A request that the session answered by itself with an error, to be counted."""

    error: type[StratumError]


class Closed(Struct, frozen=True):
    """The session is over: write what is outgoing, then close."""

    reason: CloseReason


Event = (
    SubscriptionRequested | AuthorizationRequested | ConfigurationRequested | ShareSubmitted | RequestRefused | Closed
)
