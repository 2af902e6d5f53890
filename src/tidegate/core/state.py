"""
What an execution can be, and the legal ways from one phase to the next.

Rule 1: a phase changes only as the two tables below allow; `apply` asserts it.
Rule 2: nothing here reads a clock or draws a random number; time arrives inside events.
Rule 3: what can be derived from the node states (the counters at the end of `ExecutionState`) is kept only to make a step cheap, and is never stored.

The diagrams in the docs are drawn from these tables, so they cannot disagree.
"""
from enum import IntEnum


class NodePhase(IntEnum):
    """Where a node stands."""

    QUEUED = 0
    RUNNING = 1
    WAITING = 2
    SUCCEEDED = 3
    FAILED = 4
    TIMED_OUT = 5
    ABORTED = 6
    SKIPPED = 7


class ExecutionPhase(IntEnum):
    """Where an execution stands. WAITING: nothing runs, and at least one gate is open."""

    QUEUED = 0
    RUNNING = 1
    WAITING = 2
    SUCCEEDED = 3
    FAILED = 4
    ABORTED = 5
