"""
The options of a task: their names, their valid values, and those that `with_overrides` can change after the call.

An option of Flyte's that only says where a task should run is accepted without effect, so that code from Flyte keeps working;
an option whose absence would change results or waiting is refused.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypedDict

from tidegate.errors import CompileError
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import (
    ApproveNode,
    BranchNode,
    Expires,
    Forever,
    InputNode,
    Micros,
    Retry,
    SleepNode,
    SubNode,
    TaskNode,
)
from tidegate.sdk.requirements import Resources, changed
from tidegate.sdk.trace import Trace, checked_name

LONGEST = timedelta(days=36_500)
"""A hundred years: beyond that, an instant might not fit the store's integers."""

MAX_RETRIES = 1_000


class TaskOptions(TypedDict, total=False):
    """
    Options of `@task` and `@dynamic`.

    Those without an explanation are Flyte's, about where a task runs or how it is cached: they are accepted without effect.
    """

    retries: int
    """How many times a failed attempt is repeated: 0 if not given, at most 1,000. Errors of the code or of a value's type are not repeated."""
    backoff: timedelta
    """The pause before the first retry, one second if not given. It doubles with each retry, up to five minutes."""
    timeout: timedelta | int | None
    """The longest time that one attempt may take, as a timedelta or in whole seconds. Without it, an attempt may run without end."""
    name: str
    """What its nodes are called, instead of the name of the function."""
    requests: Resources | None
    """What is reserved for an attempt on its machine; one processor if not given."""
    limits: Resources | None
    """The memory above which an attempt is ended."""
    resources: Resources | None
    """Requests and limits in one, as in Flyte: `Resources(cpu=(1, 2), mem=("1Gi", "2Gi"))`."""
    environment: Mapping[str, str] | None
    """Environment variables that are set while an attempt runs."""
    task_config: Any
    """`Ray(runtime_env=...)`, or one of Flyte's, without effect."""
    cache: Any
    cache_version: str
    cache_serialize: bool
    cache_ignore_input_vars: tuple[str, ...]
    container_image: Any
    accelerator: Any
    interruptible: bool | None
    enable_deck: bool | None
    disable_deck: bool | None
    deck_fields: Any
    docs: Any
    deprecated: str
    pod_template: Any
    pod_template_name: str | None
    shared_memory: Any
    pickle_untyped: bool
    node_dependency_hints: Any
    labels: Any
    annotations: Any
    vscode: Any


REQUIREMENTS = frozenset({"requests", "limits", "resources", "environment"})
OWN = frozenset({"retries", "backoff", "timeout", "name"}) | REQUIREMENTS


def micros(value: object, what: str, *, positive: bool = True) -> Micros:
    """Return a duration in whole microseconds. Raises CompileError, naming `what`, unless it is a timedelta of a sensible length."""
    if not isinstance(value, timedelta):
        raise CompileError(
            f"{what} must be a timedelta, such as timedelta(hours=1); it is {value!r}"
        )
    if value < timedelta(0) or (positive and not value):
        raise CompileError(f"{what} must be longer than zero; it is {value}")
    if value > LONGEST:
        raise CompileError(f"{what} must not be longer than {LONGEST.days} days; it is {value}")
    return Micros(value // timedelta(microseconds=1))


def task_timeout(value: timedelta | int | None, what: str) -> Micros | None:
    """Return a task's timeout; whole seconds are allowed as in Flyte, and 0 means none."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = timedelta(seconds=value)
    return None if value is None or value == timedelta(0) else micros(value, what)


def checked_retries(value: object, what: str) -> int:
    """Return a number of retries. Raises CompileError."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_RETRIES:
        raise CompileError(f"{what} must be an integer from 0 to {MAX_RETRIES}; it is {value!r}")
    return value


def override(trace: Trace, node: NodeId, changes: Mapping[str, Any]) -> None:
    """Change a node. Raises CompileError for an unknown option, or one that this kind of node does not have."""
    old = trace.nodes[node]
    what = f"{trace.label}: with_overrides on {old.name!r} ({node})"
    for option, value in changes.items():
        match option, trace.nodes[node]:
            case (("name" | "node_name"), (InputNode() | ApproveNode())):
                raise CompileError(
                    f"{what}: answers address a gate by its name, so set it where the gate is made"
                )
            case (("name" | "node_name"), _):
                trace.amend(node, name=checked_name(value, what))
            case "timeout", TaskNode():
                trace.amend(node, timeout=task_timeout(value, f"{what}: timeout"))
            case "timeout", InputNode(patience=Forever() | Expires()) | ApproveNode(
                patience=Forever() | Expires()
            ):
                patience = (
                    Forever() if value is None else Expires(micros(value, f"{what}: timeout"))
                )
                trace.amend(node, patience=patience)
            case "timeout", SleepNode() if value is None:
                # In Flyte a sleep of more than an hour needs this; here no sleep has a timeout.
                pass
            case "retries", TaskNode(retry=retry):
                count = checked_retries(value, f"{what}: retries")
                trace.amend(node, retry=Retry(count, retry.pause, retry.cap))
            case (
                ("requests" | "limits" | "resources" | "environment" | "task_config"),
                TaskNode(requires=requires),
            ):
                trace.amend(node, requires=changed(requires, option, value, what))
            case (
                ("timeout" | "retries" | "requests" | "limits" | "resources" | "environment"),
                (TaskNode() | SleepNode() | InputNode() | ApproveNode() | BranchNode() | SubNode()),
            ):
                raise CompileError(f"{what}: this kind of node has no {option} to change")
            case _ if option in TaskOptions.__annotations__.keys() - OWN:
                pass
            case _:
                raise CompileError(
                    f"{what}: unknown option {option!r}; the options are name, timeout, retries, {', '.join(sorted(REQUIREMENTS))}"
                )
