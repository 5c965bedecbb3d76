"""What access needs of the outside world. Everything raises SourceUnavailable when the database cannot be asked."""

from __future__ import annotations

from typing import Protocol

from pool.access.credential import Credential, Directory, Wish
from pool.access.log import Excerpt, Sought


class Credentials(Protocol):
    """Who may come in, and the log of what they did."""

    async def directory(self) -> Directory:
        """What holds now."""

    async def check_password(self, kept: str | None, password: str) -> bool:
        """Whether it is the password, away from the reactor: it takes some 0.1 s and 64 MiB."""

    async def log_in(self, by: Credential, who: str, origin: str) -> str:
        """The secret of a new session. Raises AccessRefused when what was shown is over."""

    async def issue(self, wished: Wish, who: str, origin: str) -> tuple[int, str]:
        """The number and the secret of a new link, key or token. Raises AccessRefused."""

    async def revoke(self, number: int, who: str, origin: str) -> Credential:
        """End one. Raises AccessRefused."""

    async def record(self, who: str, action: str, target: str, origin: str, result: str) -> None:
        """Keep in the log what was done or tried."""

    async def entries(self, offset: int, count: int, sought: Sought) -> Excerpt:
        """Rows of the log from the newest on."""
