"""How a gate is addressed: a path or a handle always means one gate, a name the only one that ever had it, or the one that is open."""

from typing import Any

import pytest
from tests.unit.core.machine import Machine, gate, out, task, workflow
from tests.unit.core.test_unfolding import LOOP, call, ends, go_round, one_round

from tidegate.core.addresses import gate_path, handle_of, path_of, resolve, signal_path
from tidegate.errors import AmbiguousSignal, UnknownSignal
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import SubNode


def sub(id_: str, *gates: str) -> SubNode:
    return SubNode(
        id=NodeId(id_),
        name=id_,
        graph=workflow(*(gate(f"g{n}", name) for n, name in enumerate(gates))),
    )


@pytest.fixture
def machine() -> Machine:
    """`title` stands in three graphs, `unique` in one, `later` in one that has not begun."""
    late = SubNode(
        id=NodeId("late"), name="late", graph=workflow(gate("g0", "later")), after=(NodeId("a"),)
    )
    return Machine(
        workflow(sub("a", "title", "unique"), sub("b", "title"), gate("c", "title"), late)
    )


def means(machine: Machine, name: str, key: str = "", who: str = "ann") -> str:
    return resolve(machine.plan, machine.state, name, "e", (who, key))


def by_handle(machine: Machine, node: str) -> str:
    return means(machine, handle_of(NodeId(node)))


def test_a_name_that_one_gate_has_means_it_before_it_opens_and_after_its_end(
    machine: Machine,
) -> None:
    assert means(machine, "unique") == "a/g1"
    assert means(machine, "later") == "late/g0"
    machine.answer("a/g1", 1)
    assert means(machine, "unique") == "a/g1"
    assert signal_path(machine.plan, NodeId("a/g1")) == "unique"


def test_a_name_that_several_open_gates_have_is_refused_and_the_paths_are_listed(
    machine: Machine,
) -> None:
    with pytest.raises(AmbiguousSignal, match="3 open signals named 'title'") as refused:
        means(machine, "title")
    assert refused.value.details["paths"] == ["/title", "a/title", "b/title"]
    for path, node in (("/title", "c"), ("a/title", "a/g0"), ("b/title", "b/g0")):
        assert means(machine, path) == by_handle(machine, node) == node
        assert signal_path(machine.plan, NodeId(node)) == path


def test_of_several_gates_a_name_means_the_one_that_is_still_open(machine: Machine) -> None:
    machine.answer("a/g0", 1)
    machine.answer("c", 1)
    assert means(machine, "title") == "b/g0"
    assert means(machine, "a/title") == "a/g0"
    machine.answer("b/g0", 1)
    with pytest.raises(AmbiguousSignal, match="none of them open") as refused:
        means(machine, "title")
    assert len(refused.value.details["paths"]) == 3


def test_what_is_nowhere_is_refused_and_what_there_is_is_listed(machine: Machine) -> None:
    for name in ("titel", "a", "a/nothing", "x/title", "", "/"):
        with pytest.raises(UnknownSignal) as refused:
            means(machine, name)
        assert set(refused.value.details["signals"]) == {
            "/title",
            "a/title",
            "b/title",
            "unique",
            "later",
        }


def nested(depth: int, name: str) -> SubNode:
    """A gate inside this many graphs, each in the one before."""
    inside = gate("g", name) if depth == 1 else nested(depth - 1, name)
    return SubNode(id=NodeId(f"d{depth}"), name=f"d{depth}", graph=workflow(inside))


NAMES = ["x/y", "/x", "x/", "//", "d1/x", "d2/d1", "d2/~.g", "~.g", "/~.c", "a~1b", "~0", "n~2"]


@pytest.mark.parametrize("name", NAMES)
def test_a_path_tells_a_slash_of_a_name_from_one_of_its_own(name: str) -> None:
    machine = Machine(workflow(nested(3, name), nested(2, name), gate("c", name)))
    for node in ("d3/d2/d1/g", "d2/d1/g", "c"):
        path = gate_path(NodeId(node), name)
        assert means(machine, path) == by_handle(machine, node) == node
        assert path.count("/") == max(1, node.count("/"))


def test_no_name_is_taken_for_the_path_or_the_handle_of_another_gate() -> None:
    machine = Machine(workflow(sub("a", "title"), gate("c", "a/title"), gate("d", "/~.c")))
    assert means(machine, "a/title") == "a/g0"
    assert means(machine, "/~.c") == "c"
    assert signal_path(machine.plan, NodeId("c")) == "/a~1title"
    assert means(machine, "/a~1title") == "c"
    assert means(machine, signal_path(machine.plan, NodeId("d"))) == "d"


def test_a_gate_that_comes_later_never_takes_the_address_of_one_that_is_there() -> None:
    """A dynamic task returns gates named like the path, the handle and the id of a gate that waits."""
    machine = Machine(workflow(sub("a", "title"), call("n"), task("end", inputs={"x": out("n")})))
    called = ["a/title", handle_of(NodeId("a/g0"))]
    machine.unfold("n", workflow(gate("x", "a/title"), gate("y", "a/~.g0"), gate("z", "a/g0")))
    for text in called:
        assert means(machine, text) == "a/g0"


