"""The matrix of gates that the race table is held against: kind times patience. A gate is called `g`; `other` keeps the execution from ending."""

from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from tidegate import approve, sleep, task, wait_for_input, workflow
from tidegate.testing import Run, Sandbox

HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
RAN: list[int] = []
"""What the task behind the gate was called with."""


@task
def after(x: int) -> int:
    RAN.append(x)
    return x


class Gate(NamedTuple):
    """One cell of the matrix: how to make the gate, what to answer, and what comes out."""

    kind: str
    patience: str
    late: bool = False

    @property
    def options(self) -> dict[str, Any]:
        match self.patience:
            case "forever":
                return {}
            case "timeout":
                return {"timeout": HOUR}
            case _:
                return {"timeout": HOUR, "on_timeout": self.by_timeout}

    @property
    def by_timeout(self) -> Any:
        return 9 if self.kind == "input" else True

    @property
    def yes(self) -> Any:
        return 5 if self.kind == "input" else True

    @property
    def no(self) -> Any:
        return 6 if self.kind == "input" else False

    @property
    def wrong(self) -> Any:
        return "five" if self.kind == "input" else 1

    @property
    def result(self) -> int:
        return 5 if self.kind == "input" else 1

    def make(self, x: Any) -> Any:
        if self.kind == "input":
            return wait_for_input("g", expected_type=int, **self.options)
        return approve(x, "g", **self.options)

    def workflow(self) -> Any:
        def wf(x: int) -> list[int]:
            gate = self.make(x)
            if self.late:
                sleep(HOUR) >> gate
            return [after(x=gate), wait_for_input("other", expected_type=int)]

        return workflow(wf)


MATRIX = [
    Gate(kind, patience)
    for kind in ("input", "approve")
    for patience in ("forever", "timeout", "on_timeout")
]
TIMED = [gate for gate in MATRIX if gate.patience != "forever"]


def launched(sandbox: Sandbox, gate: Gate) -> Run:
    return sandbox.launch(gate.workflow(), x=1)


def ids(gate: Any) -> str:
    return f"{gate.kind}-{gate.patience}" if isinstance(gate, Gate) else ""


every_gate = pytest.mark.parametrize("gate", MATRIX, ids=ids)
every_timed_gate = pytest.mark.parametrize("gate", TIMED, ids=ids)
