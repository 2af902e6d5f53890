"""Answers that the caller of a plain call gives: by the name of the gate or its path, in Python's own types."""

from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest

from tidegate import dynamic, task, wait_for_input, workflow
from tidegate.errors import AmbiguousSignal, UnknownSignal


def test_gates_of_one_name_in_sub_workflows_are_answered_by_path():
    @workflow
    def sub() -> str:
        return wait_for_input("title", expected_type=str)

    @workflow
    def wf() -> list[str]:
        return [sub(), sub(), wait_for_input("title", expected_type=str)]

    assert wf.run(answers={"n0/title": "a", "n1/title": "b", "/title": "c"}) == ["a", "b", "c"]
    with pytest.raises(AmbiguousSignal, match="/title, n0/title, n1/title"):
        wf.run(answers={"title": "a"})


def test_an_answer_for_no_gate_is_refused_before_anything_runs():
    ran: list[int] = []

    @task
    def note() -> None:
        ran.append(1)

    @workflow
    def wf() -> str:
        note()
        return wait_for_input("title", expected_type=str)

    with pytest.raises(UnknownSignal, match="no signal 'titel'; its signals are: title"):
        wf.run(answers={"titel": "a"})
    assert ran == []


def test_an_answer_may_be_for_a_gate_that_a_dynamic_task_brings():
    @dynamic
    def ask(n: int) -> list[str]:
        return [wait_for_input(f"title {i}", expected_type=str) for i in range(n)]

    @workflow
    def wf(n: int) -> list[str]:
        return ask(n=n)

    assert wf.run({"n": 2}, answers={"title 0": "a", "title 1": "b", "title 2": "c"}) == ["a", "b"]


class Hue(Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        (dict[int, str], {7: "seven"}),
        (list[date], [date(2024, 2, 29)]),
        (dict[str, list[Decimal]], {"a": [Decimal("1.10")]}),
        (dict[date, int], {date(2024, 2, 29): 1}),
        (list[tuple[Hue, int]], [(Hue.RED, 1)]),
    ],
)
def test_an_answer_in_python_s_types_comes_out_as_it_went_in(kind: Any, answer: Any):
    def body() -> Any:
        return wait_for_input("given", expected_type=kind)

    body.__annotations__["return"] = kind
    assert workflow(body).run(answers={"given": answer}) == answer
