"""The wire of a benchmark: two namespaces, each with cores of its own for what comes in."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from tests import namespaces
from tests.load import wire
from tests.load.miners import Miners
from tests.load.processes import BenchmarkFailed, Cores, cores
from tests.load.servers import Floor
from tests.load.wire import STEERING, mask_of, wired


@pytest.fixture
def where() -> Iterator[Cores]:
    if (reason := namespaces.why_not()) is not None:
        pytest.skip(reason)
    with wired(cores()) as where:
        yield where


def told(*argv: str) -> str:
    """What a command says."""
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def there(where: Cores, *argv: str) -> str:
    """The same at the miners' end."""
    assert where.net.namespace is not None
    return told("ip", "netns", "exec", where.net.namespace, *argv)


def ours() -> tuple[str, list[str]]:
    """The namespace of this thread, and those that this process has made."""
    names = [line.split()[0] for line in told("ip", "netns", "list").splitlines()]
    return os.readlink("/proc/thread-self/ns/net"), [name for name in names if name.endswith(f"-{os.getpid()}")]


def test_miners_reach_the_server_from_addresses_of_their_own(where: Cores) -> None:
    with Floor(where) as floor, Miners(where, "idle", floor.port, 2_001) as miners:
        assert miners.report() == {"ready": 2_001}
        froms = [line.split()[2] for line in there(where, "ss", "-Htn", "state", "established").splitlines()]
        assert len(froms) == 2_001
        assert {address.rpartition(":")[0] for address in froms} == {"10.78.1.1", "10.78.1.2"}


def test_what_comes_in_is_for_the_cores_of_its_end(where: Cores) -> None:
    server = told("ip", "netns", "exec", told("ip", "netns", "identify").strip(), "cat", STEERING)
    assert int(server.replace(",", ""), 16) == sum(1 << core for core in where.server)
    miners = there(where, "cat", STEERING)
    assert int(miners.replace(",", ""), 16) == sum(1 << core for core in where.others)


def test_nothing_is_left_of_it() -> None:
    if (reason := namespaces.why_not()) is not None:
        pytest.skip(reason)
    before = ours()
    with wired(cores()):
        assert ours() != before
    assert ours() == before


def test_where_there_can_be_none_the_reason_is_told_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "why_not", lambda: "network namespaces need root")
    with pytest.raises(BenchmarkFailed, match="need root; with --loopback there is none"), wired(cores()):
        pass


def test_where_the_kernel_has_no_such_devices_the_command_that_failed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    if (reason := namespaces.why_not()) is not None:
        pytest.skip(reason)
    before = ours()
    monkeypatch.setattr(
        wire, "ip", lambda *words: namespaces.ip(*("vetch" if each == "veth" else each for each in words))
    )
    with pytest.raises(BenchmarkFailed, match=r"ip link add wire .* failed; with --loopback"), wired(cores()):
        pass
    assert ours() == before


@pytest.mark.parametrize(
    ("on", "mask"),
    [({0}, "00000001"), ({0, 3}, "00000009"), ({31}, "80000000"), ({1, 33}, "00000002,00000002")],
)
def test_cores_are_told_as_the_kernel_reads_them(on: set[int], mask: str) -> None:
    assert mask_of(frozenset(on)) == mask
