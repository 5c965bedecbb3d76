"""A pool that has run, with real books, and a place to restore it to."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace
from sqlalchemy import Engine, insert

from payout import ledger as rules
from payout.store.ledger import SqlLedger
from pool import config_file
from pool.backup.manifest import Manifest
from pool.backup.restore import Restored, restore
from pool.backup.take import take
from pool.config import Config
from pool.store.sql import high_water, writing
from tests.pool.journal.samples import JOB, Bench

NOW_MS = 1_700_000_000_000
CONFIGURATION = """\
[pool]
chain = "regtest"
payout_address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
data_dir = "data"

[[node]]
url = "http://127.0.0.1:1"
user = "pool"
password_file = "rpc-password"

[redis]
url = "redis://steppe:very-secret-word@127.0.0.1:6379/3"
"""


class FakeRedis:
    """Satisfies pool.backup.restore.Redis."""

    def __init__(self, roles: tuple[str, ...] = (), is_empty: bool = True) -> None:
        self._roles, self._is_empty = roles, is_empty

    def living_roles(self) -> list[str]:
        return list(self._roles)

    def is_empty(self) -> bool:
        return self._is_empty


class Pool:
    """A pool that has run, and a place to restore it to."""

    def __init__(self, folder: Path, engine: Engine, empty: Engine) -> None:
        self.folder, self.engine, self.empty = folder, engine, empty
        self.file = folder / "steppe.toml"
        self.file.write_text(CONFIGURATION)
        (folder / "rpc-password").write_text("correct horse battery staple\n")
        self.config = config_file.load(self.file)
        self.data = folder / "data"
        bench = Bench(self.data / "journal" / "7", segment_bytes_max=700)
        bench.journal.append(JOB)
        for nonce in range(1, 7):
            bench.commit(nonce)
        self.frontend = bench.journal.frontend
        self.bench = bench
        for name, text in (
            ("candidates/1-ab.block", "00"),
            ("candidates/1-ab.verdict", "{}"),
            ("candidates/reserve-1", "0" * 100),
            ("candidates/job-ids", "18bcfe56800\n"),
            ("extranonces/7", "4096\n8192\n"),
            ("sessions/key", "k" * 32),
            ("redis/dump.rdb", "cache"),
        ):
            (self.data / name).parent.mkdir(exist_ok=True)
            (self.data / name).write_text(text)
        with writing(engine) as connection:
            connection.execute(insert(high_water).values(frontend=self.frontend, seq=5))
            connection.execute(insert(high_water).values(frontend="elsewhere", seq=9))
        with SqlLedger(engine).write() as books:
            books.journal.post([rules.posting("adjust:a", "adjust", "a", 1, {rules.WALLET: 500, rules.POOL_FEE: -500})])

    def take(
        self, name: str = "backup", *, with_secrets: bool = False, engine: Engine | None = None, now_ms: int = NOW_MS
    ) -> Manifest:
        return take(
            self.config,
            self.file,
            engine or self.engine,
            self.folder / name,
            with_secrets=with_secrets,
            version="0.1.0",
            now_ms=now_ms,
            progress=lambda part: None,
        )

    @property
    def elsewhere(self) -> Config:
        pool = replace(self.config.pool, data_dir=str(self.folder / "new"))
        return replace(self.config, pool=pool)

    def restore(self, name: str = "backup", redis: FakeRedis | None = None, config: Config | None = None) -> Restored:
        return restore(
            config or self.elsewhere,
            self.empty,
            self.folder / name,
            redis or FakeRedis(),
            now_ms=NOW_MS + 60_000,
            progress=lambda part: None,
        )
