"""The three gates when a workflow is compiled: what they become, where they are legal, and what is refused."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, Literal, NamedTuple, Optional, TypedDict, Union

import pydantic
import pytest

from tidegate import (
    CompileError,
    File,
    UnsupportedType,
    approve,
    conditional,
    dynamic,
    sleep,
    task,
    wait_for_input,
    workflow,
)
from tidegate.ir.expr import Const, InputRef, NodeId, OutputRef
from tidegate.ir.graph import (
    SECOND,
    ApproveNode,
    Defaults,
    Expires,
    Forever,
    InputNode,
    Question,
    SleepNode,
)

HOUR = timedelta(hours=1)


@dataclass
class Review:
    approved: bool
    score: float


class Named(NamedTuple):
    slope: float
    label: str


class Model(pydantic.BaseModel):
    name: str


class Colour(Enum):
    RED = "red"


class Options(TypedDict):
    count: int


@task
def make() -> Review:
    return Review(True, 1.0)


@task
def number() -> int:
    return 1


@task
def named() -> Named:
    return Named(1.0, "")


@task
def keep(value: int) -> int:
    return value


@task
def void(): ...


@workflow
def inner(x: int) -> int:
    return keep(value=x)


def compiled(body: Any) -> Any:
    """Compile a function, or a lambda as a function that returns nothing."""

    def call() -> None:
        body()

    return workflow(call if body.__name__ == "<lambda>" else body).compile()


def first(body: Any, kind: type) -> Any:
    graph = compiled(body)
    return next(node for node in graph.nodes.values() if isinstance(node, kind))


def refused(body: Any, message: str) -> None:
    with pytest.raises(CompileError, match=message):
        compiled(body)


def test_arguments_come_in_the_order_of_the_seed_page():
    gate = first(lambda: wait_for_input("title", HOUR, str), InputNode)
    assert (gate.name, gate.schema) == ("title", {"type": "string"})
    assert gate.patience == Expires(3600 * SECOND)

    gate = first(lambda: approve(number(), "ok", HOUR), ApproveNode)
    assert (gate.name, gate.subject) == ("ok", OutputRef(NodeId("n0"), "o0"))
    assert gate.patience == Expires(3600 * SECOND)

    assert first(lambda: sleep(timedelta(milliseconds=1500)), SleepNode).duration == 1_500_000


def test_without_a_timeout_a_gate_waits_without_end():
    assert first(lambda: wait_for_input("x", expected_type=int), InputNode).patience == Forever()
    assert first(lambda: wait_for_input("x", None, int), InputNode).patience == Forever()
    assert first(lambda: approve(number(), "x"), ApproveNode).patience == Forever()


@pytest.mark.parametrize("duration", [timedelta(0), timedelta(seconds=-1), 10, 1.5, "1h", None])
def test_durations_that_are_none_are_refused(duration):
    refused(lambda: sleep(duration), r"the duration of sleep\(...\) must be")


@pytest.mark.parametrize("timeout", [timedelta(0), timedelta(seconds=-1), 3600, "1h"])
def test_timeouts_that_are_none_are_refused_with_the_name_of_the_gate(timeout):
    refused(lambda: wait_for_input("title", timeout, str), "gate 'title': timeout must be")
    refused(lambda: approve(number(), "ok", timeout), "gate 'ok': timeout must be")


def test_a_duration_beyond_a_hundred_years_is_refused():
    refused(lambda: sleep(timedelta.max), "must not be longer than 36500 days")


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\nb", "a\x00", "a\x1b[31m", None, 3])
def test_names_that_cannot_be_shown_are_refused(name):
    refused(
        lambda: wait_for_input(name, expected_type=str),
        "wait_for_input (needs a non-empty string as its|has a) name",
    )
    refused(lambda: approve(number(), name), "approve (needs a non-empty string as its|has a) name")


def test_any_name_that_people_can_read_is_taken():
    for name in ("x" * 200, "Titel (Übersicht)", "approve-final-report", "確認"):
        assert (
            first(lambda name=name: wait_for_input(name, expected_type=str), InputNode).name == name
        )


def test_two_gates_of_one_name_in_one_body_are_refused():
    def body():
        wait_for_input("x", expected_type=str)
        approve(number(), "x")

    refused(body, "two gates are called 'x'")


def test_a_sub_workflow_has_names_of_its_own():
    @workflow
    def sub() -> str:
        return wait_for_input("x", expected_type=str)

    def body():
        sub()
        sub()
        wait_for_input("x", expected_type=str)

    assert len(workflow(body).compile().nodes) == 3


def test_many_sleeps_need_no_names():
    def body():
        sleep(HOUR) >> sleep(HOUR)

    assert [n.name for n in workflow(body).compile().nodes.values()] == ["sleep", "sleep"]


def test_the_question_is_kept_whole():
    def body(x: int, hint: str):
        r = make()
        wait_for_input(
            "title",
            HOUR,
            str,
            prompt="# What?",
            show={"report": r, "score": r.score, "unit": "mm"},
            suggested=hint,
            on_timeout="none",
        )
        approve(x, "ok", HOUR, prompt="Sure?", show=[r, r.score, x], on_timeout=False)

    title, ok = (n for n in workflow(body).compile().nodes.values() if n.id != "n0")
    report, score = OutputRef(NodeId("n0"), "o0"), OutputRef(NodeId("n0"), "o0", ("score",))
    assert isinstance(title, InputNode)
    assert isinstance(ok, ApproveNode)
    assert title.question == Question(
        "# What?", {"report": report, "score": score, "unit": Const("mm")}, InputRef("hint")
    )
    assert title.patience == Defaults(3600 * SECOND, "none")
    assert ok.question == Question(
        "Sure?", {"make": report, "make.score": score, "x": InputRef("x")}
    )
    assert ok.patience == Defaults(3600 * SECOND, False)


def test_values_of_one_name_in_a_list_are_all_shown():
    def body():
        wait_for_input("x", expected_type=int, show=[number(), number(), 3])

    assert list(first(body, InputNode).question.show) == ["number", "number 2", "value"]


def test_null_on_timeout_is_an_answer_and_not_the_absence_of_one():
    def body():
        wait_for_input("x", HOUR, Optional[int], on_timeout=None, suggested=None)

    gate = first(body, InputNode)
    assert gate.patience == Defaults(3600 * SECOND, None)
    assert gate.question.suggested == Const(None)


def test_on_timeout_without_timeout_is_refused():
    refused(
        lambda: wait_for_input("x", expected_type=int, on_timeout=1),
        "gate 'x' has on_timeout but no timeout",
    )
    refused(
        lambda: approve(number(), "x", on_timeout=True), "gate 'x' has on_timeout but no timeout"
    )


def test_on_timeout_and_suggested_must_fit_the_type():
    refused(
        lambda: wait_for_input("x", HOUR, int, on_timeout="a"), "gate 'x': on_timeout.*whole number"
    )
    refused(
        lambda: wait_for_input("x", HOUR, int, suggested="a"),
        "'suggested' of gate 'x'.*whole number",
    )
    refused(
        lambda: wait_for_input("x", HOUR, str, suggested=number()),
        "does not fit 'suggested' of gate 'x'",
    )
    refused(
        lambda: approve(number(), "x", HOUR, on_timeout="yes"),
        "gate 'x': on_timeout.*true or false",
    )


@pytest.mark.parametrize("option", ["promt", "expected", "default"])
def test_unknown_options_are_refused(option):
    refused(
        lambda: wait_for_input("x", expected_type=int, **{option: 1}),
        f"gate 'x' has no option '{option}'",
    )
    refused(lambda: approve(number(), "x", **{option: 1}), f"gate 'x' has no option '{option}'")


def test_approve_has_nothing_to_suggest():
    refused(lambda: approve(number(), "x", suggested=1), "no option 'suggested'")  # type: ignore[call-arg]


def test_a_missing_expected_type_is_refused():
    refused(lambda: wait_for_input("x"), "gate 'x' has no expected_type")
    refused(lambda: wait_for_input("x", expected_type=None), "gate 'x' has no expected_type")


def test_an_expected_type_that_cannot_be_stored_is_refused():
    class Socket: ...

    with pytest.raises(UnsupportedType, match="gate 'x': expected_type.*Socket"):
        compiled(lambda: wait_for_input("x", expected_type=Socket))


@pytest.mark.parametrize(
    "expected",
    [
        str,
        int,
        float,
        bool,
        timedelta,
        Colour,
        Literal["a", 1],
        Optional[int],
        Union[int, str],
        int | None,
        list[int],
        dict[str, int],
        dict,
        tuple[int, str],
        Review,
        Named,
        Options,
        Model,
        File,
    ],
)
def test_every_type_of_the_type_floor_can_be_asked_for(expected):
    gate = first(lambda: wait_for_input("x", expected_type=expected), InputNode)

    assert gate.schema


def test_anything_can_be_approved():
    def body(x: int):
        approve(make(), "output")
        approve(make().score, "attribute")
        approve(named().label, "named")
        approve(named()["label"], "item")
        approve(wait_for_input("in", expected_type=int), "gate")
        approve(approve(number(), "first"), "second")
        approve(inner(x=1), "sub-workflow")
        chosen = conditional("c").if_(x > 1).then(keep(value=1)).else_().then(keep(value=2))
        approve(chosen, "conditional")
        approve(x, "input")
        approve([number(), x], "list")

    gates = [n for n in workflow(body).compile().nodes.values() if isinstance(n, ApproveNode)]
    assert [g.output for g in gates] == ["o0", "o0", "label", "label", *["o0"] * 7]
    assert gates[1].schema == {"type": "number"}
    assert gates[9].subject == InputRef("x")


def test_what_is_approved_keeps_its_name_and_type():
    @workflow
    def wf() -> float:
        return approve(make(), "ok").score

    assert wf.compile().outputs == {"o0": OutputRef(NodeId("n1"), "o0", ("score",))}


def test_one_of_several_outputs_must_be_picked_for_approval():
    refused(
        lambda: approve(named(), "x"),
        r"'named' \(n0\) has 2 outputs; choose one for approval 'x', such as .slope",
    )


def test_nothing_cannot_be_approved():
    refused(lambda: approve(void(), "x"), r"'void' \(n0\) has no output")


def test_gates_are_legal_in_cases_of_a_conditional():
    def body(x: int) -> int:
        return (
            conditional("c")
            .if_(x > 1)
            .then(approve(number(), "ok"))
            .else_()
            .then(wait_for_input("other", expected_type=int))
        )

    nodes = workflow(body).compile().nodes
    assert [n.case.index if n.case else None for n in nodes.values()] == [None, 0, 0, 1]


@pytest.mark.parametrize(
    ("gate", "method"),
    [
        (lambda: sleep(HOUR), "add_sleep"),
        (lambda: wait_for_input("x", expected_type=int), "add_wait_for_input"),
        (lambda: approve(1, "x"), "add_approve"),
        (lambda: conditional("x"), "create_conditional"),
    ],
)
def test_outside_of_a_workflow_a_gate_says_where_it_belongs(gate, method):
    with pytest.raises(
        CompileError, match=rf"belongs in the body of a @workflow or a @dynamic.*{method}.*outside"
    ):
        gate()


def test_in_the_body_of_a_task_a_gate_says_where_it_belongs():
    @task
    def wrong() -> int:
        wait_for_input("x", expected_type=int)
        return 1

    @workflow
    def wf() -> int:
        return wrong()

    with pytest.raises(
        Exception, match="belongs in the body of a @workflow.*in the body of a task"
    ):
        wf()


def test_in_a_dynamic_a_bare_value_can_be_approved():
    @dynamic
    def ask(value: int) -> int:
        return approve(value, "ok")

    @workflow
    def wf(value: int) -> int:
        return ask(value=value)

    assert wf.run({"value": 3}, answers={"ok": True}) == 3


def test_the_timeout_of_a_gate_can_be_overridden_and_its_name_cannot():
    def body():
        wait_for_input("x", HOUR, int).with_overrides(timeout=None)

    assert first(body, InputNode).patience == Forever()
    refused(
        lambda: wait_for_input("x", HOUR, int).with_overrides(name="y"),
        "answers address a gate by its name",
    )
    refused(
        lambda: wait_for_input("x", HOUR, int).with_overrides(retries=2), "no retries to change"
    )
    refused(lambda: sleep(HOUR).with_overrides(timeout=HOUR), "no timeout to change")
    assert first(lambda: sleep(HOUR).with_overrides(timeout=None), SleepNode)
