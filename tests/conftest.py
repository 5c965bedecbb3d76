"""What tests of several packages share: a database server, Ctrl-C, and how hypothesis searches."""

import signal

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
