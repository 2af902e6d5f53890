"""What authors write, as type checkers see it: promises have the types of their values."""

import functools
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple, assert_type

from tidegate import (
    Echo,
    File,
    ImageSpec,
    LaunchPlan,
    Ray,
    Resources,
    TaskRun,
    Workflow,
    WorkflowFailurePolicy,
    approve,
    conditional,
    create_node,
    current_context,
    dynamic,
    sleep,
    task,
    wait_for_input,
    workflow,
)


@dataclass
class Review:
    approved: bool
    score: float


class Fit(NamedTuple):
    slope: float
    label: str


@task
def measure(text: str) -> int:
    assert_type(current_context(), TaskRun)
    return len(text)


@task(retries=3, backoff=timedelta(seconds=1), timeout=60, name="judge it", cache=True)
def judge(size: int, strict: bool = False) -> Review:
    return Review(strict, size)


@task(
    container_image=ImageSpec(name="x"),
    requests=Resources(cpu="1"),
    task_config=Ray(runtime_env={"pip": ["pandas"]}),
)
def fit() -> Fit:
    return Fit(1.0, "")


@task
async def fetch(url: str) -> bytes:
    return url.encode()


@task
def tell(review: Review) -> None: ...


@task
def read(file: File) -> str:
    return file.path


@dynamic
def each(items: list[str]) -> list[int]:
    return [measure(text=item) for item in items]


@dynamic(retries=1)
def rounds(n: int) -> int:
    answer = wait_for_input(f"answer-{n}", timedelta(hours=1), int)
    return rounds(n=answer) if n else answer


@workflow
def report(text: str, file: File) -> tuple[Review, float]:
    size = measure(text=text)
    assert_type(size, int)
    assert_type(measure(text), int)
    assert_type(functools.partial(measure, text=text)(), int)
    review = judge(size, strict=True)
    assert_type(review, Review)
    assert_type(review.score, float)
    assert_type(fit().slope, float)
    assert_type(fetch(url=text), bytes)
    assert_type(each(items=[text]), list[int])

    pause = sleep(timedelta(seconds=10))
    pause >> tell_later(review=review)
    title = wait_for_input("title", timedelta(hours=1), str)
    assert_type(title, str)
    assert_type(wait_for_input("n", expected_type=int), int)
    assert_type(wait_for_input("l", timeout=None, expected_type=list[str]), list[str])
    assert_type(
        wait_for_input("f", expected_type=File, prompt="**Which**?", show={"a": size}), File
    )
    maybe: int | None = wait_for_input("maybe", expected_type=int | None, on_timeout=None)
    passes = wait_for_input("passes", timedelta(hours=2), bool)
    approved = approve(review, "ok", timedelta(hours=1), prompt="?", show=[size], on_timeout=True)
    assert_type(approved, Review)
    assert_type(approve(size, "size"), int)

    chosen = (
        conditional("c")
        .if_((size > 3) & (title == "a") | passes.is_true())
        .then(judge(size=size))
        .elif_(review.approved == True)  # noqa: E712
        .then(approved)
        .else_()
        .fail("no")
    )
    assert_type(chosen, Review)
    mixed = conditional("d").if_(size > 1).then(size).else_().then(title)
    assert_type(mixed, int | str)
    del maybe
    return chosen, review.score


@workflow(failure_policy=WorkflowFailurePolicy.FAIL_IMMEDIATELY, name="outer")
def outer(text: str, file: File) -> float:
    first, second = report(text=text, file=file)
    assert_type(first, Review)
    return second


def tell_later(review: Review) -> object:
    """Return the node of a task that returns nothing, to be ordered."""
    return create_node(tell, review=review)


def use() -> None:
    assert_type(outer(text="a", file=File("f")), float)
    assert_type(outer.run({"text": "a"}, answers={"title": "b"}), float)
    assert_type(measure(text="a"), int)
    imperative = Workflow("w")
    text = imperative.add_workflow_input("text", str)
    node = imperative.add_entity(measure, text=text)
    node >> imperative.add_sleep(timedelta(1)) >> imperative.add_approve(node, "ok")
    imperative.add_workflow_output("size", node.outputs["o0"])
    anything: Any = imperative(text="a")
    plan = LaunchPlan.get_or_create(outer, "plan", default_inputs={"text": "a"})
    del anything, plan
    Echo("echo", {"radius": float})
