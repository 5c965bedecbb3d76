"""`steppe run` on the main chain, as a process: what it does not start with, each with the reason and its mend."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ADDRESS = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"
SAMPLE = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
OF_REGTEST = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
SECRET = "0123456789abcdef0123456789abcdef"


class Pool:
    """A set-up that would start, but for what a test breaks."""

    def __init__(self, folder: Path) -> None:
        self.file, self.password = folder / "steppe.toml", folder / "password"
        self.address, self.data_dir, self.files = ADDRESS, str(folder / "data"), 1 << 16
        self.password.write_text(f"{SECRET}\n")
        self.password.chmod(0o600)

    def run(self) -> tuple[int, str]:
        self.file.write_text(
            f'[pool]\nchain = "main"\npayout_address = "{self.address}"\ndata_dir = "{self.data_dir}"\n'
            '[[node]]\nurl = "http://127.0.0.1:1"\nuser = "pool"\npassword_file = "password"\n'
        )
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        limit = self.files if hard == resource.RLIM_INFINITY else min(self.files, hard)
        done = subprocess.run(
            [sys.executable, "-m", "pool", "run", "-c", str(self.file)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)),
        )
        return done.returncode, done.stderr.decode()


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    return Pool(tmp_path)


BROKEN: dict[str, tuple[Callable[[Pool], object], str, str]] = {
    "an empty secret": (lambda pool: pool.password.write_text("\n"), "weak-secret", "openssl rand -hex 32"),
    "a default secret": (lambda pool: pool.password.write_text("password\n"), "weak-secret", "openssl rand -hex 32"),
    "a secret for everybody": (lambda pool: pool.password.chmod(0o644), "readable-secret", "chmod 600"),
    "an address of an example": (lambda pool: setattr(pool, "address", SAMPLE), "sample-address", "your own wallet"),
    "a journal in memory": (
        lambda pool: setattr(pool, "data_dir", "/dev/shm/steppe-test"),
        "volatile-journal",
        "Name a folder on a disk",
    ),
    "too few files": (lambda pool: setattr(pool, "files", 1024), "few-files", "LimitNOFILE=1048576"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_it_does_not_start_with(what: str, pool: Pool) -> None:
    break_it, risk, mend = BROKEN[what]
    break_it(pool)
    code, said = pool.run()
    assert code == 78
    [line] = [line for line in said.splitlines() if line.startswith(f"refused ({risk}): ")]
    assert mend in line
    assert f'"{risk}"' in said.splitlines()[-1]
    assert not Path(pool.data_dir).exists()
    assert SECRET not in said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is root")
def test_it_does_not_start_as_root(pool: Pool) -> None:
    code, said = pool.run()
    assert code == 78
    assert "refused (root): " in said
    assert "useradd --system steppe" in said


def test_it_does_not_start_with_an_address_of_another_network(pool: Pool) -> None:
    pool.address = OF_REGTEST
    code, said = pool.run()
    assert code == 78
    assert f"{pool.file}:3: pool.payout_address: " in said
    assert "not of main" in said
