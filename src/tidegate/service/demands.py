"""
What tasks request from the machine that runs them, and what this machine cannot provide.

A launch reports it at once; an attempt that requests more than the machine has is held (`too_large`) and starts on a machine that is large enough.
"""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from tidegate.core.plan import Plan
from tidegate.ir.amounts import cpus, size
from tidegate.ir.graph import ORDINARY, Requirements, TaskNode
from tidegate.ports.executor import Capacity
from tidegate.sdk.requirements import without_effect

MOST_NOTES = 20
"""Notes on one workflow."""
Asked: TypeAlias = Sequence[tuple[str, Requirements]]
"""Tasks by name, and their requests."""


def too_much(requires: Requirements, capacity: Capacity) -> str:
    """Return what is requested but not available, with both figures; empty if everything is available."""
    if requires is ORDINARY:
        return ""
    if requires.cpu > capacity.cpu:
        return f"requests {cpus(requires.cpu)} cpu, but the workers here have {cpus(capacity.cpu)}"
    if requires.mem > capacity.mem:
        return f"requests {size(requires.mem)} of memory, but this machine has {size(capacity.mem)}"
    return ""


def notes(plan: Plan, capacity: Capacity) -> list[str]:
    """Return a sentence for each request of a workflow's tasks that cannot be met, those that hold the task first."""
    asked = [
        (planned.node.name, planned.node.requirements)
        for planned in plan.nodes.values()
        if isinstance(planned.node, TaskNode) and planned.node.requirements is not ORDINARY
    ]
    found = list(dict.fromkeys(_held(asked, capacity)))
    found += dict.fromkeys(_not_kept(asked, capacity))
    more = len(found) - MOST_NOTES
    return [*found[:MOST_NOTES], f"and {more} more"] if more > 0 else found


def _held(asked: Asked, capacity: Capacity) -> Iterator[str]:
    for name, requires in asked:
        if why := too_much(requires, capacity):
            yield f"task {name!r} {why}: it is held until it can run on a larger machine"


def _not_kept(asked: Asked, capacity: Capacity) -> Iterator[str]:
    for name, requires in asked:
        if requires.mem_limit is not None and not capacity.limits_memory:
            yield (
                f"task {name!r} has a memory limit of {size(requires.mem_limit)}, which is not enforced here:"
                " this system does not report the memory of a process tree"
            )
        if said := without_effect(name, requires, everything=capacity.everything):
            yield said
