"""`@workflow`: compiled once, with sub-workflows, and what a workflow returns."""

import functools
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tidegate import CompileError, WorkflowFailurePolicy, sleep, task, workflow
from tidegate.ir.expr import Const, InputRef, ListExpr, NodeId, OutputRef
from tidegate.ir.graph import Default, SubNode, TaskNode


class Fit(NamedTuple):
    slope: float
    label: str


@task
def number(value: int = 1) -> int:
    return value


@task
def pair() -> tuple[int, str]:
    return 1, "a"


@task
def fit() -> Fit:
    return Fit(1.5, "l")


@task
def void(): ...


def out(node: int, output: str = "o0") -> OutputRef:
    return OutputRef(NodeId(f"n{node}"), output)


def only(wf: Any) -> TaskNode:
    (node,) = wf.compile().nodes.values()
    assert isinstance(node, TaskNode)
    return node


def test_a_workflow_is_traced_once_also_by_many_threads():
    calls = []
    barrier = threading.Barrier(4)

    @workflow
    def wf() -> int:
        calls.append(1)
        return number()

    def compile_it():
        barrier.wait()
        graphs.append(wf.compile())

    graphs: list[Any] = []
    threads = [threading.Thread(target=compile_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(calls) == 1
    assert all(graph is graphs[0] for graph in graphs)
    assert len(graphs) == 4


def test_a_failed_compile_stays_failed():
    calls = []

    @workflow
    def wf() -> int:
        calls.append(1)
        return number(valu=1)  # type: ignore[call-arg]

    errors = []
    for use in (wf.compile, wf, wf.run):
        with pytest.raises(CompileError) as error:
            use()
        errors.append(error.value)

    assert len(calls) == 1
    assert errors == [errors[0]] * 3


def test_an_error_of_the_body_is_a_compile_error_with_its_cause():
    @workflow
    def wf() -> int:
        return {}["nothing"]  # type: ignore[no-any-return]

    with pytest.raises(CompileError, match="its body raised KeyError: 'nothing'") as error:
        wf.compile()
    assert isinstance(error.value.__cause__, KeyError)


def test_a_mistake_in_the_body_is_one_line_that_says_where_it_is_once():
    @workflow
    def inner(n: int) -> int:
        return n + 1

    @workflow
    def outer(n: int) -> int:
        return inner(n=n)

    @workflow
    def odd() -> None:
        raise ValueError("two\nlines")

    with pytest.raises(CompileError) as error:
        outer.compile()
    line = inner.function.__code__.co_firstlineno + 2
    assert error.value.message.endswith(f"let a task do that (test_workflow.py:{line})")
    with pytest.raises(CompileError, match=r"ValueError: two lines \(test_workflow.py:\d+\)$"):
        odd.compile()


def test_a_body_that_never_ends_or_nests_a_value_too_deep_is_refused():
    @workflow
    def nested(n: int) -> Any:
        found: Any = n
        for _ in range(2_000):
            found = [found]
        return found

    @workflow
    def endless() -> None:
        def again() -> None:
            again()

        again()

    for wf in (nested, endless):
        with pytest.raises(CompileError, match="calls itself without end, or .* nested too deep"):
            wf.compile()


def test_an_async_workflow_is_refused():
    @workflow
    async def wf() -> None: ...

    with pytest.raises(CompileError, match="wf' is `async def`; .* write `def`"):
        wf.compile()


def test_a_workflow_that_calls_itself_is_refused():
    @workflow
    def wf() -> int:
        return wf()

    with pytest.raises(CompileError, match=r"wf' calls itself"):
        wf.compile()


def test_workflows_that_call_each_other_are_refused():
    later: list[Any] = []

    @workflow
    def first() -> int:
        return later[0]()  # type: ignore[no-any-return]

    @workflow
    def other() -> int:
        return first()

    later.append(other)

    with pytest.raises(CompileError, match="calls itself, directly or through another"):
        first.compile()


def test_a_sub_workflow_is_a_node_that_carries_its_graph():
    @workflow
    def sub(a: int, b: int = 7) -> tuple[int, str]:
        number(value=a)
        return pair()

    @workflow
    def wf(x: int) -> int:
        first, _ = sub(a=x)
        return number(value=first)

    graph = wf.compile()
    node = graph.nodes["n0"]
    assert isinstance(node, SubNode)
    assert node.graph is sub.compile()
    assert node.name.endswith("sub")
    assert node.inputs == {"a": InputRef("x"), "b": Const(7)}
    assert graph.nodes["n1"].inputs == {"value": out(0)}  # type: ignore[union-attr]


def test_inputs_of_a_sub_workflow_are_checked():
    @workflow
    def sub(a: int) -> int:
        return number(value=a)

    @workflow
    def missing() -> int:
        return sub()  # type: ignore[call-arg]

    @workflow
    def wrong() -> int:
        return sub(a=fit().label)  # type: ignore[arg-type]

    with pytest.raises(
        CompileError, match="workflow '.*sub': input 'a' is missing; its inputs are a"
    ):
        missing.compile()
    with pytest.raises(CompileError, match="does not fit input 'a' of workflow 'sub'"):
        wrong.compile()


def test_default_inputs_are_part_of_the_interface():
    @workflow
    def wf(a: int, b: list[int] = [1, 2], c: str | None = None) -> int:
        return number(value=a)

    inputs = wf.compile().interface.inputs
    assert inputs["a"].default is None
    assert inputs["b"].default == Default([1, 2])
    assert inputs["c"].default == Default(None)


def test_a_default_of_the_wrong_type_is_refused():
    @workflow
    def wf(a: int = "x") -> int:  # type: ignore[assignment]
        return number(value=a)

    with pytest.raises(CompileError, match="the default of 'a'"):
        wf.compile()


def test_a_workflow_returns_whatever_it_likes():
    @workflow
    def wf(x: int) -> tuple[int, int, list[int], dict[str, int], str, int | None]:
        return x, number(), [number(), x, 3], {"a": x}, "constant", None

    assert list(wf.compile().outputs.values()) == [
        InputRef("x"),
        out(0),
        ListExpr((out(1), InputRef("x"), Const(3))),
        wf.compile().outputs["o3"],
        Const("constant"),
        Const(None),
    ]
    assert wf(x=5) == (5, 1, [1, 5, 3], {"a": 5}, "constant", None)


def test_named_outputs_are_matched_by_name_or_position():
    @workflow
    def whole() -> Fit:
        return fit()

    @workflow
    def parts() -> Fit:
        f = fit()
        return Fit(slope=f.slope, label=f.label)

    @workflow
    def bare() -> Fit:
        f = fit()
        return f.slope, f.label  # type: ignore[return-value]

    for wf in (whole, parts, bare):
        assert wf.compile().outputs == {"slope": out(0, "slope"), "label": out(0, "label")}
        assert wf() == Fit(1.5, "l")
        assert isinstance(wf(), Fit)


def test_a_workflow_that_declares_nothing_returns_nothing():
    @workflow
    def silent():
        void()
        return void()  # type: ignore[func-returns-value]

    @workflow
    def none() -> None:
        void()

    @workflow
    def wrong():
        return number()

    assert silent() is None
    assert none() is None  # type: ignore[func-returns-value]
    with pytest.raises(CompileError, match="declares no output; add a return annotation"):
        wrong.compile()


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (lambda: None, "returns nothing but declares o0, o1"),
        (lambda: (1,), "returns 1 values but declares 2"),
        (lambda: (1, 2, 3), "returns 3 values but declares 2"),
        (lambda: number(), "cannot be unpacked|returns 1 values"),
        (
            lambda: (number(), number()),
            r"output 'o0' of 'number' \(n1\) does not fit output 'o1'",
        ),
        (lambda: ("a", "b"), "output 'o0'.*whole number"),
        (lambda: void(), "returns 0 values"),
    ],
)
def test_a_workflow_that_returns_something_else_than_it_declares_is_refused(result, message):
    @workflow
    def wf() -> tuple[int, str]:
        return result()  # type: ignore[no-any-return]

    with pytest.raises(CompileError, match=message):
        wf.compile()


