"""What tests of several packages share: a database server, Ctrl-C, and how hypothesis searches."""

import signal

import pytest
from hypothesis import HealthCheck, settings

from tests.postgresql import postgresql

__all__ = ["postgresql"]

# A run that was started in the background of a shell ignores Ctrl-C, and so would everything that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says more of what else this machine does than of our code.
settings.register_profile(
    "steppe", parent=settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steppe")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take minutes come first, so that no worker is left with one of them in the end."""
    items.sort(key=lambda item: item.path.parent.name not in ("regtest", "browser", "packaging", "load"))
