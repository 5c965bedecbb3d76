"""Where things lie in the data folder."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct


class Paths(Struct, frozen=True):
    """Where things lie in the data folder."""

    data_dir: Path

    @property
    def journal(self) -> Path:
        return self.data_dir / "journal"

    @property
    def candidates(self) -> Path:
        return self.data_dir / "candidates"

    @property
    def found(self) -> Path:
        return self.data_dir / "found"

    @property
    def extranonces(self) -> Path:
        return self.data_dir / "extranonces"

    @property
    def sessions(self) -> Path:
        return self.data_dir / "sessions"

    @property
    def slices(self) -> Path:
        return self.data_dir / "slices"

    @property
    def control(self) -> Path:
        return self.data_dir / "control"

    @property
    def feed(self) -> Path:
        return self.data_dir / "feed.sock"

    @property
    def logs(self) -> Path:
        return self.data_dir / "logs"

    def log(self, role: str) -> Path:
        return self.logs / f"{role}.log"

    @property
    def redis(self) -> Path:
        return self.data_dir / "redis"

    @property
    def ledger(self) -> Path:
        return self.data_dir / "ledger.sqlite"

    @property
    def restoring(self) -> Path:
        """What a restore has not put into its place yet."""
        return self.data_dir / ".restoring"

    @property
    def told(self) -> Path:
        return self.data_dir / "told.json"
