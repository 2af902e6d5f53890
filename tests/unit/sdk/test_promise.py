"""Promises: passed on, looked into and ordered like values; refused where Python would need the value itself."""

import copy
import functools
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Optional, TypedDict

import pydantic
import pytest

from tidegate import CompileError, sleep, task, wait_for_input, workflow
from tidegate.ir.expr import Const, DictExpr, InputRef, ListExpr, NodeId, OutputRef


@dataclass
class Inner:
    size: float


@dataclass
class Review:
    approved: bool
    notes: list[str]
    inner: Inner


class Model(pydantic.BaseModel):
    name: str
    review: Review


class Named(NamedTuple):
    slope: float
    label: str


class Options(TypedDict):
    count: int
    word: str


@task
def number(seed: int = 1) -> int:
    return seed


@task
def word() -> str:
    return "w"


@task
def review() -> Review:
    return Review(True, ["a", "b"], Inner(2.5))


@task
def model() -> Model:
    return Model(name="m", review=Review(False, [], Inner(1.0)))


@task
def table() -> dict[str, list[int]]:
    return {"a": [1, 2]}


@task
def by_number() -> dict[int, str]:
    return {7: "seven"}


@task
def report() -> dict:
    return {"mean": 1.5}


@task
def pair() -> tuple[int, str]:
    return 1, "a"


@task
def named() -> Named:
    return Named(1.5, "l")


@task
def note(text: str): ...


@task
def keep(value: int) -> int:
    return value


@task
def total(values: list[int]) -> int:
    return sum(values)


@task
def anything(value: Any) -> Any:
    return value


def out(node: int, output: str = "o0", *path: str | int) -> OutputRef:
    return OutputRef(NodeId(f"n{node}"), output, path)


def inputs(wf: Any, node: int) -> dict[str, Any]:
    found: dict[str, Any] = wf.compile().nodes[f"n{node}"].inputs
    return found


def compiled(body: Any) -> Any:
    """Compile a function, or a lambda as a function that returns nothing."""

    def call() -> None:
        body()

    return workflow(call if body.__name__ == "<lambda>" else body).compile()


def refused(body: Any, message: str) -> None:
    with pytest.raises(CompileError, match=message):
        compiled(body)


def test_parts_of_an_output_are_reached_by_attribute_key_and_position():
    @workflow
    def wf() -> float:
        r = review()
        note(text=r.notes[1])
        m = model()
        note(text=m.review.notes[0])
        note(text=m["name"])
        t = table()
        keep(value=t["a"][-1])
        b = by_number()
        note(text=b[7])
        anything(value=report()["mean"])
        return r.inner.size

    graph = wf.compile()

    assert inputs(wf, 1) == {"text": out(0, "o0", "notes", 1)}
    assert inputs(wf, 3) == {"text": out(2, "o0", "review", "notes", 0)}
    assert inputs(wf, 4) == {"text": out(2, "o0", "name")}
    assert inputs(wf, 6) == {"value": out(5, "o0", "a", -1)}
    assert inputs(wf, 8) == {"text": out(7, "o0", 7)}
    assert graph.outputs == {"o0": out(0, "o0", "inner", "size")}


def test_a_field_that_is_not_there_is_refused_when_the_workflow_is_compiled():
    refused(lambda: note(text=review().nots), "output 'o0' of 'review' .n0.*nots")


def test_a_part_of_the_wrong_type_is_refused_with_both_nodes_and_the_parameter():
    refused(
        lambda: note(text=review().approved),
        r"output 'o0'\['approved'\] of 'review' \(n0\) does not fit input 'text' of task 'note' \(n1\)",
    )


def test_several_outputs_are_reached_by_position_name_and_unpacking():
    @workflow
    def wf():
        p = pair()
        keep(value=p[0])
        keep(value=p["o0"])
        keep(value=p.o0)
        a, b = pair()
        keep(value=a)
        note(text=b)
        n = named()
        note(text=n.label)
        note(text=n[1])

    assert [inputs(wf, i) for i in (1, 2, 3)] == [{"value": out(0)}] * 3
    assert inputs(wf, 5) == {"value": out(4)}
    assert inputs(wf, 6) == {"text": out(4, "o1")}
    assert [inputs(wf, i) for i in (8, 9)] == [{"text": out(7, "label")}] * 2


