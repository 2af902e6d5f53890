"""
The machine under test: one execution that is told events one by one, and short ways to write graphs.

Each event is held against what must always hold: the same event decides the same, the state is not touched before `merge`,
and the history, read back, folds to the same state.
"""

import copy
from typing import Any

from tidegate.core.draft import Draft
from tidegate.core.history import replay, to_bytes
from tidegate.core.messages import (
    AnswerGiven,
    Event,
    Launched,
    Reuse,
    RunTask,
    TaskSucceeded,
    TaskUnfolded,
)
from tidegate.core.plan import Plan
from tidegate.core.state import ExecutionState, NodeState, StateFields
from tidegate.core.step import Step, step
from tidegate.ir.check import check
from tidegate.ir.expr import Expr, NodeId, OutputRef, Value
from tidegate.ir.graph import (
    SECOND,
    ApproveNode,
    Graph,
    InputNode,
    Instant,
    Interface,
    Node,
    Param,
    PythonTarget,
    TaskNode,
)

AT = Instant(1_800_000_000 * SECOND)
TARGET = PythonTarget("tests", "task")


def out(node: str, *path: str | int) -> OutputRef:
    """The output of a node."""
    return OutputRef(NodeId(node), "o0", path)


def task(id_: str, *, target: PythonTarget = TARGET, **more: Any) -> TaskNode:
    """A task with one output."""
    return TaskNode(id=NodeId(id_), name=id_, target=target, outputs={"o0": {}}, **more)


def gate(id_: str, name: str = "", **more: Any) -> InputNode:
    """An input gate that takes anything."""
    return InputNode(id=NodeId(id_), name=name or id_, schema={}, **more)


def approval(id_: str, subject: Expr, **more: Any) -> ApproveNode:
    """An approval."""
    return ApproveNode(id=NodeId(id_), name=id_, subject=subject, **more)


def workflow(*nodes: Node, inputs: tuple[str, ...] = (), **outputs: Expr) -> Graph:
    """A checked graph."""
    graph = Graph(
        name="tests",
        interface=Interface({name: Param({}) for name in inputs}, {name: {} for name in outputs}),
        nodes={node.id: node for node in nodes},
        outputs=dict(outputs),
    )
    check(graph)
    return graph


def standing(state: ExecutionState) -> dict[str, Any]:
    """All that there is to a state, to be compared."""
    return {
        name: copy.copy(getattr(state, name)) for name in (*StateFields.__slots__, *state.__slots__)
    }


class Machine:
    """One execution. `lines` is its history; `commands` are those of the last event."""

    def __init__(self, graph: Graph, *, reuse: Reuse | None = None, **inputs: Value) -> None:
        self.first_plan = self.plan = Plan.of(graph)
        self.state = ExecutionState()
        self.lines: list[bytes] = []
        self.commands: list[Any] = []
        self.at = AT
        self.tell(Launched(AT, inputs, reuse=reuse))

    def tell(self, event: Event) -> Step:
        """Tell it something, and take the decision up."""
        before = standing(self.state)
        step(self.plan, self.state, event)
        decided = step(self.plan, self.state, event)
        assert standing(self.state) == before, "the state was touched before the merge"
        if decided.changes:
            self.lines.append(to_bytes(event, decided.changes))
        self.plan = decided.merge()
        self.commands = decided.commands
        _, again = replay(self.first_plan, self.lines)
        assert standing(again) == standing(self.state), "the history folds to another state"
        return decided

    def draft(self) -> Draft:
        """A step that has not decided anything yet."""
        return Draft(self.plan, self.state, self.at)

    def node(self, id_: str) -> NodeState:
        """The state of a node."""
        return self.state.node(NodeId(id_))

    def phase(self, id_: str) -> str:
        """The phase of a node."""
        return self.node(id_).phase.name

    @property
    def ran(self) -> list[tuple[str, int]]:
        """The attempts that the last event has submitted."""
        return [(each.node, each.attempt) for each in self.commands if isinstance(each, RunTask)]

    def succeed(self, id_: str, value: Value = 1) -> Step:
        """Let the current attempt of a task return."""
        id_ = NodeId(id_)
        attempt = self.state.node(id_).attempt
        return self.tell(TaskSucceeded(self.at, id_, attempt, {"o0": value}))

    def unfold(self, id_: str, graph: Graph) -> Step:
        """Let the current attempt of a dynamic task return a graph."""
        attempt = self.node(id_).attempt
        return self.tell(TaskUnfolded(self.at, NodeId(id_), attempt, graph))

    def answer(self, id_: str, value: Value, key: str = "", who: str = "ann") -> Any:
        """Answer a gate; return the reply."""
        return self.tell(AnswerGiven(self.at, NodeId(id_), value, who, key=key)).reply
