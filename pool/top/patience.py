"""Sources that may hang are asked from threads of their own, and nobody waits for them for long."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from pool.dashboard.ports import SourceUnavailable

T = TypeVar("T")

PATIENCE_SECONDS = 5.0
"""How long an answer is waited for: longer than any healthy read, shorter than a person's patience."""


class Patient:
    """Asks one source; satisfies `pool.dashboard.threads.InThread`. Raises SourceUnavailable when it takes too long.

    While a question hangs no other is asked, so that there is one thread at most; it does not keep the program.
    """

    def __init__(self, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._patience_seconds = patience_seconds
        self._asking: threading.Thread | None = None

    async def __call__(self, work: Callable[[], T], /) -> T:
        if self._asking is not None and self._asking.is_alive():
            raise SourceUnavailable("still no answer: overloaded or hanging; see its log")
        outcome: list[T] = []
        failure: list[BaseException] = []
        self._asking = threading.Thread(target=_ask, args=(work, outcome, failure), daemon=True)
        self._asking.start()
        self._asking.join(self._patience_seconds)
        if failure:
            raise failure[0]
        if not outcome:
            text = f"no answer within {self._patience_seconds:g} s: overloaded or hanging; see its log"
            raise SourceUnavailable(text)
        return outcome[0]


def _ask(work: Callable[[], Any], outcome: list[Any], failure: list[BaseException]) -> None:
    try:
        outcome.append(work())
    except BaseException as error:  # noqa: BLE001 - raised again where it was asked
        failure.append(error)
