"""Test the simulation: each bug planted here must be found within a few hundred seeds. A promise that lets one through is too weak."""

import os

import pytest

from .machine import Sabotage
from .run import Run
from .saboteurs import SABOTEURS

SEEDS = int(os.environ.get("SABOTEUR_SEEDS", "4000"))


@pytest.mark.parametrize("sabotage", SABOTEURS, ids=lambda s: s.name)
def test_the_simulation_finds(sabotage: Sabotage) -> None:
    """A machine with this bug breaks a promise."""
    for seed in range(SEEDS):
        if sabotage.is_found("tidegate.core", Run(seed).go):
            Run(seed).go()  # the real machine passes this seed: it was the bug that was found
            return
    pytest.fail(f"{SEEDS} seeds let it through")
