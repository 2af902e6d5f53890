"""
A world from a `random.Random`: a graph with everything in it, and events, most of which could really happen now.

Values are tagged so that a wrong one is recognizable: a task returns its own id and attempt. Gates take booleans and numbers, of which Python
takes some for each other. Dynamic tasks may call themselves, at the end of their graph or elsewhere.
"""

import random
from typing import Any

from msgspec.structs import replace

from tidegate.core.messages import (
    TASK_RAISED,
    TASK_TIMED_OUT,
    AbortRequested,
    AnswerGiven,
    Event,
    Failure,
    TaskFailed,
    TaskLost,
    TaskStarted,
    TaskSucceeded,
    TaskUnfolded,
    TimerFired,
)
from tidegate.core.plan import Plan
from tidegate.core.questions import digest_of, written
from tidegate.core.state import ExecutionState, NodePhase
from tidegate.ir.expr import (
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Const,
    Expr,
    InputRef,
    IsNone,
    ListExpr,
    NodeId,
    OutputRef,
)
from tidegate.ir.graph import (
    SECOND,
    ApproveNode,
    BranchNode,
    Case,
    Defaults,
    Expires,
    Fail,
    Forever,
    Graph,
    InputNode,
    Instant,
    Interface,
    Micros,
    Node,
    Otherwise,
    Param,
    Patience,
    PythonTarget,
    Question,
    Retry,
    SleepNode,
    SubNode,
    TaskNode,
    When,
)

ANSWERS = (True, True, True, True, False, False, 1, 0, 1.0)
TARGETS = (PythonTarget("m", "f"), PythonTarget("m", "g"))
MINUTE = 60 * SECOND
START = Instant(1_767_225_600 * SECOND)


