"""
The current authoring state: the graph being built, or the running task. It holds Tidegate's only ContextVar.

A node gets its id when it is called: `n0`, `n1`, and so on, gates and branches too.
Nodes called between `.if_()` and its `.then()` belong to that case of the branch.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar  # noqa: TID251 - the body of a workflow takes no extra argument
from typing import Any, assert_never

from msgspec import Struct, field, structs

from tidegate.errors import CompileError
from tidegate.ir.check import MAX_NAME, MAX_NODES, check
from tidegate.ir.expr import Expr, NodeId
from tidegate.ir.graph import Case, Graph, Interface, Node, PythonTarget
from tidegate.sdk.report import DeckReport, Section
from tidegate.types.values import FileStore


class TaskRun(Struct, frozen=True):
    """
    The running attempt, as `current_context()` shows it to the task.

    `idempotency_key` is the same for every attempt of one node, and in an execution that recovers this one if the name, signature and inputs of the
    task are the same: pass it to external systems, so that they recognize a repeated attempt. It has at most 128 characters of `[a-z0-9-]`.
    `working_directory` is an empty directory of the attempt, made on first use. `launched_from` is the directory of the terminal or
    program that launched the execution; empty if that is unknown, as for a launch in the browser. `report` holds its decks.
    """

    execution: str = "local"
    node: str = ""
    attempt: int = 1
    idempotency_key: str = ""
    working_directory: str = ""
    launched_from: str = ""
    report: DeckReport = field(default_factory=DeckReport)

    @property
    def decks(self) -> list[Section]:
        """The decks made so far."""
        return self.report.decks

    @property
    def default_deck(self) -> Section:
        """A deck that always exists."""
        return self.report.default_deck

    @property
    def execution_id(self) -> str:
        """The id of the execution."""
        return self.execution

    @property
    def logging(self) -> Any:
        """A `logging.Logger` for the task."""
        from logging import getLogger  # noqa: PLC0415 - loaded late, to keep `import tidegate` fast

        return getLogger("tidegate.task")


class Compiled(Struct, frozen=True):
    """A graph, and the tasks it calls by target, so that a plain call need not import them."""

    graph: Graph
    tasks: dict[PythonTarget, Any]


class Trace:
    """One graph being built. `label` names it, `tasks` are the tasks it calls."""

    def __init__(self, label: str, blobs: FileStore, run: TaskRun | None = None) -> None:
        self.label = label
        self.blobs = blobs
        self.run = run
        self.nodes: dict[NodeId, Node] = {}
        self.tasks: dict[PythonTarget, Any] = {}
        self.given: dict[str, object] = {}
        """What its function was given, by name: promises of inputs, or in a @dynamic the values. Titles of gates may name it."""
        self._count = 0
        self._cases: list[Case] = []
        self._gates: dict[str, NodeId] = {}
        self._branches: dict[NodeId, str] = {}

    @property
    def case(self) -> Case | None:
        """The case of a branch that is currently open."""
        return self._cases[-1] if self._cases else None

    def reserve(self) -> NodeId:
        """Return the next id."""
        if self._count >= MAX_NODES:
            raise CompileError(
                f"{self.label} has more than {MAX_NODES} nodes; move some into a sub-workflow or a dynamic task"
            )
        self._count += 1
        return NodeId(f"n{self._count - 1}")

    def add(self, node: Node) -> None:
        """Add a node."""
        self.nodes[node.id] = node

    def amend(self, node: NodeId, **changes: Any) -> None:
        """Change an existing node."""
        self.nodes[node] = structs.replace(self.nodes[node], **changes)

    def order(self, first: NodeId, then: NodeId) -> None:
        """Make one node wait for the end of another."""
        after = self.nodes[then].after
        if first not in after:
            self.amend(then, after=(*after, first))

    def claim(self, gate: str, node: NodeId) -> None:
        """Reserve the name of a gate. Raises CompileError if another gate has it."""
        if gate in self._gates:
            raise CompileError(
                f"{self.label}: two gates are called {gate!r}; give them different names, so that answers can address them"
            )
        self._gates[gate] = node

    def call(self, target: PythonTarget, task: Any) -> None:
        """Record a task. Raises CompileError if another one has its target."""
        if self.tasks.setdefault(target, task) is not task:
            raise CompileError(
                f"{self.label}: two tasks are called {target}; a worker could not tell them apart, so define them under different names"
            )

    def call_all(self, tasks: dict[PythonTarget, Any]) -> None:
        """Record the tasks of a sub-workflow."""
        for target, task in tasks.items():
            self.call(target, task)

    def open_branch(self, node: NodeId, name: str) -> None:
        """Note that a conditional has started."""
        self._branches[node] = name

    def close_branch(self, node: NodeId) -> None:
        """Note that a conditional is complete."""
        del self._branches[node]

    def check_branches(self) -> None:
        """Raise CompileError if a conditional is not complete."""
        for node, name in self._branches.items():
            raise CompileError(
                f"{self.label}: conditional {name!r} ({node}) has no else_(); end it with .else_().then(...) or .else_().fail(message)"
            )

    def enter(self, case: Case) -> None:
        """Open a case: nodes called from now on belong to it."""
        self._cases.append(case)

    def leave(self, case: Case) -> None:
        """Close a case. Raises CompileError if another one was opened inside it and is still open."""
        if self.case != case:
            raise CompileError(
                f"{self.label}: conditional {self._branches[case.branch]!r} continues while another one inside it is not complete"
            )
        self._cases.pop()

    def finish(
        self,
        interface: Interface,
        outputs: dict[str, Expr],
        *,
        finish_others: bool = False,
        doc: str = "",
    ) -> Graph:
        """Freeze and check the graph. Raises CompileError."""
        self.check_branches()
        graph = Graph(
            name=self.label,
            interface=interface,
            nodes={id_: self.nodes[id_] for id_ in sorted(self.nodes, key=lambda n: int(n[1:]))},
            outputs=outputs,
            finish_others=finish_others,
            doc=doc,
        )
        check(graph)
        return graph


_SCOPE: ContextVar[Trace | TaskRun | None] = ContextVar("tidegate", default=None)


@contextmanager
def inside(scope: Trace | TaskRun | None) -> Iterator[None]:
    """Run the block with this trace, or inside a task."""
    token = _SCOPE.set(scope)
    try:
        yield
    finally:
        _SCOPE.reset(token)


def current_trace() -> Trace | None:
    """Return the graph being built, if there is one."""
    scope = _SCOPE.get()
    return scope if isinstance(scope, Trace) else None


def current_run() -> TaskRun | None:
    """Return the running attempt, if there is one; a dynamic task's too."""
    scope = _SCOPE.get()
    return scope.run if isinstance(scope, Trace) else scope


