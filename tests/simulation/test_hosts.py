"""
Run engines through seeded deaths, full disks and jumps of the clock; and plant bugs in the engine, which must be found.

To repeat a failure: `SEED=12345 pytest tests/simulation/test_hosts.py -k promise`; `HOSTS=10000` runs more.
"""

import logging
import os

import pytest

from tidegate.engine import loop

from .host_saboteurs import HOST_SABOTEURS
from .hosts import HostRun
from .machine import Sabotage

SEEDS = int(os.environ.get("HOSTS", "40"))


@pytest.fixture(autouse=True)
def _quiet(monkeypatch):
    monkeypatch.setattr(loop, "STUBBORN", 0.001)
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


def test_no_death_full_disk_or_jump_of_the_clock_breaks_a_promise() -> None:
    seeds = [int(os.environ["SEED"])] if "SEED" in os.environ else range(SEEDS)
    for seed in seeds:
        try:
            HostRun(seed, loop.Engine).go()
        except AssertionError as broken:
            raise AssertionError(f"seed {seed}: {broken}") from broken


@pytest.mark.parametrize("sabotage", HOST_SABOTEURS, ids=lambda s: s.name)
def test_the_simulation_of_hosts_finds(sabotage: Sabotage) -> None:
    """An engine with this bug breaks a promise."""
    for seed in range(SEEDS):
        if sabotage.is_found("tidegate.engine", HostRun(seed, loop.Engine).go):
            HostRun(seed, loop.Engine).go()  # the real one passes: it was the bug that was found
            return
    pytest.fail(f"{SEEDS} seeds let it through")