def test_a_name_with_a_slash_is_found_as_it_is_typed_where_it_cannot_be_a_path() -> None:
    machine = Machine(workflow(gate("c", "legal/title")))
    assert means(machine, "legal/title") == means(machine, "/legal~1title") == "c"


def test_the_id_of_a_node_is_not_an_address() -> None:
    machine = Machine(workflow(sub("a", "title"), gate("c", "name")))
    for id_ in ("c", "a/g0"):
        with pytest.raises(UnknownSignal):
            means(machine, id_)


def test_a_path_leads_through_the_rounds_of_loops_to_names_with_slashes() -> None:
    machine = Machine(workflow(call("n"), gate("c", "x/y"), task("end", inputs={"x": out("n")})))
    machine.unfold("n", one_round())
    go_round(machine, "n", workflow(nested(2, "x/y"), call(), o0=out("next")))

    assert means(machine, "n~2/d2/d1/x~1y") == by_handle(machine, "n~2/d2/d1/g") == "n~2/d2/d1/g"
    with pytest.raises(UnknownSignal):
        means(machine, "n/d2/d1/x~1y")


class Counted(dict[tuple[str, str], NodeId]):
    """The gates of a plan, and the letters of the paths and names that are looked up there."""

    letters = 0

    def get(self, key: tuple[str, str], default: Any = None) -> Any:
        self.letters += len(key[0]) + len(key[1])
        return super().get(key, default)


@pytest.mark.parametrize("begin", ["", "/", "d3/d2/d1/", "d3/d2/", "n~2/", "n~9/", "n/", "x/"])
@pytest.mark.parametrize("slashes", ["/", "x/", "d1/", "n~2/", "~/"])
def test_what_a_name_costs_grows_as_its_length_however_many_slashes_it_has(
    begin: str, slashes: str
) -> None:
    machine = Machine(workflow(nested(3, "title"), call("n"), task("end", inputs={"x": out("n")})))
    machine.unfold("n", one_round())
    go_round(machine, "n", one_round())
    gates = machine.plan.gates = Counted(machine.plan.gates)

    for times in (10, 5_000):
        name = begin + slashes * times
        gates.letters = 0
        with pytest.raises(UnknownSignal):
            means(machine, name)
        assert gates.letters <= 5 * len(name)


@pytest.fixture
def loop() -> Machine:
    """A loop in its third round, which was answered under keys before."""
    machine = Machine(workflow(call("n"), gate("other"), task("last", inputs={"x": out("n")})))
    machine.unfold("n", one_round())
    for path, key in (("n", "one"), ("n~2", "two")):
        machine.answer(f"{path}/g", key, key)
        machine.succeed(f"{path}/t")
        machine.unfold(f"{path}/next", one_round())
    return machine


def test_a_path_and_a_handle_always_mean_their_round(loop: Machine) -> None:
    for node, path in (("n/g", "n/label"), ("n~2/g", "n~2/label"), ("n~3/g", "n~3/label")):
        assert by_handle(loop, node) == means(loop, path) == node
        assert path_of(loop.plan, loop.state, NodeId(node)) == path
    go_round(loop, "n~3", ends())
    assert means(loop, "n~2/label") == "n~2/g"


def test_a_name_means_the_round_that_is_open(loop: Machine) -> None:
    assert means(loop, "label") == "n~3/g"
    loop.answer("n~3/g", 1)
    with pytest.raises(AmbiguousSignal, match="none of them open"):
        means(loop, "label")


def test_a_key_means_the_gate_it_is_bound_to_if_that_is_what_is_addressed(loop: Machine) -> None:
    for called in ("label", "n/label", "n/~.g"):
        assert means(loop, called, "one") == "n/g"
    assert means(loop, "label", "two") == "n~2/g"
    assert means(loop, "label", "three") == "n~3/g"
    assert means(loop, "n~3/label", "one") == "n~3/g"
    assert means(loop, "other", "one") == "other"
    assert means(loop, "label", "one", who="bob") == "n~3/g"


def test_the_name_of_a_round_that_is_over_still_means_it_if_no_other_had_it() -> None:
    machine = Machine(workflow(call("n"), gate("other"), o0=out("n")))
    machine.unfold("n", workflow(gate("g", "only once"), call(), after_gate(), o0=out("next")))
    machine.answer("n/g", 1)
    machine.succeed("n/last")
    machine.unfold("n/next", workflow(gate("g", "another"), o0=out("g")))
    assert means(machine, "only once") == "n/g"
    assert path_of(machine.plan, machine.state, NodeId("n/g")) == "only once"
    assert LOOP.name == "loop"


def after_gate():
    return task("last", inputs={"x": out("g")})
