"""What the attacker of tests/stratum/attacker.py tries: what once worked elsewhere, then whatever comes to its mind."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.stratum.attacker import Attacker

NEW = 99  # no session to resume

ATTACKS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "hash first, then name the difficulty": [
        ("connect", {"login": "bob", "password": "x", "early": False, "old": NEW}),
        ("subscribe", {"old": NEW}),
        ("authorize", {"password": "d=1e-10", "login": "bob", "which": 1}),
        ("replay_all", {"which": 1, "nonces": 30}),
    ],
    "be sent what another had": [
        ("connect", {"login": "bob", "password": "x", "early": False, "old": NEW}),
        ("suggest", {"difficulty": 4e-9, "which": 0}),
        ("connect", {"login": "bob", "password": "d=1e-10", "early": False, "old": NEW}),
        ("replay_all", {"which": 0, "nonces": 30}),
        ("wait", {"seconds": 11}),
        ("replay_all", {"which": 0, "nonces": 30}),
    ],
    "be paid again after a restart": [
        ("connect", {"login": "bob", "password": "x", "early": False, "old": NEW}),
        ("replay_all", {"which": 0, "nonces": 30}),
        ("restart", {}),
        ("connect", {"login": "bob", "password": "x", "early": False, "old": 0}),
        ("replay_all", {"which": 0, "nonces": 30}),
    ],
    "name another difficulty after a restart": [
        ("connect", {"login": "bob", "password": "x", "early": False, "old": NEW}),
        ("restart", {}),
        ("connect", {"login": "bob", "password": "d=1e-10", "early": False, "old": 0}),
        ("replay_all", {"which": 0, "nonces": 30}),
    ],
    "resume with another difficulty": [
        ("connect", {"login": "bob", "password": "d=4e-9", "early": False, "old": NEW}),
        ("replay_all", {"which": 0, "nonces": 30}),
        ("connect", {"login": "bob", "password": "d=1e-10", "early": False, "old": 0}),
        ("replay_all", {"which": 1, "nonces": 30}),
    ],
    "resume after a job that came meanwhile": [
        ("connect", {"login": "bob", "password": "x", "early": False, "old": NEW}),
        ("authorize", {"password": "md=4e-9", "login": "bob", "which": 0}),
        ("disconnect", {"which": 0}),
        ("next_job", {}),
        ("subscribe", {"old": NEW}),
        ("authorize", {"password": "x", "login": "bob", "which": 0}),
        ("connect", {"login": "bob", "password": "x", "early": False, "old": 1}),
        ("replay_all", {"which": 1, "nonces": 30}),
    ],
    "change the difficulty in the middle of a job": [
        ("connect", {"login": "bob", "password": "x", "early": False, "old": NEW}),
        ("replay_all", {"which": 0, "nonces": 30}),
        ("suggest", {"difficulty": 1e-10, "which": 0}),
        ("configure", {"difficulty": 1e-10, "which": 0}),
        ("change_extranonce", {}),
        ("replay_all", {"which": 0, "nonces": 30}),
        ("wait", {"seconds": 70}),
        ("replay_all", {"which": 0, "nonces": 30}),
    ],
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_an_attack_that_is_known_gains_nothing(attack: list[tuple[str, dict[str, Any]]]) -> None:
    attacker = Attacker()
    attacker.learn()
    for method, arguments in attack:
        getattr(attacker, method)(**arguments)
        attacker.learn()


TestAttacker = Attacker.TestCase
TestAttacker.settings = settings(
    max_examples=100,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
