"""Paths to the endpoints that read."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from urllib.parse import unquote

from pool.dashboard.answers import Answer, Refusal
from pool.dashboard.api import Api, Arguments
from pool.dashboard.explain import ExplainApi
from pool.dashboard.fleets import FleetApi
from pool.dashboard.moves import MovesApi
from pool.dashboard.reports import ReportsApi
from pool.dashboard.workers_api import WorkersApi

_STATEMENT = re.compile(r"/api/v1/accounts/([^/]+)/statement")
_REJECTS = re.compile(r"/api/v1/workers/([^/]+)/rejects")
Endpoint = Callable[[Arguments], Awaitable[Answer]]


class Routes:
    """Which endpoint a path leads to."""

    def __init__(
        self,
        api: Api,
        workers: WorkersApi,
        fleets: FleetApi,
        moves: MovesApi,
        reports: ReportsApi,
        explain: ExplainApi,
    ) -> None:
        self._below = ((_STATEMENT, api.statement), (_REJECTS, api.rejects))
        self._fixed: dict[str, Endpoint] = {
            "/api/v1/pool": api.pool,
            "/api/v1/history": api.history,
            "/api/v1/job": api.job,
            "/api/v1/accounts": api.accounts,
            "/api/v1/blocks": api.blocks,
            "/api/v1/payouts": api.payouts,
            "/api/v1/withholding": api.withholding,
            "/api/v1/solvency": api.solvency,
            "/api/v1/moves": moves.every,
            "/api/v1/regions": moves.regions,
            "/healthz": api.healthz,
            "/readyz": api.readyz,
            "/metrics": api.metrics,
            **workers.endpoints(),
            **fleets.endpoints(),
            **reports.endpoints(),
        }
        self._named: dict[str, Callable[[str, Arguments], Awaitable[Answer]]] = {
            "/api/v1/workers/": api.worker,
            "/api/v1/accounts/": api.account,
            "/api/v1/blocks/": api.block,
            "/api/v1/payouts/": api.payout,
            "/api/v1/moves/": moves.move,
            "/api/v1/explain/credit/": explain.credit,
            "/api/v1/explain/payout/": explain.payout,
            "/api/v1/explain/balance/": explain.balance,
            "/api/v1/explain/reject/": explain.share,
            "/api/v1/explain/shares/": explain.shares,
        }

    async def answer(self, _method: bytes, path: bytes, arguments: Arguments) -> Answer:
        """The answer to a request. Raises Refusal. path: percent-encoded, as on the wire."""
        text = path.decode("ascii", "replace")
        if (endpoint := self._fixed.get(text)) is not None:
            return await endpoint(arguments)
        for pattern, below in self._below:
            if (matched := pattern.fullmatch(text)) is not None:
                return await below(unquote(matched[1]), arguments)
        for prefix, named in self._named.items():
            if text.startswith(prefix):
                return await named(unquote(text.removeprefix(prefix)), arguments)
        raise Refusal(404, "unknown_path", "There is nothing here.", "The page is at /, the API below /api/v1.")
