"""
Every type that a gate may expect: what is answered comes to the task that takes it as a value of that type, and what does not fit is refused.

Method: for each type a workflow asks for it, hands the answer to a task, and the task tells what it got, as `repr`.
"""

import enum
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple, Optional, TypedDict, Union

import pytest
from pydantic import BaseModel, Field

from tidegate import File, task, wait_for_input, workflow
from tidegate.errors import InvalidValue
from tidegate.testing import Sandbox


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.Enum):
    LOW = 1
    HIGH = 2


@dataclass
class Inner:
    n: int


@dataclass
class Plain:
    name: str
    inner: Inner
    tags: list[str] = field(default_factory=list)


class Pair(NamedTuple):
    left: int
    right: str


class Typed(TypedDict):
    a: int
    b: str


class Model(BaseModel):
    score: float = Field(ge=0, le=1)
    note: str | None = None


SEEN: list[Any] = []
"""What the last task got."""


def asking_for(annotation: Any) -> Any:
    """Make a workflow that asks for a type and hands the answer to a task of that type."""

    def take(value):
        SEEN.append(value)

    take.__annotations__ = {"value": annotation, "return": None}
    taking = task(take)

    def ask() -> None:
        taking(value=wait_for_input("q", expected_type=annotation))

    return workflow(ask)


GOOD: list[tuple[Any, Any, Any]] = [
    (str, "text", "text"),
    (str, "", ""),
    (str, "null", "null"),
    (str, 'ünïcødé \u2028 🌊 \\ "', 'ünïcødé \u2028 🌊 \\ "'),
    (int, 7, 7),
    (int, 0, 0),
    (int, -(2**53), -(2**53)),
    (float, 1.5, 1.5),
    (float, 2, 2.0),
    (float, 0.1, 0.1),
    (bool, True, True),
    (bool, False, False),
    (date, "2026-02-28", date(2026, 2, 28)),
    (datetime, "2026-02-28T12:00:00Z", datetime(2026, 2, 28, 12, tzinfo=UTC)),
    (timedelta, "PT90S", timedelta(seconds=90)),
    (Colour, "red", Colour.RED),
    (Level, 2, Level.HIGH),
    (Literal["a", 3], "a", "a"),
    (Literal["a", 3], 3, 3),
    (Optional[int], 3, 3),
    (Optional[int], None, None),
    (str | None, None, None),
    (str | None, "", ""),
    (Union[int, str], 3, 3),
    (Union[int, str], "3", "3"),
    (Union[Inner, Colour], {"n": 3}, Inner(3)),
    (Union[Inner, Colour], "blue", Colour.BLUE),
    (list[int], [1, 2], [1, 2]),
    (list[int], [], []),
    (list[Inner], [{"n": 1}], [Inner(1)]),
    (dict[str, int], {"a": 1}, {"a": 1}),
    (dict[str, int], {}, {}),
    (dict[str, list[Colour]], {"x": ["red"]}, {"x": [Colour.RED]}),
    (tuple[int, str], [1, "a"], (1, "a")),
    (Plain, {"name": "p", "inner": {"n": 1}, "tags": []}, Plain("p", Inner(1))),
    (Plain, {"name": "p", "inner": {"n": 1}}, Plain("p", Inner(1))),
    (Pair, {"left": 1, "right": "r"}, Pair(1, "r")),
    (Typed, {"a": 1, "b": "x"}, {"a": 1, "b": "x"}),
    (Model, {"score": 0.5}, Model(score=0.5)),
    (Model, {"score": 1, "note": "n"}, Model(score=1.0, note="n")),
    (list[Model], [{"score": 0}], [Model(score=0)]),
    (Any, {"any": [1, None]}, {"any": [1, None]}),
    (dict, {"a": {"b": 1}}, {"a": {"b": 1}}),
    (list, [1, "a"], [1, "a"]),
]

