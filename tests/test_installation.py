"""What is installed: our four names are ours, and the fast twin is the one in use."""

from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import native

CPUINFO = Path("/proc/cpuinfo")


def processor_flags() -> set[str]:
    """Flags of the first processor as Linux lists them; none where it does not."""
    lines = CPUINFO.read_text().splitlines() if CPUINFO.exists() else []
    return set(next((line.split(":")[1] for line in lines if line.startswith("flags")), "").split())


# slush0's old framework also installs a `stratum`, and none of the other names is rare.
@pytest.mark.parametrize("package", ["native", "pool", "payout", "stratum"])
def test_the_package_is_provided_by_steppe_alone(package: str) -> None:
    assert set(packages_distributions()[package]) == {"steppe"}


def test_the_compiled_twin_is_loaded() -> None:
    assert native.COMPILED


@pytest.mark.skipif("sha_ni" not in processor_flags(), reason="this processor has no SHA extensions")
def test_the_sha_instructions_are_used_where_the_processor_has_them() -> None:
    assert native.SHA256_IMPLEMENTATION == "sha-ni"
