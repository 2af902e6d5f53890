"""
Run engines through seeded deaths, full disks and jumps of the clock; and plant bugs in the engine, which must be found.

To repeat a failure: `SEED=12345 pytest tests/simulation/test_hosts.py -k promise`; `HOSTS=10000` runs more.
"""

import logging
import os

import pytest

from tidegate.engine import loop

from .hosts import HostRun
from .machine import Sabotage

SEEDS = int(os.environ.get("HOSTS", "40"))
ENGINE = ("memory", "arrivals", "outcomes", "ledger", "loop")

SABOTEURS = [
    ("an answer is acknowledged before the commit", "loop", "reply = self._decide(ledger, hot, event)\n        ledger.replies.append((future, reply))", "tell(future, self._decide(ledger, hot, event))"),
    ("attempts are handed out before the commit", "loop", "            self._decide_all(ledger, work)\n", "            self._decide_all(ledger, work)\n            jobs, ledger.jobs = ledger.jobs, []\n            self._submit(jobs) if jobs else None\n"),
    ("what ran is not found at a restart", "loop", "lost = running(hot.plan, hot.state)", "lost = []"),
    ("what was submitted is not submitted again at a restart", "loop", "for run in outstanding(hot.plan, hot.state))", "for run in [])"),
    ("what was submitted is submitted twice at a restart", "loop", "for run in outstanding(hot.plan, hot.state))", "for run in 2 * outstanding(hot.plan, hot.state))"),
    ("timers are not looked for at a restart", "loop", "self._next_due: Instant | None = store.next_due()", "self._next_due: Instant | None = None"),
    ("after one timer no other is looked for", "loop", "            self._look_ahead()", "            self._next_due = None"),
    ("a new timer is not noticed", "loop", "            self._next_due = soonest", "            pass"),
    ("what could not be stored is believed", "loop", "            self._memory.drop(key)\n        fail(", "            pass\n        fail("),
    ("what tasks reported is lost on a full disk", "loop", "self._kept.extend(work.reports)", "pass"),
    ("an id makes two executions", "loop", "existing = None if wanted.fresh else self._placed(ledger, wanted.id)", "existing = None"),
    ("history is numbered anew at a restart", "memory", "hot.seq = len(bodies)", "hot.seq = 0"),
    ("history is doubled at a restart", "memory", "hot.plan, hot.state = replay(hot.plan, bodies)", "hot.plan, hot.state = replay(hot.plan, bodies + bodies[1:])"),
    ("history begins anew at a restart", "memory", "bodies = self._store.history(key)\n        hot", "bodies = self._store.history(key)[:1]\n        hot"),
    ("a wait is listed without its instant", "ledger", "node.name, opened, now.due)", "node.name, opened, None)"),
    ("a wait that ended stays listed", "ledger", "self._ends[place] = WaitEnd(key, id_)", "pass"),
    ("a phase is not listed", "ledger", "if phase is not hot.state.phase:", "if hot.state.phase is None:"),
    ("nobody is told to stop an attempt", "ledger", "self.cancels.append((hot.key, node, attempt))", "pass"),
]  # fmt: skip


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


@pytest.mark.parametrize("sabotage", SABOTEURS, ids=lambda s: s[0])
def test_the_simulation_of_hosts_finds(sabotage: tuple[str, str, str, str]) -> None:
    """An engine with this bug breaks a promise."""
    engine = Sabotage(*sabotage).modules("tidegate.engine", ENGINE)["loop"]
    engine.STUBBORN = 0.001
    for seed in range(SEEDS):
        try:
            HostRun(seed, engine.Engine).go()
        except Exception:  # noqa: BLE001 - a crash of the sabotaged engine is a find, too
            return
    pytest.fail(f"{SEEDS} seeds let it through")
