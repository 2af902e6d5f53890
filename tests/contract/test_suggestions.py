"""A suggestion is checked where it arises: what no answer can be is never offered."""

from typing import Literal

import pytest

from tidegate import CompileError, task, wait_for_input, workflow
from tidegate.testing import Sandbox


@task
def words() -> str:
    return "middle"


@task
def endless() -> float:
    return float("inf")


@task
def lots() -> list[float]:
    return [1.0, float("nan")]


@workflow
def suggests_no_choice() -> str:
    return wait_for_input("level", expected_type=Literal["low", "high"], suggested=words())


@workflow
def suggests_no_number() -> float:
    return wait_for_input("rate", expected_type=float, suggested=endless())


@workflow
def suggests_one_in_a_list() -> list[float]:
    return wait_for_input("rates", expected_type=list[float], suggested=lots())


@pytest.mark.parametrize(
    "wf", [suggests_no_choice, suggests_no_number, suggests_one_in_a_list], ids=lambda wf: wf.name
)
def test_a_suggestion_that_no_answer_can_be_fails_the_gate_instead_of_being_offered(
    sandbox: Sandbox, wf
):
    run = sandbox.launch(wf)

    assert run.questions == []
    (failed,) = [node for node in run.view.nodes if node.failure is not None]
    assert (failed.kind, failed.failure.code) == ("input", "BadSuggestion")
    assert "cannot be its answer" in failed.failure.message


@pytest.mark.parametrize("value", [float("inf"), float("nan"), float("-inf")])
def test_a_constant_that_no_answer_can_be_is_refused_as_a_suggestion_by_the_compiler(value: float):
    @workflow
    def wf() -> float:
        return wait_for_input("rate", expected_type=float, suggested=value)

    with pytest.raises(CompileError, match="'suggested' of gate 'rate'.*cannot be its answer"):
        wf.compile()