def test_an_output_that_is_not_there_is_refused_with_those_there_are():
    refused(lambda: note(text=named().lable), "has no output 'lable'; it has: slope, label")
    refused(lambda: keep(value=pair()[2]), "has no output 2; it has: o0, o1")


def test_several_outputs_for_one_input_are_refused():
    refused(lambda: keep(value=pair()), r"'pair' \(n0\) has 2 outputs; choose one")


def test_a_node_without_outputs_for_an_input_is_refused():
    refused(
        lambda: keep(value=note(text="a")), r"'note' \(n0\) has no output .* order them with >>"
    )


def test_lists_and_dicts_of_promises_flow_where_their_items_may():
    @task
    def merge(parts: dict[str, int], rows: list[list[int]], options: Options) -> int:
        return len(parts)

    @workflow
    def wf(x: int) -> list[int]:
        a = number()
        merge(
            parts={"a": a, "b": 2},
            rows=[[a, x], [3]],
            options={"count": a, "word": word()},
        )
        return [a, x, 5]

    assert wf.compile().outputs == {"o0": ListExpr((out(0), InputRef("x"), Const(5)))}
    assert inputs(wf, 2) == {
        "parts": DictExpr({"a": out(0), "b": Const(2)}),
        "rows": ListExpr((ListExpr((out(0), InputRef("x"))), Const([3]))),
        "options": DictExpr({"count": out(0), "word": out(1)}),
    }


def test_an_item_of_the_wrong_type_is_refused_with_its_place():
    refused(lambda: total(values=[number(), word()]), r"\[1\] of input 'values' of task 'total'")
    refused(lambda: total(values=[number(), "x"]), r"\[1\] of input 'values' of task 'total'.*'x'")
    refused(lambda: keep(value=[number()]), "does not accept a list that contains promises")
    refused(lambda: keep(value={"a": number()}), "does not accept a dict that contains promises")


def test_a_constant_is_stored_by_the_type_of_its_parameter():
    @task
    def late(at: datetime, pause: timedelta, maybe: Optional[int]): ...

    @workflow
    def wf():
        late(
            at=datetime.fromisoformat("2024-01-01T00:00:00+00:00"),
            pause=timedelta(hours=1),
            maybe=None,
        )

    assert inputs(wf, 0)["pause"] == Const("PT1H")
    assert inputs(wf, 0)["maybe"] == Const(None)


def test_a_constant_of_the_wrong_type_is_refused():
    refused(lambda: keep(value="x"), "input 'value' of task 'keep'.*whole number.*'x'")


def test_missing_and_unknown_inputs_are_refused_with_those_there_are():
    refused(lambda: keep(), "task 'keep': input 'value' is missing; its inputs are value")
    refused(lambda: keep(valu=1), "task 'keep': unknown input 'valu'; its inputs are value")


