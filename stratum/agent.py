"""What a miner says it is: untrusted, and yet of use."""

from __future__ import annotations

from typing import Final

from stratum.limits import AGENT_CHARACTERS_MAX

_CUTS_FRACTIONS: Final = ("bitaxe", "nerdqaxe")


def printable(agent: object) -> str:
    """A user agent fit for pages and logs, whatever the miner sent."""
    text = agent if isinstance(agent, str) else ""
    return "".join(c if " " <= c <= "~" else "?" for c in text[:AGENT_CHARACTERS_MAX])


def cuts_fractions(agent: str) -> bool:
    """Whether older versions of it cut a difficulty to an integer: 0.5 becomes 0, and they send every nonce."""
    return any(word in agent.lower() for word in _CUTS_FRACTIONS)
