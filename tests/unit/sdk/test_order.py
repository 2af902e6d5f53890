"""`a >> b` orders any two nodes; a cycle is refused and shown."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from tidegate import (
    CompileError,
    approve,
    conditional,
    create_node,
    sleep,
    task,
    wait_for_input,
    workflow,
)


@task
def a(): ...


@task
def b() -> int:
    return 1


@task
def c() -> tuple[int, str]:
    return 1, ""


@task
def use(value: int) -> int:
    return value


@workflow
def sub():
    a()


def after(wf: Any) -> dict[str, tuple[str, ...]]:
    return {id_: node.after for id_, node in wf.compile().nodes.items() if node.after}


def test_it_orders_nodes_of_every_kind_and_chains():
    @workflow
    def wf(x: int) -> int:
        void, value, several, inner = a(), b(), c(), sub()
        pause = sleep(timedelta(1))
        answer = wait_for_input("w", expected_type=int)
        approval = approve(x, "ok")
        branch = conditional("c").if_(answer > 1).then(use(1)).else_().then(use(2))
        assert (void >> value) is value
        value >> several >> inner >> pause >> answer >> approval >> branch
        return branch

    assert after(wf) == {
        "n1": ("n0",),
        "n2": ("n1",),
        "n3": ("n2",),
        "n4": ("n3",),
        "n5": ("n4",),
        "n6": ("n5",),
        "n7": ("n6",),
    }


def test_lists_order_each_of_their_nodes():
    @workflow
    def wf():
        first, x, y, last = a(), b(), b(), a()
        first >> [x, y] >> last

    assert after(wf) == {"n1": ("n0",), "n2": ("n0",), "n3": ("n1", "n2")}


def test_the_same_order_twice_counts_once():
    @workflow
    def wf():
        x, y = b(), b()
        x >> y
        x >> y

    assert after(wf) == {"n1": ("n0",)}


def test_a_node_by_itself_can_be_ordered():
    @workflow
    def wf():
        x, y = create_node(a), create_node(use, value=3)
        x >> y
        create_node(use, value=y.outputs["o0"])
        create_node(use, value=y.o0)
        create_node(sub) >> x

    assert after(wf) == {"n0": ("n4",), "n1": ("n0",)}


def test_a_cycle_is_refused_and_shown_as_a_path():
    @workflow
    def wf():
        x, y = a(), b()
        x >> y
        y >> x

    with pytest.raises(
        CompileError, match=r"a \(n0\) -> b \(n1\) -> a \(n0\)|b \(n1\) -> a \(n0\) -> b \(n1\)"
    ):
        wf.compile()


def test_a_node_before_itself_is_refused():
    @workflow
    def wf():
        x = a()
        x >> x

    with pytest.raises(CompileError, match=r"a \(n0\) -> a \(n0\)"):
        wf.compile()


def test_a_cycle_through_values_is_shown_in_the_order_of_the_arrows():
    @workflow
    def wf():
        x = b()
        y = use(value=x)
        z = use(value=y).with_overrides(name="last")
        z >> x

    with pytest.raises(CompileError) as error:
        wf.compile()
    path = error.value.message.partition(": nodes wait for each other: ")[2].split(" -> ")
    assert path[0] == path[-1]
    arrows = set(pairwise(path))
    assert arrows == {("b (n0)", "use (n1)"), ("use (n1)", "last (n2)"), ("last (n2)", "b (n0)")}


def test_a_branch_that_waits_for_its_own_case_is_refused():
    @workflow
    def wf(x: int):
        start = conditional("c").if_(x > 1)
        inner = use(value=1)
        branch = start.then(inner).else_().then(use(value=2))
        inner >> branch

    with pytest.raises(CompileError, match=r"c \(n0\)"):
        wf.compile()


def test_an_input_cannot_be_ordered():
    @workflow
    def wf(x: int):
        x >> b()

    with pytest.raises(CompileError, match="input 'x' exists from the start"):
        wf.compile()


def test_something_that_is_not_a_node_cannot_be_ordered():
    @workflow
    def wf():
        b() >> 3

    with pytest.raises(CompileError, match="orders nodes of a workflow, and 3 is not one"):
        wf.compile()