class GraphMaker:
    """Makes one graph; nodes may only look back, so there is no cycle."""

    def __init__(self, rng: random.Random, depth: int) -> None:
        self.rng = rng
        self.depth = depth
        self.nodes: dict[NodeId, Node] = {}

    def make(self, size: int, outputs: int = 2) -> Graph:
        """Return a graph with about `size` nodes; its one input is `x`."""
        self.body(size, None, [])
        sources = [
            i for i, n in self.nodes.items() if n.case is None and not isinstance(n, SleepNode)
        ]
        picked = self.rng.sample(sources, min(len(sources), self.rng.randint(0, outputs)))
        given: dict[str, Expr] = {f"o{k}": OutputRef(i, "o0") for k, i in enumerate(picked)}
        return self.graph(given or {"o0": Const(1)})

    def graph(self, outputs: dict[str, Expr]) -> Graph:
        """Return what was made."""
        return Graph(
            name="g",
            interface=Interface({"x": Param({})}, {name: {} for name in outputs}),
            nodes=dict(self.nodes),
            outputs=outputs,
            finish_others=self.rng.random() < 0.3,
        )

    def body(self, size: int, case: Case | None, visible: list[NodeId]) -> list[NodeId]:
        """Add nodes to one case, or to the top; return those that were added."""
        mine: list[NodeId] = []
        for _ in range(size):
            node = self.node(case, visible + mine)
            mine.append(node)
        return mine

    def node(self, case: Case | None, visible: list[NodeId]) -> NodeId:
        """Add one node."""
        rng = self.rng
        id_ = NodeId(f"n{len(self.nodes)}")
        after = tuple(rng.sample(visible, min(len(visible), rng.choice([0, 0, 0, 1, 2]))))
        common: dict[str, Any] = {"id": id_, "after": after, "case": case}
        kinds = ["task"] * 4 + ["sleep", "input", "input", "approve", "approve", "branch"]
        if case is None:
            kinds.append("shared")
        if self.depth:
            kinds += ["sub", "dynamic", "dynamic"]
        match rng.choice(kinds):
            case "sleep":
                self.nodes[id_] = SleepNode(name="sleep", duration=Micros(5 * MINUTE), **common)
            case "input":
                show = {"seen": self.source(visible)} if rng.random() < 0.2 else {}
                self.nodes[id_] = InputNode(
                    name=f"s{id_}",
                    schema={},
                    patience=self.patience(),
                    question=Question(show=show),
                    **common,
                )
            case "approve":
                self.nodes[id_] = ApproveNode(
                    name=f"s{id_}", subject=self.source(visible), patience=self.patience(), **common
                )
            case "branch":
                self.branch(id_, common, visible)
            case "shared":
                self.shared(id_)
            case "sub":
                inner = GraphMaker(rng, self.depth - 1).make(rng.randint(0, 4), outputs=1)
                self.nodes[id_] = SubNode(
                    name="sub", graph=inner, inputs={"x": self.source(visible)}, **common
                )
            case kind:
                self.task(common, self.source(visible), rng.choice(TARGETS), kind == "dynamic")
        return id_

    def task(
        self, common: dict[str, Any], given: Expr, target: PythonTarget, dynamic: bool
    ) -> NodeId:
        """Add a task."""
        rng = self.rng
        node = TaskNode(
            name="t",
            target=target,
            inputs={"x": given},
            outputs={"o0": {}},
            retry=Retry(rng.randint(0, 2), Micros(rng.choice([0, MINUTE]))),
            dynamic=dynamic,
            **common,
        )
        self.nodes[node.id] = node
        return node.id

    def call(self, size: int, target: PythonTarget) -> Graph:
        """Return a graph that calls a dynamic task: mostly at its end, so that it is a round of a loop if that is the task which has made it."""
        rng = self.rng
        self.body(size, None, [])
        visible = [id_ for id_, node in self.nodes.items() if node.case is None]
        after = tuple(visible) if rng.random() < 0.5 else ()
        new, case = NodeId(f"n{len(self.nodes)}"), None
        given = self.source(visible)
        match rng.choice(["plain"] * 4 + ["branch", "sub", "not last", "made of"]):
            case "branch":
                case, branch = Case(new, 0), new
                call = NodeId(f"n{len(self.nodes) + 1}")
                taken = When(self.condition(visible), {"o0": OutputRef(call, "o0")})
                self.nodes[branch] = BranchNode(
                    id=branch,
                    name="b",
                    cases=(taken,),
                    otherwise=Otherwise({"o0": given}),
                    outputs={"o0": {}},
                    after=after,
                )
                self.task({"id": call, "case": case}, given, target, dynamic=True)
            case "sub":
                maker = GraphMaker(rng, 0)
                last = maker.task({"id": NodeId("n0")}, InputRef("x"), target, dynamic=True)
                inner = maker.graph({"o0": OutputRef(last, "o0")})
                self.nodes[new] = SubNode(
                    id=new, name="sub", graph=inner, inputs={"x": given}, after=after
                )
            case "not last":
                call = self.task({"id": new, "after": after}, given, target, dynamic=True)
                new = NodeId(f"n{len(self.nodes)}")
                self.task({"id": new}, OutputRef(call, "o0"), target, dynamic=False)
            case "made of":
                call = self.task({"id": new, "after": after}, given, target, dynamic=True)
                return self.graph({"o0": ListExpr((OutputRef(call, "o0"), InputRef("x")))})
            case _:
                self.task({"id": new, "after": after}, given, target, dynamic=True)
        return self.graph({"o0": OutputRef(new, "o0")})

    def shared(self, id_: NodeId) -> None:
        """Add a gate that several branches have a use for: tasks in their cases, and outputs of them."""
        rng = self.rng
        self.nodes[id_] = InputNode(id=id_, name=f"s{id_}", schema={}, patience=self.patience())
        for _ in range(rng.randint(1, 3)):
            asks = NodeId(f"n{len(self.nodes)}")
            self.nodes[asks] = InputNode(id=asks, name=f"s{asks}", schema={})
            branch = NodeId(f"n{len(self.nodes)}")
            use: Expr = OutputRef(id_, "o0")
            outputs: list[Expr] = [use if rng.random() < 0.5 else Const(0) for _ in range(2)]
            when = Compare("==", OutputRef(asks, "o0"), Const(rng.choice([True, 1, 0])))
            self.nodes[branch] = BranchNode(
                id=branch,
                name="b",
                cases=(When(when, {"o0": outputs[0]}),),
                otherwise=Otherwise({"o0": outputs[1]}),
                outputs={"o0": {}},
            )
            if rng.random() < 0.5:
                inside = NodeId(f"n{len(self.nodes)}")
                self.task({"id": inside, "case": Case(branch, 0)}, use, TARGETS[0], dynamic=False)

    def branch(self, id_: NodeId, common: dict[str, Any], visible: list[NodeId]) -> None:
        """Add a branch, and what is in its cases."""
        rng = self.rng
        conditions = [self.condition(visible) for _ in range(rng.randint(1, 2))]
        self.nodes[id_] = BranchNode(
            name="b", cases=(), otherwise=Fail(""), **common
        )  # holds the place
        fails = rng.random() < 0.1
        outputs: list[dict[str, Expr]] = []
        for index in range(len(conditions) + (not fails)):
            inside = self.body(rng.randint(0, 2), Case(id_, index), visible)
            sources = [i for i in inside if not isinstance(self.nodes[i], SleepNode)] or visible
            outputs.append({"o0": self.source(sources)})
        cases = tuple(When(c, o) for c, o in zip(conditions, outputs, strict=False))
        otherwise = Fail("no case") if fails else Otherwise(outputs[-1])
        self.nodes[id_] = BranchNode(
            name="b", cases=cases, otherwise=otherwise, outputs={"o0": {}}, **common
        )

    def source(self, visible: list[NodeId]) -> Expr:
        """Return where a value comes from."""
        values = [
            i for i in visible if i in self.nodes and not isinstance(self.nodes[i], SleepNode)
        ]
        if not values or self.rng.random() < 0.3:
            known: list[Expr] = [Const(7), InputRef("x")]
            return self.rng.choice(known)
        # Now and then a key that no value has, as when a task returns less than it promised.
        path = ("missing",) if self.rng.random() < 0.03 else ()
        ref = OutputRef(self.rng.choice(values), "o0", path)
        return ListExpr((ref, InputRef("x"))) if self.rng.random() < 0.1 else ref

    def condition(self, visible: list[NodeId]) -> Condition:
        """Return a condition, mostly on a gate."""
        gates = [i for i in visible if isinstance(self.nodes.get(i), InputNode)]
        operand: Expr = OutputRef(self.rng.choice(gates), "o0") if gates else InputRef("x")
        simple = Compare("==", operand, Const(self.rng.choice([True, True, 1, 0])))
        match self.rng.randint(0, 5):
            case 0:
                return AnyOf((simple, IsNone(InputRef("x"))))
            case 1:
                return AllOf((simple, Compare("!=", InputRef("x"), Const(99))))
            case 2:
                return Compare("<", operand, Const(3))
            case _:
                return simple

    def patience(self) -> Patience:
        """Return how long a gate waits."""
        match self.rng.randint(0, 4):
            case 0 | 1:
                return Expires(Micros(60 * MINUTE))
            case 2:
                return Defaults(Micros(60 * MINUTE), self.rng.random() < 0.7)
            case _:
                return Forever()


