"""The commands of a page of the documentation, run by bash as a reader would type them, and what they show."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

REPEAT_SECONDS_MAX = 90.0
# The shell says this after each block, with what failed in it.
_MARK = "-- end of the block --"
# These change nothing, so a reader may type them again until they show what the page says.
_LOOKS = re.compile(
    r"cat |grep |cli getb|cli -rpcwallet=alice getb|steppe (?:blocks|doctor|explain|move show|move list|payout list"
    r"|payout plan|statement|move plan \S+ .*--dry-run)"
)
_VARIES = (
    (re.compile(r"bcrt1q[a-z0-9]+"), "ADDRESS"),
    (re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{16})\b"), "HEX"),
    (re.compile(r"HEX:\d+"), "HEX:SEQ"),
    (re.compile(r"\b1\d{9}\b"), "SECONDS"),
    (re.compile(r"(?<=job is )[0-9a-f]+"), "ID"),
    (re.compile(r"\b\d+\.\d{3} s\b"), "SECONDS"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: UTC|Z|\+00:00)?"), "TIME"),
    (re.compile(r"Bitcoin (?:Core|Knots)"), "Bitcoin"),
    (re.compile(r"[ \t]+$", re.MULTILINE), ""),
)


class Block(Struct, frozen=True):
    """Commands that stand together, and what the page says they show; None where it says nothing."""

    page: str
    line: int
    commands: str
    shows: str | None

    @property
    def only_looks(self) -> bool:
        """Whether it may be run again."""
        return "\n" not in self.commands.strip() and bool(_LOOKS.match(self.commands))


def blocks(page: Path) -> Iterator[Block]:
    """Every block marked `sh`, with the block marked `text` that follows it at once."""
    text = page.read_text()
    for found in re.finditer(r"^ *```sh\n(.*?)^ *```\n(?:\n+ *```text\n(.*?)^ *```$)?", text, re.MULTILINE | re.DOTALL):
        yield Block(page.name, text.count("\n", 0, found.start()) + 1, found[1], found[2])


def transcripts(page: Path) -> Iterator[tuple[str, str]]:
    """Every command that a page shows behind a `$`, and what stands below it in the same block."""
    for block in re.findall(r"^```text\n(\$ .*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
        command, _, shows = block.partition("\n")
        yield command.removeprefix("$ "), shows


def normal(text: str) -> str:
    """A text without what differs from run to run: hashes, addresses, times."""
    for pattern, word in _VARIES:
        text = pattern.sub(word, text)
    return text.strip("\n")


def fits(shown: str, expected: str) -> bool:
    """Whether a text is as the page has it: `...` alone on a line is any number of lines, within one any text."""
    parts = []
    for line in normal(expected).split("\n"):
        if line == "...":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(r".*?".join(re.escape(part) for part in line.split("...")) + r"\n")
    return re.fullmatch("".join(parts), normal(shown) + "\n") is not None


class Shell:
    """One bash from the first block to the last. ports: those of the page, and what they are here."""

    def __init__(self, folder: Path, environment: Mapping[str, str], ports: Mapping[int, int]) -> None:
        self._ports = ports
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        )
        self._type("trap 'FAILED=\"$FAILED $BASH_COMMAND;\"' ERR\n")

    def run(self, block: Block) -> None:
        """Type its commands. Fails if one of them does, or if they do not show what the page says."""
        deadline = time.monotonic() + REPEAT_SECONDS_MAX
        while True:
            shown, failed = self._typed(block.commands)
            wrong = failed or (block.shows is not None and not fits(shown, block.shows))
            if not wrong:
                return
            if not block.only_looks or time.monotonic() > deadline:
                break
            time.sleep(0.5)
        where = f"{block.page}:{block.line}"
        assert not failed, f"{where}: failed:{failed}\n{shown}"
        raise AssertionError(f"{where}: the page says\n{normal(block.shows or '')}\nand it shows\n{normal(shown)}")

    def close(self) -> None:
        """Leave, with all that still runs in it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate(timeout=60)

    def _typed(self, commands: str) -> tuple[str, str]:
        assert self._process.stdout is not None
        for ours, here in self._ports.items():
            commands = re.sub(rf"\b{ours}\b", str(here), commands)
        self._type(f"FAILED=\n{commands}\nprintf '\\n{_MARK}%s\\n' \"$FAILED\"\n")
        lines, failed = [], "the shell ended"
        for line in self._process.stdout:
            if line.startswith(_MARK):
                failed = line.removeprefix(_MARK).strip()
                break
            lines.append(line)
        shown = "".join(lines)
        for ours, here in self._ports.items():
            shown = re.sub(rf"\b{here}\b", str(ours), shown)
        return shown, failed

    def _type(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text)
        self._process.stdin.flush()
