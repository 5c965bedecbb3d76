"""Who is connected where, as the stratum processes say in their signs of life."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct, ValidationError, convert

from pool.ports import StoreUnavailable
from pool.store.redis import RoleSign


class Presence(Struct, frozen=True, array_like=True):
    """A worker that is connected. agent: what it says it is."""

    account: str
    worker: str
    remote_address: str
    agent: str

    @property
    def login(self) -> str:
        """The name it authorized with."""
        return f"{self.account}.{self.worker}" if self.worker else self.account


class StratumSign(Struct, frozen=True):
    """A process. region: its name, empty for none; endpoint: where miners of that region connect; frontend: its
    journal."""

    presence: tuple[Presence, ...]
    region: str = ""
    endpoint: str = ""
    frontend: str = ""


def stratum_signs(signs: Iterable[RoleSign]) -> Iterator[StratumSign]:
    """Of all roles, the stratum processes. Raises StoreUnavailable."""
    for sign in signs:
        if sign.role != "stratum":
            continue
        try:
            yield convert(sign.data, StratumSign)
        except ValidationError as error:
            raise StoreUnavailable(
                f"the stratum role {sign.name} is of another version ({error}): run all roles in the same version"
            ) from error