def trace_for(call: str, method: str) -> Trace:
    """Return the graph being built. Raises CompileError, saying where the call belongs, and which method of `Workflow` does the same."""
    match _SCOPE.get():
        case Trace() as trace:
            return trace
        case TaskRun():
            where = "it was called in the body of a task, which cannot wait"
        case None:
            where = "it was called outside of any"
        case other:
            assert_never(other)
    raise CompileError(
        f"{call} belongs in the body of a @workflow or a @dynamic, or use Workflow.{method}(...); {where}"
    )


def checked_name(name: object, what: str) -> str:
    """Return a name that can be shown and addressed. Raises CompileError."""
    if not isinstance(name, str) or not name.strip():
        raise CompileError(f"{what} needs a non-empty string as its name; it got {name!r}")
    if len(name) > MAX_NAME:
        raise CompileError(
            f"{what} has a name of {len(name)} characters; at most {MAX_NAME} are allowed"
        )
    if not name.isprintable():
        raise CompileError(f"{what} has a name with control characters: {name!r}")
    if name != name.strip():
        raise CompileError(
            f"{what} has a name that begins or ends with a blank, {name!r}, which a shell and a reader lose; remove it"
        )
    if name in (".", ".."):
        raise CompileError(
            f"{what} is called {name!r}, which no address can say; give it a name of letters"
        )
    return name