def an_event(rng: random.Random, plan: Plan, state: ExecutionState, at: Instant) -> Event:
    """Return what happens next: mostly something that could, sometimes something stale, doubled or senseless."""
    if rng.random() < 0.008:
        return AbortRequested(at, "enough")
    alive = [i for i, n in state.nodes.items() if not n.phase.is_terminal]
    signals = list(plan.gates.values())
    if state.past and rng.random() < 0.05:  # somebody who has not noticed that the round is over
        return answer(rng, rng.choice(list(state.past)), at, approves=rng.random() < 0.5)
    if signals and rng.random() < 0.25:  # answers early, late, doubled
        return answer_to(rng, plan, state, rng.choice(signals), at)
    if not alive or rng.random() < 0.15:
        return senseless(rng, plan, at)
    id_ = rng.choice(alive)
    now, node = state.nodes[id_], plan.nodes[id_].node
    if now.phase == NodePhase.WAITING:
        if isinstance(node, InputNode | ApproveNode) and rng.random() < 0.8:
            return answer_to(rng, plan, state, id_, at)
        return TimerFired(at, id_)
    if isinstance(node, TaskNode) and now.attempt and id_ not in plan.scopes:
        return outcome(rng, node, id_, now.attempt, at)
    if not signals:
        return TimerFired(at, id_)
    return answer_to(rng, plan, state, rng.choice(signals), at)


