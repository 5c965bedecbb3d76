"""A long run of the model-based attacker: `python -m tests.fuzz.attacker -seconds=N` or `-steps=N`.

Rounds of games, each round from another seed, until the time is over or the steps are made. A game that gains something
is made as short as it can be and printed.
"""

from __future__ import annotations

import sys
import time
from typing import Final

from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from tests.stratum.attacker import Attacker

GAMES: Final = 100
"""In a round."""

STEPS: Final = 50
"""In a game, at most."""


class Counted(Attacker):
    """games, steps: of all of them together."""

    games = 0
    steps = 0

    def start(self) -> None:
        super().start()
        Counted.games += self.runs == 1

    @invariant()
    def count(self) -> None:
        Counted.steps += 1


def main(option: str) -> None:
    name, _, number = option.partition("=")
    limit = float(number)
    if name not in ("-seconds", "-steps"):
        raise SystemExit("usage: python -m tests.fuzz.attacker -seconds=N | -steps=N")
    round_of = settings(
        max_examples=GAMES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    started = time.monotonic()
    done = 0.0
    while done < limit:
        run_state_machine_as_test(Counted, settings=round_of)
        seconds, made = time.monotonic() - started, Counted.steps - Counted.games  # it is also called before the first
        done = seconds if name == "-seconds" else made
        print(f"attacker: {Counted.games} games, {made} steps, {seconds:.0f} s, nothing gained", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
