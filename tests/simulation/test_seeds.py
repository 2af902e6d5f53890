"""
Run the machine through seeded chaos: one integer gives one whole run, on any computer.

Method: most events are ones that the world could really send now (a running attempt ends, a due timer fires, a gate is answered);
the rest are stale, doubled or senseless. To repeat a failure: `SEED=12345 pytest tests/simulation/test_seeds.py`; `SEEDS=1000000` runs more.
"""

import os
from collections import Counter

from .run import Run

SOMETIMES = {
    "accepted", "early accepted", "already_answered", "timed_out", "execution_ended", "withdrawn", "not_waiting_yet",
    "key_reused", "changed", "unknown_signal", "answered by timeout", "withdrawn while open", "TaskUnfolded", "TaskLost", "TaskStarted", "TakenUp", "GivenBack", "ClockSetBack", "stopped",
    "TaskNode SUCCEEDED", "TaskNode FAILED", "TaskNode TIMED_OUT", "TaskNode WAITING", "TaskNode ABORTED", "TaskNode SKIPPED",
    "InputNode TIMED_OUT", "InputNode SKIPPED", "InputNode ABORTED", "ApproveNode FAILED", "ApproveNode SUCCEEDED",
    "SleepNode SUCCEEDED", "SleepNode SKIPPED", "BranchNode SUCCEEDED", "BranchNode FAILED", "BranchNode SKIPPED",
    "SubNode SUCCEEDED", "SubNode FAILED", "SubNode SKIPPED", "SUCCEEDED", "FAILED", "ABORTED",
    "restarted", "recovered", "recovered SUCCEEDED", "recovered FAILED", "recovered with other code",
}  # fmt: skip


def seeds() -> range:
    """Return the seeds of this run."""
    if "SEED" in os.environ:
        seed = int(os.environ["SEED"])
        return range(seed, seed + 1)
    return range(int(os.environ.get("SEEDS", "3000")))


def test_no_seed_breaks_a_promise_and_every_kind_of_thing_happens() -> None:
    """Thousands of runs, each from one integer; the failing integer is in the message."""
    counts: Counter[str] = Counter()
    for seed in seeds():
        try:
            counts += Run(seed).go().counts
        except AssertionError as broken:
            raise AssertionError(f"seed {seed}: {broken}") from broken
    if len(seeds()) >= 1000:
        missing = {kind for kind in SOMETIMES if counts[kind] < 5}
        assert not missing, f"the runs are too alike, hardly ever: {sorted(missing)}"
