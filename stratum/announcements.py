"""What an operator may tell the miners, all of them or those of one account."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from stratum import messages
from stratum.jobs import LiveJob
from stratum.ports import Link
from stratum.retarget import Retargeting
from stratum.returning import Returning
from stratum.states import State


class Announcements:
    """Each method returns how many sessions were told.

    links: every connection that has a session. issue: sends one a clean job.
    """

    def __init__(
        self,
        links: Callable[[], Iterable[Link]],
        retargeting: Retargeting,
        returning: Returning,
        issue: Callable[[Link, LiveJob], None],
    ) -> None:
        self._links = links
        self._retargeting = retargeting
        self._returning = returning
        self._issue = issue

    def show_message(self, text: str, account: str | None = None) -> int:
        """A line for the miner's own screen."""
        return self._tell(messages.encode_show_message(text), account)

    def reconnect(self, host: str, port: int, wait_seconds: int, account: str | None = None) -> int:
        """Have them connect elsewhere. cgminer follows to hosts of the same domain only, ESP-Miner not at all: it comes
        back."""
        return self._tell(messages.encode_reconnect(host, port, wait_seconds), account)

    def ask_version(self, account: str | None = None) -> int:
        """Ask who they are; what they answer takes the place of the user agent."""
        return self._tell(messages.GET_VERSION, account)

    def change_extranonce(self, account: str | None = None) -> int:
        """Give another extranonce1 to all who said that they can take one, and a clean job with it."""
        return sum(self._change(link) for link in self._sessions(account))

    def _change(self, link: Link) -> bool:
        """Another extranonce1 for a session, if it takes one, with a job that it does not have yet."""
        session = link.session
        if not session.issued or not session.takes_extranonce:
            return False
        fresh = self._retargeting.fresh_job(session)
        if fresh is not None:
            session.change_extranonce(self._returning.change(link))
            self._issue(link, fresh)
        return fresh is not None

    def _tell(self, line: bytes, account: str | None) -> int:
        told = 0
        for link in self._sessions(account):
            link.session.tell(line)
            link.flush()
            told += 1
        return told

    def _sessions(self, account: str | None) -> Iterator[Link]:
        for link in list(self._links()):
            session = link.session
            if session.state is not State.READY:
                continue
            if account is None or any(login.account == account for login in session.logins.values()):
                yield link