def answer_to(
    rng: random.Random, plan: Plan, state: ExecutionState, id_: NodeId, at: Instant
) -> Event:
    """Return an answer of the type that a gate takes; sometimes with the digest of what was shown, of that gate or of another."""
    shown = ""
    if rng.random() < 0.4:
        seen = id_ if rng.random() < 0.8 else rng.choice(list(plan.gates.values()))
        shown = written(digest_of(plan, state, plan.nodes[seen]))
    given = answer(rng, id_, at, approves=isinstance(plan.nodes[id_].node, ApproveNode))
    return replace(given, shown=shown)


def outcome(rng: random.Random, node: TaskNode, id_: NodeId, attempt: int, at: Instant) -> Event:
    """Return what becomes of an attempt."""
    roll = rng.random()
    if roll < 0.1:
        return TaskStarted(at, id_, attempt)
    if roll < 0.15:
        return TaskLost(at, id_, attempt)
    if roll < 0.3:
        code = rng.choice([TASK_RAISED, TASK_TIMED_OUT])
        return TaskFailed(
            at, id_, attempt, Failure(code, f"{id_}#{attempt}", "", rng.random() < 0.8)
        )
    return good(rng, node, id_, attempt, at)


def good(
    rng: random.Random, node: TaskNode, id_: NodeId, attempt: int, at: Instant, loops: float = 0.5
) -> Event:
    """Return the success of an attempt; of a dynamic one with a graph that calls it again, now and then."""
    if node.dynamic:
        deep = id_.count("/")
        maker = GraphMaker(rng, 1 if deep < 1 else 0)
        if rng.random() < loops and deep < 4:
            return TaskUnfolded(at, id_, attempt, maker.call(rng.randint(0, 2), node.target))
        return TaskUnfolded(at, id_, attempt, maker.make(rng.randint(0, 3), outputs=1))
    return TaskSucceeded(at, id_, attempt, {"o0": f"{id_}#{attempt}"})


def answer(rng: random.Random, id_: NodeId, at: Instant, *, approves: bool) -> AnswerGiven:
    """Return an answer, sometimes under an idempotency key."""
    key = rng.choice(["", "", f"k{rng.randint(0, 3)}"])
    value = rng.random() < 0.8 if approves else rng.choice(ANSWERS)
    return AnswerGiven(at, id_, value, rng.choice(["ann", "bob"]), "test", "", key)


def senseless(rng: random.Random, plan: Any, at: Instant) -> Event:
    """Return an event that fits nothing in particular."""
    id_ = rng.choice([*plan.nodes, NodeId("nowhere")])
    attempt = rng.randint(1, 3)
    events: list[Event] = [
        TaskSucceeded(at, id_, attempt, {"o0": f"{id_}#{attempt}"}),
        TaskFailed(at, id_, attempt, Failure(TASK_RAISED, "late")),
        TaskLost(at, id_, attempt),
        TimerFired(at, id_),
        AnswerGiven(at, NodeId("nowhere"), True),
    ]
    return rng.choice(events)
