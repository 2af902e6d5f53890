"""What tasks ask for and a machine cannot give, in words."""

import pytest

from tidegate import Resources, dynamic, task, workflow
from tidegate.core.plan import Plan
from tidegate.ir.graph import ORDINARY, Requirements
from tidegate.ports.executor import Capacity
from tidegate.service.demands import MOST_NOTES, notes, too_much

HERE = Capacity(2000, 16 * 2**30, limits_memory=True)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (ORDINARY, ""),
        (Requirements(cpu=2000, mem=16 * 2**30), ""),
        (Requirements(cpu=2001), "requests 2.001 cpu, but the workers here have 2"),
        (Requirements(mem=2**40), "requests 1Ti of memory, but this machine has 16Gi"),
        (Requirements(mem=2**40, cpu=1), "requests 1Ti of memory, but this machine has 16Gi"),
    ],
)
def test_what_is_not_there_is_told_with_both_figures(asked, said):
    assert too_much(asked, HERE) == said


@task(limits=Resources(cpu=1, mem="1Gi"), environment={"A": "1"})
def bounded() -> int:
    return 1


@dynamic(requests=Resources(cpu=3))
def large() -> int:
    return bounded()


@workflow
def inner() -> int:
    return bounded()


@workflow
def outer() -> None:
    bounded()
    inner()
    large()
    large()


def test_each_task_is_told_of_once_and_what_is_held_first():
    found = notes(Plan.of(outer.compile()), HERE)

    assert [each.split(",")[0].split(":")[0] for each in found] == [
        "task 'large' requests 3 cpu",
        "task 'bounded' has limits.cpu",
    ]


def test_a_limit_that_nothing_enforces_is_told():
    found = notes(Plan.of(inner.compile()), Capacity(8000, 2**40, limits_memory=False))

    assert "task 'bounded' has a memory limit of 1Gi, which is not enforced here" in found[0]


def test_there_are_few_notes_on_a_large_workflow():
    @workflow
    def crowd() -> None:
        for i in range(100):
            large().with_overrides(name=f"large-{i}")  # type: ignore[attr-defined]

    found = notes(Plan.of(crowd.compile()), HERE)
    assert len(found) == MOST_NOTES + 1
    assert found[-1] == "and 80 more"
