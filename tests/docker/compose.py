"""docker/compose.yaml as Compose reads it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
_PLAY = ("--profile", "miner", "--profile", "monitoring")
_ARGUMENTS = {"demo": _PLAY, "regtest": _PLAY, "production": ("--env-file", str(DOCKER / "production.env"))}
SETUPS = tuple(_ARGUMENTS)


def composed(setup: str) -> dict[str, Any]:
    """A set-up with every variable filled in and every reference followed. Raises AssertionError with what is wrong."""
    program = subprocess.run([ROOT / "scripts" / "compose"], check=True, capture_output=True, text=True).stdout.strip()
    command = [program, *_ARGUMENTS[setup], "-f", str(DOCKER / "compose.yaml"), "config", "--format", "json"]
    chosen = {"STEPPE_SETUP": setup} if setup == "regtest" else {}
    done = subprocess.run(command, env=os.environ | chosen, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    config: dict[str, Any] = json.loads(done.stdout)
    return config
