"""
The graph: a compiled workflow, frozen, and the same on every machine.

All nodes of a graph are in one dict, in the order in which the author called them.
A node inside a branch says so by `case`; it is skipped when another case is taken.
A sub-workflow is one node that carries its graph. A dynamic task is a task whose result is a graph.

Durations are whole microseconds, as instants are, so that arithmetic on them is exact and cheap.
"""

from typing import NewType, TypeAlias

from msgspec import UNSET, Struct, UnsetType, field

from tidegate.ir.expr import Condition, Expr, NodeId, Schema, Value

Micros = NewType("Micros", int)
"""A duration in microseconds."""

Instant = NewType("Instant", int)
"""A point in time: microseconds since 1970-01-01T00:00:00 UTC."""

SECOND = 1_000_000


class Default(Struct, frozen=True):
    """The value an input takes when none is given. (A separate struct, because null is a value like any other.)"""

    value: Value


class Param(Struct, frozen=True):
    """A typed input. It is required unless it has a default."""

    schema: Schema
    default: Default | None = None


class Interface(Struct, frozen=True):
    """The named, typed inputs and outputs of a workflow."""

    inputs: dict[str, Param] = {}
    outputs: dict[str, Schema] = {}


class Retry(Struct, frozen=True):
    """How many times a failed task is retried, and after what pause; the pause doubles each time up to `cap`."""

    retries: int = 0
    pause: Micros = Micros(SECOND)
    cap: Micros = Micros(300 * SECOND)


class PythonTarget(Struct, frozen=True, tag="python"):
    """A Python task in the bundle of the workflow: the module, and the name in it."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}:{self.name}"


Target: TypeAlias = PythonTarget
"""What a task runs. A tagged union of one, so that other kinds can be added without touching the machine."""


class Requirements(Struct, frozen=True, omit_defaults=True):
    """What an attempt requests from the machine that runs it: its share, the most it may use, and environment variables."""

    cpu: int = 1000
    """The processors that it keeps busy, in thousandths."""
    mem: int = 0
    """The memory that is set aside for it, in bytes."""
    mem_limit: int | None = None
    """The memory above which it is ended, in bytes. None: there is no limit."""
    environment: dict[str, str] = {}
    uncounted: tuple[str, ...] = ()
    """Further requests of the author, such as `limits.cpu`. Nothing counts them, and people are told so."""
    gpu: int = 0
    """The GPUs that are reserved for it, in thousandths. Only a cluster counts these, and the next two."""
    custom: dict[str, int] = {}
    """Other resources that are reserved for it, in thousandths, by the names that its nodes have for them."""
    runtime_env: dict[str, Value] = {}
    """The environment that Ray prepares for it."""


ORDINARY = Requirements()
"""Those of a task that requests nothing."""


class Case(Struct, frozen=True):
    """Which case of which branch a node belongs to."""

    branch: NodeId
    index: int


class Forever(Struct, frozen=True, tag="forever"):
    """The gate waits indefinitely."""


class Expires(Struct, frozen=True, tag="expires"):
    """The gate times out, and its execution fails."""

    timeout: Micros


class Defaults(Struct, frozen=True, tag="defaults"):
    """When the timeout fires, this answer is used and marked as given by the timeout."""

    timeout: Micros
    value: Value


Patience: TypeAlias = Forever | Expires | Defaults


class Question(Struct, frozen=True):
    """What a person sees beside the gate: Markdown text, named values, and a suggestion that prefills the form; and what lists show of it."""

    prompt: str = ""
    show: dict[str, Expr] = {}
    suggested: Expr | None = None
    title: tuple[str | Expr, ...] | UnsetType = UNSET
    """Text and values in turn. UNSET, as are figures, not a default that would be stored: a graph without them stays what it was, byte for byte."""
    figures: dict[str, Expr] | UnsetType = UNSET
    """Key figures, by name."""

    def listed(self) -> dict[str, Expr]:
        """Return the expressions of title and figures."""
        title = () if self.title is UNSET else self.title
        figures = {} if self.figures is UNSET else self.figures
        return {
            **{f"title.{n}": each for n, each in enumerate(title) if not isinstance(each, str)},
            **{f"figures.{name}": each for name, each in figures.items()},
        }


class NodeBase(Struct, frozen=True, kw_only=True):
    """What every node has."""

    id: NodeId
    name: str
    after: tuple[NodeId, ...] = ()
    """Nodes that must have succeeded before this one starts, beyond those whose outputs it takes (`a >> b`)."""
    case: Case | None = None


class TaskNode(NodeBase, frozen=True, kw_only=True, tag="task"):
    """Run a task. If it is dynamic, its result is a graph which then takes its place."""

    target: Target
    inputs: dict[str, Expr] = {}
    outputs: dict[str, Schema] = {}
    retry: Retry = field(default_factory=Retry)
    timeout: Micros | None = None
    """Longest time one attempt may take. None: no limit."""
    dynamic: bool = False
    requires: Requirements | UnsetType = UNSET
    """UNSET, not a default that would be stored: the graph of a task without requests stays what it was, byte for byte."""

    @property
    def requirements(self) -> Requirements:
        """What an attempt requests from its machine."""
        return ORDINARY if self.requires is UNSET else self.requires


class SleepNode(NodeBase, frozen=True, kw_only=True, tag="sleep"):
    """Wait until a point in time, holding no process and no thread. It has no outputs."""

    duration: Micros


class InputNode(NodeBase, frozen=True, kw_only=True, tag="input"):
    """Wait for a value of a type. Its one output is `o0`. The name of the node is the name of the signal."""

    schema: Schema
    python: PythonTarget | None = None
    """Where the answer's Python type is defined, if its schema does not express all of it: a model with a validator, say."""
    patience: Patience = field(default_factory=Forever)
    question: Question = field(default_factory=Question)


