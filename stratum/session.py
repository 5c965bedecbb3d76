"""One Stratum session as a state machine: bytes in, events out, bytes out. It knows no socket and no clock.

    for event in session.receive(data): ...     # handle each before the next is asked for
    transport.write(session.outgoing())

Replies leave in the order of the requests, also where a share's reply has to wait for the journal. Notifications
overtake waiting replies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Final

import msgspec
from msgspec import Raw

import native
from stratum import messages
from stratum.agent import cuts_fractions, printable
from stratum.difficulty import DifficultyBounds, SessionDifficulty, judged_target, parse_difficulty, parse_target
from stratum.errors import BadLogin, MalformedRequest, StratumError, TooManyWorkers, UnknownMethod
from stratum.events import (
    AuthorizationRequested,
    Closed,
    ConfigurationRequested,
    Event,
    RequestRefused,
    ShareSubmitted,
    SubscriptionRequested,
)
from stratum.extensions import VersionRolling, encode_answer, read_wishes
from stratum.jobs import LiveJob
from stratum.judge import Terms
from stratum.limits import (
    EARLY_BYTES_MAX,
    MESSAGES_BEFORE_AUTHORIZE_MAX,
    WORKERS_MAX,
    CloseReason,
    line_violation,
)
from stratum.login import Login, parse_login, password_options
from stratum.messages import Submission
from stratum.states import AFTER_AUTHORIZE, AFTER_SUBSCRIBE, MAY_FOLLOW, State
from stratum.vardiff import Pace

# Members of an enumeration cost a lookup that shows, once a share (Python 3.11).
_CLOSED: Final = State.CLOSED
_READY: Final = State.READY

_AUTHORIZE: Final = msgspec.json.Decoder(messages.Authorize)
_CONFIGURE: Final = msgspec.json.Decoder(messages.Configure)
_SUBSCRIBE: Final = msgspec.json.Decoder(messages.Subscribe)
_SUGGESTION: Final = msgspec.json.Decoder(messages.Suggestion)
_TARGET: Final = msgspec.json.Decoder(messages.TargetSuggestion)
_TEXT: Final = msgspec.json.Decoder(str)


class Session:
    """The protocol's side of one connection.

    bounds: of the port's difficulty. version_mask: bits that the pool lets a miner roll.
    """

    __slots__ = (
        "_announced_mask",
        "_first_login",
        "_first_name",
        "_messages",
        "_outgoing",
        "_rest",
        "_rolling",
        "_told_job",
        "_told_terms",
        "_version_mask",
        "_waiting",
        "agent",
        "difficulty",
        "early",
        "extranonce1",
        "extranonces",
        "flow",
        "issued",
        "logins",
        "pace",
        "state",
        "takes_extranonce",
    )

    def __init__(self, bounds: DifficultyBounds, version_mask: int) -> None:
        self.state = State.NEW
        self.agent = ""
        self.extranonce1 = b""
        # Those it had before, each with the number of the last job that it goes with.
        self.extranonces: tuple[tuple[int, bytes], ...] = ()
        self.takes_extranonce = False
        self.issued = False
        # All that came before the subscription; None if it was too much.
        self.early: bytes | None = b""
        self.difficulty = SessionDifficulty(bounds)
        self.flow = native.Flow()
        self.pace = Pace(bounds.shares_per_minute / 60, self.flow)
        # By the name as the miner writes it; the first one is the session's.
        self.logins: dict[str, Login] = {}
        # The first of them again: a comparison touches less memory than a dict does.
        self._first_name: str | None = None
        self._first_login: Login | None = None
        self._version_mask = version_mask
        self._rolling: VersionRolling | None = None
        self._announced_mask = 0
        self._messages = 0
        self._rest = b""
        self._outgoing = b""
        # The job that the last share was for and its terms; None whenever they may change.
        self._told_job: LiveJob | None = None
        self._told_terms: Terms | None = None
        # Replies that wait for an earlier share's: None is a share without its reply. A list only while there are any:
        # a new one lies where the last was freed, which the processor's caches have; that of an idle session they lost.
        self._waiting: list[bytes | None] | None = None

    def submitted(self, data: bytes) -> ShareSubmitted | None:
        """The event of bytes that are one whole submission in its ordinary form, as nearly all are: the short way.
        None for all else, of which nothing is taken: that is for `receive`."""
        if self._rest or self.state is not _READY:
            return None
        found = native.read_submit(data) if data.endswith(b"\n") else None
        return None if found is None else self._claim(found[0], Submission(*found[1:]))

    def receive(self, data: bytes) -> Iterator[Event]:
        """What the bytes amount to, however they are cut. Handle and answer each event before asking for the next."""
        if not self.extranonce1 and self.early is not None:
            self.early = self.early + data if len(self.early) + len(data) <= EARLY_BYTES_MAX else None
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if self.state is _CLOSED:
                return
            event = self._read(line)
            if event is not None:
                yield event
        if self.state is _CLOSED:
            self._rest = b""
        elif self._rest and (violation := line_violation(self._rest)) is not None:
            yield self.close(violation)

    def outgoing(self) -> bytes:
        """The bytes to write, once."""
        data, self._outgoing = self._outgoing, b""
        return data

    def close(self, reason: CloseReason) -> Closed:
        """End the session: nothing is read or sent from now on but what is outgoing."""
        self.state = State.CLOSED
        self._rest = b""
        return Closed(reason)

    def subscribe(self, request: SubscriptionRequested, extranonce1: bytes, session_id: str) -> None:
        """Grant a subscription; extranonce1 stays the same for as long as the session lives. session_id: by which it
        can be resumed."""
        self.extranonce1 = extranonce1
        self.early = None
        self._told_terms = None
        self.agent = request.agent
        if cuts_fractions(request.agent):
            self.difficulty.avoid_fractions()
        self.state = AFTER_SUBSCRIBE.get(self.state, self.state)
        self._reply(request.request_id, messages.encode_subscription(extranonce1, session_id))

    def authorize(self, request: AuthorizationRequested) -> None:
        """Grant an authorization: shares of that name are taken from now on."""
        self.logins[request.name] = request.login
        if self._first_name in (None, request.name):
            self._first_name, self._first_login = request.name, request.login
        asked = password_options(request.password)
        if asked.difficulty is not None:
            self.difficulty.pin(asked.difficulty)
        if asked.minimum is not None:
            self.difficulty.set_floor(asked.minimum)
        self.state = AFTER_AUTHORIZE.get(self.state, self.state)
        self._reply(request.request_id, b"true")

    def deny(self, request: AuthorizationRequested, error: type[StratumError]) -> RequestRefused:
        """Refuse an authorization; to be counted."""
        return self._refuse(request.request_id, error, b"false")

    def redirect(self, host: str, port: int, wait_seconds: int) -> None:
        """Ask it to go to another server; the session lives on until one of both ends it."""
        self._outgoing += messages.encode_reconnect(host, port, wait_seconds)

    def configure(self, request: ConfigurationRequested, template_version: int) -> None:
        """Grant what is possible on jobs of that version (BIP-0310)."""
        wishes = request.wishes
        self.takes_extranonce |= "subscribe-extranonce" in wishes.names
        self._told_terms = None
        if (rolling := wishes.version_rolling) is not None:
            self._announced_mask = rolling.granted(self._version_mask, template_version)
            self._rolling = rolling if self._announced_mask else None
        minimum = wishes.minimum_difficulty
        granted = minimum is not None and self.difficulty.set_floor(minimum)
        self._reply(request.request_id, encode_answer(wishes, self._announced_mask, granted))

    def change_extranonce(self, extranonce1: bytes) -> None:
        """Another extranonce1 from the next job on, which has to follow at once and be clean; jobs sent before keep
        theirs. Only for who said that it takes it."""
        self.extranonces += ((self.difficulty.newest, self.extranonce1),)
        self.extranonce1 = extranonce1
        self._told_terms = None
        self._outgoing += messages.encode_set_extranonce(extranonce1)

    def tell(self, line: bytes) -> None:
        """Send a notification, or a request of our own."""
        self._outgoing += line

    def issue(self, live: LiveJob, clean: bool, oldest: int) -> None:
        """Send a job, and before it the difficulty and the version mask where they change with it.

        clean: the previous block changed; the first job of a session is clean in any case. oldest: number of the
        oldest job still known.
        """
        self._told_terms = None
        if self._rolling is not None:
            mask = self._rolling.granted(self._version_mask, live.job.version)
            if mask != self._announced_mask:
                self._announced_mask = mask
                self._outgoing += messages.encode_set_version_mask(mask)
        first, self.issued = not self.issued, True
        difficulty = self.difficulty.announce(live.number, live.job.nbits, oldest, variant=live.variant)
        if first:
            difficulty = self.difficulty.current
        if difficulty is not None:
            self._outgoing += messages.encode_set_difficulty(difficulty)
        self._outgoing += live.lines.clean if clean or first else live.lines.unclean

    @property
    def has_open_shares(self) -> bool:
        """Whether a share waits for its reply."""
        return self._waiting is not None

    def terms(self, live: LiveJob | None) -> Terms:
        """What this session was told with a job."""
        told = self._told_terms
        if told is None or self._told_job is not live:
            told = self._told_terms = self._terms(live)
            self._told_job = live
        return told

    def _terms(self, live: LiveJob | None) -> Terms:
        if live is None:
            return Terms(self.extranonce1, None, 0, b"")
        # The mask follows from the job's version.
        mask = 0 if self._rolling is None else self._rolling.granted(self._version_mask, live.job.version)
        difficulty = self.difficulty.at(live.number, variant=live.variant)
        extranonce1 = next((each for last, each in self.extranonces if live.number <= last), self.extranonce1)
        # Without a difficulty the share is refused anyway; the block test needs none.
        return Terms(extranonce1, difficulty, mask, judged_target(difficulty or 1.0, live.job.nbits), self.agent)

    def accept(self, request_id: bytes | None) -> None:
        """Answer the oldest open share with true."""
        self._settle(b"" if request_id is None else messages.encode_result(request_id, b"true"))

    def reject(self, request_id: bytes | None, error: type[StratumError]) -> None:
        """Answer the oldest open share with an error."""
        self._settle(b"" if request_id is None else messages.encode_error(request_id, error))

    def _settle(self, reply: bytes) -> None:
        waiting = self._waiting
        if waiting is None:
            raise IndexError("no share waits for a reply")
        del waiting[0]
        self._outgoing += reply
        while waiting and (ready := waiting[0]) is not None:
            self._outgoing += ready
            del waiting[0]
        if not waiting:
            self._waiting = None

    def _reply(self, request_id: bytes | None, result: bytes) -> None:
        if request_id is not None:
            self._send(messages.encode_result(request_id, result))

    def _refuse(self, request_id: bytes | None, error: type[StratumError], result: bytes = b"null") -> RequestRefused:
        if request_id is not None:
            self._send(messages.encode_error(request_id, error, result))
        return RequestRefused(error)

    def _send(self, reply: bytes) -> None:
        if self._waiting is None:
            self._outgoing += reply
        else:
            self._waiting.append(reply)

    def _read(self, line: bytes) -> Event | None:
        if (violation := line_violation(line)) is not None:
            return self.close(violation)
        if not line.strip():
            return None
        try:
            request = messages.decode_request(line)
            request_id = messages.decode_id(request.request_id)
        except messages.MalformedMessage:
            return self.close(CloseReason.MALFORMED_MESSAGE)
        if not self.logins:
            self._messages += 1
            if self._messages > MESSAGES_BEFORE_AUTHORIZE_MAX:
                return self.close(CloseReason.TOO_MANY_MESSAGES)
        if request.method is None:
            self._take_version(request.result)
            return None
        refusal = MAY_FOLLOW[self.state].get(request.method, UnknownMethod)
        if refusal is not None:
            return self._refuse(request_id, refusal)
        try:
            return _STEPS[request.method](self, request_id, request.params)
        except StratumError as error:
            return self._refuse(request_id, type(error))

    def _submit(self, request_id: bytes | None, params: Raw) -> Event:
        try:
            submission = messages.decode_submission(params)
        except MalformedRequest:
            self._open_share()
            return ShareSubmitted(request_id, next(iter(self.logins.values())), True, None)
        return self._claim(request_id, submission)

    def _claim(self, request_id: bytes | None, submission: Submission) -> ShareSubmitted:
        self._open_share()
        login = self._first_login if submission.login == self._first_name else self.logins.get(submission.login)
        if login is None:
            return ShareSubmitted(request_id, next(iter(self.logins.values())), False, submission)
        return ShareSubmitted(request_id, login, True, submission)

    def _open_share(self) -> None:
        if self._waiting is None:
            self._waiting = [None]
        else:
            self._waiting.append(None)

    def _request_subscription(self, request_id: bytes | None, params: Raw) -> Event:
        asked = messages.decode_params(_SUBSCRIBE, params)
        session_id = asked.session_id if isinstance(asked.session_id, str) else None
        return SubscriptionRequested(request_id, printable(asked.agent), session_id)

    def _request_authorization(self, request_id: bytes | None, params: Raw) -> Event:
        asked = messages.decode_params(_AUTHORIZE, params)
        login = parse_login(asked.login)
        if login is None:
            return self._refuse(request_id, BadLogin, b"false")
        if len(self.logins) >= WORKERS_MAX and asked.login not in self.logins:
            return self._refuse(request_id, TooManyWorkers, b"false")
        password = asked.password if isinstance(asked.password, str) else ""
        return AuthorizationRequested(request_id, asked.login, login, password)

    def _request_configuration(self, request_id: bytes | None, params: Raw) -> Event:
        return ConfigurationRequested(request_id, read_wishes(messages.decode_params(_CONFIGURE, params)))

    def _suggest_difficulty(self, request_id: bytes | None, params: Raw) -> None:
        # No reply, as with ckpool: cgminer counts any as a share of its own, cpuminer takes it for its oldest share's.
        difficulty = parse_difficulty(messages.decode_params(_SUGGESTION, params).difficulty)
        if difficulty is not None:
            self.difficulty.suggest(difficulty)

    def _suggest_target(self, request_id: bytes | None, params: Raw) -> None:
        # As with mining.suggest_difficulty.
        difficulty = parse_target(messages.decode_params(_TARGET, params).target)
        if difficulty is not None:
            self.difficulty.suggest(difficulty)

    def _take_version(self, result: Raw) -> None:
        """The answer to client.get_version, our only request."""
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            self.agent = printable(_TEXT.decode(result)) or self.agent

    def _subscribe_extranonce(self, request_id: bytes | None, params: Raw) -> None:
        # Leave to send mining.set_extranonce, which only an operator causes.
        self.takes_extranonce = True
        self._reply(request_id, b"true")

    def _answer_no_transactions(self, request_id: bytes | None, params: Raw) -> None:
        # bfgminer asks again and again, and is content with an empty list.
        self._reply(request_id, b"[]")

    def _answer_ping(self, request_id: bytes | None, params: Raw) -> None:
        self._reply(request_id, b'"pong"')

    def _ignore(self, request_id: bytes | None, params: Raw) -> None:
        pass


_STEPS: Final[Mapping[str, Callable[[Session, bytes | None, Raw], Event | None]]] = {
    "mining.authorize": Session._request_authorization,
    "mining.configure": Session._request_configuration,
    "mining.extranonce.subscribe": Session._subscribe_extranonce,
    "mining.get_transactions": Session._answer_no_transactions,
    "mining.ping": Session._answer_ping,
    "mining.submit": Session._submit,
    "mining.subscribe": Session._request_subscription,
    "mining.suggest_difficulty": Session._suggest_difficulty,
    "mining.suggest_target": Session._suggest_target,
    "pong": Session._ignore,
}
