"""What an author's type says beyond its schema counts for an answer, too: a wrong one never fails the run."""

import pytest
from pydantic import BaseModel, field_validator

from tidegate import task, wait_for_input, workflow
from tidegate.errors import InvalidValue
from tidegate.testing import Sandbox


class Even(BaseModel):
    """A model whose validator says what no schema does."""

    n: int

    @field_validator("n")
    @classmethod
    def check_even(cls, n: int) -> int:
        """Refuse odd numbers."""
        if n % 2:
            raise ValueError("must be even")
        return n


@task
def take(even: Even) -> int:
    """Take the answer."""
    return even.n


@workflow
def even_wf() -> int:
    """Ask for it."""
    return take(even=wait_for_input("even", expected_type=Even))


def test_an_answer_that_a_validator_refuses_is_refused_at_the_door_and_the_gate_stays_open() -> (
    None
):
    """The fault names the place; the right answer is taken after it."""
    with Sandbox() as sandbox:
        run = sandbox.launch(even_wf)
        with pytest.raises(InvalidValue) as refused:
            run.answer("even", {"n": 3})
        assert [str(fault) for fault in refused.value.faults] == ["n: must be even"]
        assert run.waiting == ["even"]
        run.answer("even", {"n": 4})
        assert run.outputs == {"o0": 4}


def test_a_scripted_answer_that_a_validator_refuses_is_refused_before_the_task_runs() -> None:
    """A plain call says the same."""
    with pytest.raises(InvalidValue, match="must be even"):
        even_wf.run({}, answers={"even": {"n": 3}})
