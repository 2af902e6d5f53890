"""For what an attempt waits that has not begun, in words."""

import pytest

from tidegate.ir.graph import Requirements
from tidegate.ports.executor import Job, Queue
from tidegate.service.queued import sentence


def job(**requires) -> Job:
    return Job(1, "e", "n0", 1, "t", {}, "b", requires=Requirements(**requires))  # type: ignore[arg-type]


SMALL = job(cpu=500)
ONE, TWO = Queue((SMALL,)), Queue((SMALL, SMALL))


@pytest.mark.parametrize(
    ("waits", "queue", "before", "names", "said"),
    [
        (SMALL, Queue(), 0, [], "waits for a free worker"),
        (
            SMALL,
            ONE,
            0,
            ["wf·train"],
            "waits for a free worker, behind a running attempt (wf·train)",
        ),
        (
            SMALL,
            TWO,
            1,
            [],
            "waits for a free worker, behind 2 running attempts and a waiting attempt",
        ),
        (
            job(cpu=2000),
            TWO,
            7,
            ["a·a", "b·b", "c·c", "d·d"],
            "waits for 2 free cpu, behind 2 running attempts (a·a, b·b, c·c, ...) and 7 waiting attempts",
        ),
        (
            job(mem=2**31),
            ONE,
            0,
            [],
            "waits for 1 free cpu and 2Gi of memory, behind a running attempt",
        ),
        (SMALL, Queue((), (), "no space"), 3, [], "waits for a worker: no space"),
    ],
)
def test_it_is_told_for_what_an_attempt_waits_and_behind_what(waits, queue, before, names, said):
    assert sentence(waits, queue, before, names) == said
