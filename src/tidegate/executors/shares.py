"""
Shares of the machine: an attempt starts if the running ones leave what it requests.

Rule 1: they start in order. One that requests more than one processor, or memory, is not overtaken while it waits: else small ones
        could delay it indefinitely.
Rule 2: one runs alone if it requests more than there is. (Such attempts are held before they come here; this only ensures that nothing waits indefinitely.)
"""

from collections.abc import Iterable, Sequence

from tidegate.executors.child import Child
from tidegate.ir.graph import ORDINARY
from tidegate.ports.executor import Capacity, Job

SLIVER = ORDINARY.cpu // 16
"""Smallest share of a processor, in thousandths, that an attempt counts for when processes are counted: each is a process of 15 MB (measured)."""


def fits(job: Job, children: Iterable[Child], capacity: Capacity) -> bool:
    """Return whether an attempt may begin beside those that workers have."""
    cpu = mem = 0
    for child in children:
        if child.tickets and isinstance(work := child.tickets[0].work, Job):
            cpu += work.requires.cpu
            mem += work.requires.mem
    asked = job.requires
    return cpu == 0 or (cpu + asked.cpu <= capacity.cpu and mem + asked.mem <= capacity.mem)


def is_heavy(job: Job) -> bool:
    """Return whether an attempt requests more than the default share."""
    return job.requires.cpu > ORDINARY.cpu or job.requires.mem > 0


def may_follow(job: Job, before: Job) -> bool:
    """Return whether an attempt fits where another one has run: in the same worker, after it."""
    return job.requires.cpu <= before.requires.cpu and job.requires.mem <= before.requires.mem


def room(children: Sequence[Child], capacity: Capacity) -> int:
    """Return the thousandths of a processor for which there is no worker yet. An idle one counts for a whole."""
    return capacity.cpu - sum(map(_weight, children))


def needed(job: Job) -> int:
    """Return the thousandths that a worker of this attempt counts for."""
    return max(SLIVER, min(ORDINARY.cpu, job.requires.cpu))


def _weight(child: Child) -> int:
    work = child.tickets[0].work if child.tickets else None
    return needed(work) if isinstance(work, Job) else ORDINARY.cpu
