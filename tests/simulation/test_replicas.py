"""
Run two hosts that share a store through seeded chaos; and plant bugs in what they do, which must be found.

To repeat a failure: `SEED=12345 pytest tests/simulation/test_replicas.py -k promise`; `REPLICAS=10000` runs more.
"""

import logging
import os
import threading
from collections import Counter
from functools import partial
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from tidegate import parts
from tidegate.engine import sharing
from tidegate.stores.postgres import connections, keeping, notices, ownership

from . import world
from .machine import Sabotage
from .replica_saboteurs import REPLICA_SABOTEURS
from .replicas import FATES, ReplicaRun
from .timeline import SECOND, Event
from .wires import Pipeline, is_alive

SEEDS = int(os.environ.get("REPLICAS", "200"))
SABOTAGED = 200
SELDOM = {"a refusal is told from an old memory": (225, 310)}
"""Seeds that show a bug which some two of 500 do; they come first."""

SOMETIMES = {
    "commits", "attempts", "accepted", "read", "succeeded", "told NotHere", "told ConnectionLost", "told StoreError", "told nothing",
    "denied already_answered", "denied execution_ended", "denied not_waiting_yet",
    *FATES, "stop", "kill", "leave", "crash", "silence", "cut", "deaf", "taken over", "handed over",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _quiet(monkeypatch):
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


class Ran(NamedTuple):
    """What a run has left: how many steps it took, what has happened how many times, and the histories."""

    steps: int
    counts: Counter[str]
    history: dict[int, list[bytes]]


def run(seed: int, *, rolls: bool = False) -> Ran:
    """Run in the time and over the connections of the simulation; with `rolls`, hosts are restarted one after the other."""
    made = ReplicaRun(seed, rolls=rolls)
    line, server = made.timeline, made.server
    threads = SimpleNamespace(
        Event=partial(Event, line), Lock=threading.Lock, RLock=threading.RLock
    )
    time = SimpleNamespace(
        monotonic=line.monotonic, sleep=line.sleep, time_ns=lambda: line.now * 1_000
    )
    with pytest.MonkeyPatch.context() as patch:
        for module in (ownership, keeping, notices, sharing):
            patch.setattr(module, "monotonic", line.monotonic)
        for module in (keeping, notices):
            patch.setattr(module, "threading", threads)
        for module in (connections, notices):
            patch.setattr(module, "connect", server.connect)
        patch.setattr(connections, "_is_alive", is_alive)
        patch.setattr(connections, "Pipeline", Pipeline)
        patch.setattr(connections, "time", time)
        patch.setattr(parts, "time", time)
        patch.setattr(world, "MINUTE", SECOND // 2)
        try:
            made.go()
            return Ran(line.steps, made.promises.counts, server.tables.history)
        finally:
            made.forget()


@pytest.mark.timeout(120 + SEEDS)
def test_no_fault_of_hosts_network_or_database_breaks_a_promise() -> None:
    seeds = [int(os.environ["SEED"])] if "SEED" in os.environ else range(SEEDS)
    counts: Counter[str] = Counter()
    for seed in seeds:
        try:
            counts += run(seed).counts
        except AssertionError as broken:
            raise AssertionError(f"seed {seed}: {broken}") from broken
    missing = {kind for kind in SOMETIMES if counts[kind] < 5}
    assert len(seeds) < 200 or not missing, f"hardly ever: {sorted(missing)}"


@pytest.mark.parametrize(
    ("package", "sabotage"), REPLICA_SABOTEURS, ids=lambda s: getattr(s, "name", "")
)
def test_the_simulation_of_replicas_finds(package: str, sabotage: Sabotage) -> None:
    """Hosts with this bug break a promise."""
    rolls = sabotage.where.startswith(("handover", "reports"))
    for seed in (*SELDOM.get(sabotage.name, ()), *range(SABOTAGED)):
        if sabotage.is_found(package, lambda: run(seed, rolls=rolls)):
            run(seed, rolls=rolls)  # the real ones pass: it was the bug that was found
            return
    pytest.fail(f"{SABOTAGED} seeds let it through")


def test_a_run_is_the_same_each_time() -> None:
    assert run(7) == run(7)