def test_defaults_and_positions_count_as_in_python():
    @workflow
    def wf():
        number()
        number(3)
        functools.partial(number, seed=4)()

    assert [inputs(wf, i)["seed"] for i in range(3)] == [Const(1), Const(3), Const(4)]


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda p: bool(p), "use conditional"),
        (lambda p: 1 if p > 1 else 2, "use conditional"),
        (lambda p: p and 1, "use conditional"),
        (lambda p: not p, "use conditional"),
        (lambda p: 0 < p < 3, "chained comparisons"),
        (lambda p: list(p), "cannot be unpacked or looped over"),
        (lambda p: len(p), "has no length"),
        (lambda p: f"report {p}", "cannot turn it into a string; build the string in a task"),
        (lambda p: str(p), "cannot turn it into a string"),
        (lambda p: f"{p!s} of {3:>4}", "cannot turn it into a string"),
        (lambda p: p[1:2], "let a task do that"),
        (lambda p: p in [1, 2], "use conditional"),
        (lambda p: p in {1, 2}, "cannot look for it in a set or use it as a key"),
        (lambda p: {p: 1}, "cannot look for it in a set or use it as a key"),
        (lambda p: {1: "a"}[p], "cannot look for it in a set or use it as a key"),
        (lambda p: p & p, "is not a condition"),
        (lambda p: p + 1, "cannot compute with it; let a task do that"),
        (lambda p: 1 - p, "cannot compute with it"),
        (lambda p: "a" + p, "cannot compute with it"),
        (lambda p: -p, "cannot compute with it"),
        (lambda p: sum([p, p]), "cannot compute with it"),
        (lambda p: range(p), "cannot count or index with it; .* or a @dynamic"),
        (lambda p: [1, 2][p], "cannot count or index with it"),
        (lambda p: int(p), "cannot count or index with it"),
        (lambda p: round(p), "cannot count or index with it"),
        (lambda p: setattr(p, "x", 1), "cannot set 'x' on it; let a task return the changed value"),
        (lambda p: p.__setitem__(0, 1), "cannot set 0 in it"),
        (lambda p: p._x, r"write \['_x'\] for a field with that name"),
    ],
)
def test_python_cannot_use_a_promise_as_a_value(use, message):
    refused(lambda: use(number()), message)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda p: p + 1, r"'pair' \(n0\) has no value .* cannot compute with it"),
        (lambda p: f"{p}", r"'pair' \(n0\) has no value .* cannot turn it into a string"),
        (lambda p: {p}, r"'pair' \(n0\) has no value .* use it as a key"),
        (lambda p: p or 1, r"'pair' \(n0\) has no value .* use conditional"),
    ],
)
def test_python_cannot_use_a_node_of_several_outputs_as_a_value(use, message):
    refused(lambda: use(pair()), message)


def test_a_condition_is_not_turned_round_by_python():
    refused(lambda: ~(number() > 1), "cannot be negated with ~; invert the comparison")


def test_a_promise_is_printed_as_what_it_is():
    seen = []
    workflow(lambda: seen.append(repr(review().notes))).compile()

    assert seen == ["<promise of output 'o0'['notes'] of 'review' (n0)>"]


def test_a_tuple_output_of_fixed_length_can_be_unpacked():
    @task
    def nested() -> list[tuple[int, str]]:
        return [(1, "a")]

    @workflow
    def wf():
        a, b = nested()[0]
        keep(value=a)
        note(text=b)

    assert inputs(wf, 1) == {"value": out(0, "o0", 0, 0)}


def test_an_object_with_a_promise_in_it_is_refused():
    @task
    def take(inner: Inner): ...

    refused(
        lambda: take(inner=Inner(size=number())),
        "is a Inner that contains a promise; let a task build",
    )
    refused(
        lambda: take(inner=Model.model_construct(name=word())), "is a Model that contains a promise"
    )


def test_a_copied_promise_is_the_same_promise():
    @workflow
    def wf() -> list[int]:
        return copy.deepcopy([number(), number()])

    assert wf() == [1, 1]


def test_a_promise_of_another_workflow_is_refused():
    kept = []

    @workflow
    def first():
        kept.append(number())

    first.compile()

    refused(lambda: keep(value=kept[0]), "uses output 'o0' of 'number'.*; pass it in as an input")


def test_ids_follow_the_order_of_the_calls_gates_too():
    @workflow
    def wf():
        number()
        sleep(timedelta(seconds=1))
        keep(value=wait_for_input("x", expected_type=int))
        number()

    graph = wf.compile()

    assert [(n.id, n.name) for n in graph.nodes.values()] == [
        ("n0", "number"),
        ("n1", "sleep"),
        ("n2", "x"),
        ("n3", "keep"),
        ("n4", "number"),
    ]


def test_an_output_flows_into_a_wider_type_and_not_into_a_narrower():
    @task
    def wide(value: float) -> float:
        return value

    @task
    def maybe(value: int | None) -> str | None:
        return None

    @workflow
    def wf():
        wide(value=number())
        maybe(value=number())
        anything(value=word())

    assert len(wf.compile().nodes) == 6
    refused(lambda: keep(value=wide(value=1.5)), "does not fit input 'value' of task 'keep'")