class ApproveNode(NodeBase, frozen=True, kw_only=True, tag="approve"):
    """Wait for an approval, then pass the subject on as `output`. The name of the node is the name of the signal."""

    subject: Expr
    output: str = "o0"
    schema: Schema = {}
    patience: Patience = field(default_factory=Forever)
    question: Question = field(default_factory=Question)


class When(Struct, frozen=True):
    """One case of a branch: taken if its condition is the first that holds."""

    condition: Condition
    outputs: dict[str, Expr] = {}


class Otherwise(Struct, frozen=True, tag="otherwise"):
    """The last case: taken if no condition holds. Its index is the number of conditions."""

    outputs: dict[str, Expr] = {}


class Fail(Struct, frozen=True, tag="fail"):
    """If no condition holds, the branch fails with this message."""

    message: str


class BranchNode(NodeBase, frozen=True, kw_only=True, tag="branch"):
    """
    Take the first case whose condition holds.

    It waits only for the values its conditions use; its outputs are those of the case taken, once the nodes of that case have ended.
    """

    cases: tuple[When, ...]
    otherwise: Otherwise | Fail
    outputs: dict[str, Schema] = {}


class SubNode(NodeBase, frozen=True, kw_only=True, tag="workflow"):
    """Run another workflow in this place, as part of the same execution."""

    graph: "Graph"
    inputs: dict[str, Expr] = {}


Node: TypeAlias = TaskNode | SleepNode | InputNode | ApproveNode | BranchNode | SubNode


class Graph(Struct, frozen=True, kw_only=True):
    """A compiled workflow."""

    name: str
    interface: Interface = field(default_factory=Interface)
    nodes: dict[NodeId, Node] = {}
    outputs: dict[str, Expr] = {}
    finish_others: bool = False
    """After a failure, let the nodes that do not depend on it finish (else they are aborted at once)."""
    doc: str = ""


def outputs_of(node: Node) -> dict[str, Schema]:
    """Return the names and types of a node's outputs."""
    match node:
        case TaskNode(outputs=outputs) | BranchNode(outputs=outputs):
            return outputs
        case SleepNode():
            return {}
        case InputNode(schema=schema):
            return {"o0": schema}
        case ApproveNode(schema=schema, output=output):
            return {output: schema}
        case SubNode(graph=graph):
            return graph.interface.outputs
