"""
What tasks ask of the machine that runs them, and what of it this one cannot give.

Who launches is told at once; an attempt that asks for more than there is does not begin (`too_large`), and begins on a machine that has it.
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
"""Tasks by name, and what they ask for."""


def too_much(requires: Requirements, capacity: Capacity) -> str:
    """Return what is asked for and not there, with both figures; empty if all is there."""
    if requires is ORDINARY:
        return ""
    if requires.cpu > capacity.cpu:
        return f"asks for {cpus(requires.cpu)} cpu, and the workers here have {cpus(capacity.cpu)}"
    if requires.mem > capacity.mem:
        return f"asks for {size(requires.mem)} of memory, and this machine has {size(capacity.mem)}"
    return ""


def notes(plan: Plan, capacity: Capacity) -> list[str]:
    """Return a sentence for whatever the tasks of a workflow ask for in vain, those that must be held first."""
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
            yield f"task {name!r} {why}: it is held until it runs where there is more"


def _not_kept(asked: Asked, capacity: Capacity) -> Iterator[str]:
    for name, requires in asked:
        if requires.mem_limit is not None and not capacity.limits_memory:
            yield (
                f"task {name!r} has a limit of {size(requires.mem_limit)} of memory, which is not enforced here:"
                " this system does not tell how much a process tree uses"
            )
        if requires.uncounted:
            yield without_effect(name, requires)