def test_a_missing_return_is_refused():
    @workflow
    def wf() -> int:  # type: ignore[return]
        number()

    with pytest.raises(CompileError, match="output 'o0'"):
        wf.compile()


def test_name_policy_and_documentation_are_kept():
    @workflow(
        name="my.report",
        failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE,
    )
    def wf() -> int:
        """
        Make a report.

        With care.
        """
        return number()

    @workflow
    def other() -> int:
        return number()

    graph = wf.compile()
    assert (graph.name, graph.finish_others) == ("my.report", True)
    assert graph.doc == "Make a report.\n\nWith care."
    assert (other.compile().name, other.compile().finish_others) == (
        f"{__name__}.{other.function.__qualname__}",
        False,
    )


def test_partial_application_works_as_for_functions():
    @workflow
    def wf(x: int) -> int:
        return functools.partial(number, value=x)()

    assert wf(x=4) == 4


def test_too_many_nodes_are_refused():
    @workflow
    def wf():
        for _ in range(10_001):
            sleep(timedelta(1))

    with pytest.raises(CompileError, match="more than 10000 nodes"):
        wf.compile()


def test_a_workflow_of_ten_thousand_nodes_is_checked_without_recursion():
    @workflow
    def wf() -> int:
        last = number()
        for _ in range(9_999):
            last = number(value=last)
        return last

    assert len(wf.compile().nodes) == 10_000


def test_nodes_may_come_from_plain_functions_and_comprehensions():
    def twice(value: int) -> int:
        return number(value=number(value=value))

    @workflow
    def wf(x: int) -> list[int]:
        return [twice(x) for _ in range(3)]

    assert len(wf.compile().nodes) == 6
    assert wf(x=3) == [3, 3, 3]


@task
def unannotated(x: int):
    pass


def test_a_compile_error_of_what_is_returned_says_where_the_function_stands():
    @workflow
    def texts(x: int) -> str:
        return number(value=x)  # type: ignore[return-value]

    @workflow
    def nothing(x: int) -> int:
        return unannotated(x=x)

    with pytest.raises(CompileError, match=r"text is expected \(test_workflow\.py:\d+\)$") as wrong:
        texts.compile()
    line = int(wrong.value.message.rpartition(":")[2].rstrip(")"))
    assert Path(__file__).read_text().splitlines()[line - 1].strip().startswith("def texts")
    with pytest.raises(CompileError, match=r"add a return annotation.*test_workflow\.py:\d+\)$"):
        nothing.compile()
