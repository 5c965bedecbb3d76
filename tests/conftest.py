"""What tests of several packages share: a database server, and how hypothesis searches."""

from hypothesis import HealthCheck, settings

from tests.postgresql import postgresql

__all__ = ["postgresql"]

# How long an example takes says more of what else this machine does than of our code.
settings.register_profile(
    "steppe", parent=settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steppe")
