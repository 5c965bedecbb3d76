"""What a pool must not start with: secrets that are none, doors that stand open, shares where a power cut takes them.

On a chain whose coins are worth something each of these ends the start, with its reason and its mend; an operator who
knows better names it in `pool.accept_risks`. On test chains nothing is refused: there is nothing to lose.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from pool.config import Config, Risk
from pool.paths import Paths

FILES_MIN = 16_384
"""Open files: ten thousand miners, half as many again while they come back all at once, and the pool's own."""

# Whose keys everybody knows, or nobody: examples of BIP-0173 and BIP-0350, the keys 1 and 2, the first block's, those
# that were made to burn coins.
_SAMPLE_ADDRESSES = frozenset(
    {
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        "bc1pmfr3p9j00pfxjh0zmgp99y8zftmd3s5pmedqhyptwy6lm87hf5sspknck9",
        "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH",
        "1EHNa6Q4Jz2uvNExL497mE43ikXhwF6kZm",
        "1cMh228HTCiwS8ZsaakH8A8wze1JR5ZsP",
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "1BitcoinEaterAddressDontSendf59kuE",
        "1111111111111111111114oLvT2",
    }
)

# What samples and tutorials say, and what people type first. Any case.
_DEFAULT_SECRETS = frozenset(
    {
        "password", "password1", "passw0rd", "changeme", "change_me", "change-me", "secret", "admin", "root", "default",
        "steppe", "pool", "miner", "bitcoin", "bitcoinrpc", "rpcpassword", "rpcpass", "redis", "foobared", "postgres",
        "postgresql", "test", "letmein", "qwerty", "12345678", "123456789", "x", "xxx",
    }
)  # fmt: skip
_SECRET_CHARACTERS_MIN = 8

_VOLATILE = frozenset({"tmpfs", "ramfs"})


class Refusal(Struct, frozen=True):
    """Why the pool does not start. text: what is wrong, where, and how to mend it."""

    risk: Risk
    text: str


class FileFacts(Struct, frozen=True):
    """Of a file that holds a secret. first_line: None if it cannot be read."""

    mode: int
    first_line: str | None


class RedisFacts(Struct, frozen=True):
    """How a Redis is guarded that answers without a password. binds: as its `bind`; `*` is every address.
    is_protected: its `protected-mode`, in which it answers this machine only."""

    binds: tuple[str, ...]
    is_protected: bool


class Machine(Protocol):
    """What is asked of the machine that the pool is to run on."""

    def is_root(self) -> bool: ...

    def files_max(self) -> int:
        """How many files a process may open, if it asks for it."""

    def file(self, path: Path) -> FileFacts | None:
        """None if there is none."""

    def file_system(self, folder: Path) -> str:
        """The kind of file system a folder is on, or would be; empty if that cannot be told."""

    def redis(self, url: str) -> RedisFacts | None:
        """None if it does not answer without a password: it wants one, or is away."""


def refusals(config: Config, machine: Machine) -> list[Refusal]:
    """All that stands against a start."""
    if config.pool.chain != "main":
        return []
    found = [*_secrets(config, machine), *_redis(config, machine), *_address(config), *_place(config, machine)]
    return [each for each in found if each.risk not in config.pool.accept_risks]


def _secrets(config: Config, machine: Machine) -> Iterator[Refusal]:
    for index, node in enumerate(config.node):
        if node.password_file:
            yield from _secret_file(f"node[{index}].password_file", Path(node.password_file), machine)
    for key in ("smtp_password_file", "webhook_secret_file"):
        if path := getattr(config.alerts, key):
            yield from _secret_file(f"alerts.{key}", Path(path), machine)
    if config.stratum.tls_key:
        yield from _readable(f"stratum.tls_key: {config.stratum.tls_key}", machine.file(Path(config.stratum.tls_key)))
    for key, url in (("redis.url", config.redis.url), ("database.url", config.database.url)):
        password = urlsplit(url).password
        if password is not None and (reason := _weakness(unquote(password))):
            yield Refusal("weak-secret", f"{key}: its password {reason}: set another, such as `openssl rand -hex 32`")


def _secret_file(key: str, path: Path, machine: Machine) -> Iterator[Refusal]:
    facts = machine.file(path)
    yield from _readable(f"{key}: {path}", facts)
    if facts is not None and facts.first_line is not None and (reason := _weakness(facts.first_line)):
        yield Refusal(
            "weak-secret", f"{key}: the password in {path} {reason}: write another into it, `openssl rand -hex 32`"
        )


def _readable(what: str, facts: FileFacts | None) -> Iterator[Refusal]:
    if facts is not None and facts.mode & 0o007:
        yield Refusal("readable-secret", f"{what} can be read by every user of this machine: chmod 600 it")


def _weakness(secret: str) -> str | None:
    if not secret:
        return "is empty"
    if secret.lower() in _DEFAULT_SECRETS:
        return "is one that everybody tries first"
    if len(secret) < _SECRET_CHARACTERS_MIN:
        return f"has fewer than {_SECRET_CHARACTERS_MIN} characters"
    return None


def _redis(config: Config, machine: Machine) -> Iterator[Refusal]:
    """Who can write into it can have shares forgotten, or read who mines what."""
    parts = urlsplit(config.redis.url)
    if parts.scheme not in ("redis", "rediss"):
        return
    facts = machine.redis(f"{parts.scheme}://{parts.hostname}:{parts.port or 6379}")
    if facts is None or facts.is_protected:
        return
    if open_to := [each for each in facts.binds or ("*",) if not _is_local(each)]:
        yield Refusal(
            "open-redis",
            f"redis.url: the Redis at {parts.hostname} asks for no password and listens at {' '.join(open_to)}: give "
            "it `requirepass` and put that into redis.url, or `bind 127.0.0.1`, or leave redis.url out",
        )


def _is_local(address: str) -> bool:
    address = address.lstrip("-")  # Redis: need not exist
    return address in ("::1", "localhost") or address.startswith("127.")


def _address(config: Config) -> Iterator[Refusal]:
    if config.pool.payout_address in _SAMPLE_ADDRESSES:
        yield Refusal(
            "sample-address",
            f"pool.payout_address: {config.pool.payout_address} is an example: whoever finds a block for it gives it "
            "away. Write one of your own wallet",
        )


def _place(config: Config, machine: Machine) -> Iterator[Refusal]:
    journal = Paths(Path(config.pool.data_dir)).journal
    if (kind := machine.file_system(journal)) in _VOLATILE:
        yield Refusal(
            "volatile-journal",
            f"pool.data_dir: {journal} is in memory ({kind}): a power cut would take all shares. Name a folder on a "
            "disk",
        )
    if (files_max := machine.files_max()) < FILES_MIN:
        yield Refusal(
            "few-files",
            f"only {files_max} files may be open, and each miner is one: allow {FILES_MIN} or more (`ulimit -Hn`; "
            "systemd: LimitNOFILE=1048576; Docker: --ulimit nofile=1048576)",
        )
    if machine.is_root():
        yield Refusal(
            "root",
            "this is the user root: whoever breaks into the pool would own the machine. Run it as a user of its own "
            "(systemd: User=steppe; `useradd --system steppe`)",
        )


def describe(found: Sequence[Refusal]) -> Iterator[str]:
    """Lines for an operator."""
    for each in found:
        yield f"refused ({each.risk}): {each.text}"
    if found:
        names = ", ".join(f'"{each.risk}"' for each in {each.risk: each for each in found}.values())
        yield f"To start all the same, and know why: accept_risks = [{names}] in [pool]."
