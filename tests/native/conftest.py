"""The twins, one after the other."""

from collections.abc import Iterator
from types import ModuleType

import pytest

from native import compiled, reference


@pytest.fixture(scope="module", params=["reference", "sha-ni", "portable"])
def twin(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    """A module with the functions of `native`; skipped where the processor lacks the instructions."""
    if request.param == "reference":
        yield reference
        return
    in_use = compiled.use_portable(request.param == "portable")
    try:
        if in_use != request.param:
            pytest.skip(f"this processor has no {request.param}")
        yield compiled
    finally:
        compiled.use_portable(False)