BAD: list[tuple[Any, Any]] = [
    (str, 3),
    (str, None),
    (int, "7"),
    (int, 1.5),
    (int, True),
    (float, "1.5"),
    (float, True),
    (bool, 1),
    (bool, "true"),
    (date, "2026-02-30"),
    (date, "yesterday"),
    (datetime, "2026-02-30T12:00:00Z"),
    (datetime, 5),
    (timedelta, "soon"),
    (Colour, "green"),
    (Level, "LOW"),
    (Literal["a", 3], "b"),
    (Optional[int], "3"),
    (Union[int, str], 1.5),
    (list[int], [1, "2"]),
    (list[int], {"0": 1}),
    (dict[str, int], {"a": "1"}),
    (dict[str, int], []),
    (tuple[int, str], [1]),
    (tuple[int, str], ["a", 1]),
    (Plain, {"name": "p"}),
    (Plain, {"name": "p", "inner": {"n": "x"}}),
    (Plain, {"name": "p", "inner": {"n": 1}, "more": 1}),
    (Pair, {"left": 1}),
    (Typed, {"a": 1}),
    (Model, {"score": 2}),
    (Model, {"note": "n"}),
    (File, 3),
    (File, {"not": "a file"}),
]


def name_of(value: Any) -> str:
    return str(getattr(value, "__name__", value)).replace("typing.", "")[:40]


@pytest.mark.parametrize(("annotation", "answer", "value"), GOOD, ids=name_of)
def test_an_answer_comes_to_the_task_as_a_value_of_its_type(
    sandbox: Sandbox, annotation: Any, answer: Any, value: Any
):
    SEEN.clear()
    run = sandbox.launch(asking_for(annotation))
    run.answer("q", answer)
    assert run.phase == "SUCCEEDED", run.view.error
    (seen,) = SEEN
    assert (seen, type(seen)) == (value, type(value))


@pytest.mark.parametrize(("annotation", "answer"), BAD, ids=name_of)
def test_an_answer_of_another_type_is_refused_and_the_gate_stays_open(
    sandbox: Sandbox, annotation: Any, answer: Any
):
    SEEN.clear()
    run = sandbox.launch(asking_for(annotation))
    before = run.view
    with pytest.raises(InvalidValue) as refused:
        run.answer("q", answer)
    assert refused.value.status == 422
    assert refused.value.faults
    assert all(fault.reason for fault in refused.value.faults)
    assert run.view == before
    assert (run.phase, run.waiting, SEEN) == ("WAITING", ["q"], [])


@pytest.mark.parametrize(
    ("annotation", "answer", "paths"),
    [
        (list[int], [1, "2", None], [(1,), (2,)]),
        (Plain, {"name": 3, "inner": {"n": "x"}}, [("inner", "n"), ("name",)]),
        (dict[str, list[int]], {"a": [1, "x"]}, [("a", 1)]),
    ],
)
def test_each_fault_says_where_it_is(
    sandbox: Sandbox, annotation: Any, answer: Any, paths: list[tuple[Any, ...]]
):
    run = sandbox.launch(asking_for(annotation))
    with pytest.raises(InvalidValue) as refused:
        run.answer("q", answer)
    assert sorted((f.path for f in refused.value.faults), key=str) == sorted(paths, key=str)


@task
def read(file: File) -> str:
    return Path(file).read_text()


@workflow
def wants_a_file() -> str:
    return read(file=wait_for_input("file", expected_type=File))


def test_a_file_that_is_answered_with_comes_to_the_task(sandbox: Sandbox, tmp_path: Path):
    (tmp_path / "answer.txt").write_text("what is in it")
    run = sandbox.launch(wants_a_file)
    run.answer("file", sandbox.stored(File, File(tmp_path / "answer.txt")))
    assert run.outputs == {"o0": "what is in it"}


def test_a_file_that_nobody_has_stored_is_refused_and_the_gate_stays_open(sandbox: Sandbox):
    run = sandbox.launch(wants_a_file)
    with pytest.raises(InvalidValue):
        run.answer("file", {"$blob": "0" * 64, "size": 3})
    assert run.waiting == ["file"]
