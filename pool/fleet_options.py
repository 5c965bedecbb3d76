"""The options of `[region]` and `[fleet]`; see pool.config."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class RegionOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the stratum role of this file stands, among those of a pool with several endpoints."""

    name: Annotated[
        str,
        Meta(
            pattern=r"^[a-z0-9][a-z0-9-]{0,31}$",
            description="Name of the region; all stratum processes behind one endpoint say the same.",
        ),
    ] = "main"
    endpoint: Annotated[
        str,
        Meta(
            pattern=r"^(([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]):[0-9]{1,5})?$",
            description="HOST:PORT of the region as its miners see it, where planned moves send machines; empty: none "
            "are sent here.",
        ),
    ] = ""


class FleetOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """Machines by their names."""

    rack_rule: Annotated[
        str,
        Meta(
            max_length=200,
            description="Regular expression for a whole worker name, the part behind the account; its first group "
            "names the rack.",
        ),
    ] = r"(.+)-[^-]+"
    dark_seconds: Annotated[
        int,
        Meta(
            ge=60,
            le=86_400,
            description="A machine that is assigned to a site and had no share accepted for so long is dark; a slow "
            "one has more time.",
        ),
    ] = 600
