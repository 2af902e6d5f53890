"""Workflows that are measured in worker processes."""

import time

from tidegate import approve, task, wait_for_input, workflow

TASKS = 1_000
GATES = 10_000
CHAINED = 10_000


@task
def trivial(x: int) -> int:
    return x


@task
def began(x: int, title: str) -> float:
    """Say when it was called: this clock is the same one in all processes of a machine."""
    del x, title
    return time.perf_counter()


@workflow
def gate_wf(x: int) -> float:
    first = trivial(x=x)
    title = wait_for_input("title", None, str)
    _ = first >> title  # type: ignore[operator]  # to a type checker they are values
    return began(x=first, title=title)


@workflow
def ask_wf() -> str:
    return wait_for_input("title", None, str)


@workflow
def fan_wf() -> list[int]:
    return [trivial(x=i) for i in range(TASKS)]


@task
def pass_on(text: str) -> str:
    return text


@workflow
def large_wf(text: str) -> str:
    return approve(pass_on(text=text), "agree")


@workflow
def many_gates() -> list[str]:
    return [wait_for_input(f"gate {i}", None, str) for i in range(GATES)]


@workflow
def chained_gates() -> None:
    for i in range(CHAINED // 4):
        first, second, third, last = (wait_for_input(f"{part} {i}", None, str) for part in "abcd")
        _ = first >> second >> third >> last  # type: ignore[operator]
