"""
The three gates: `sleep`, `wait_for_input`, `approve`. Each is a node that waits, without holding any resource.

Without a timeout a gate waits indefinitely; there is no hidden default. With `on_timeout`, that answer is used when the timeout fires.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, TypedDict, TypeVar, Unpack, cast, overload

from msgspec import UNSET

from tidegate.errors import CompileError
from tidegate.ir.expr import Const, Expr, InputRef, OutputRef, Value
from tidegate.ir.graph import (
    ApproveNode,
    Defaults,
    Expires,
    Forever,
    InputNode,
    Patience,
    PythonTarget,
    Question,
    SleepNode,
)
from tidegate.sdk.bind import annotation_of, bind, infer
from tidegate.sdk.options import micros
from tidegate.sdk.promise import Outputs, Promise, home, source
from tidegate.sdk.signature import SINGLE, constant, schema_of
from tidegate.sdk.titles import ITEM, figures_of, title_of
from tidegate.sdk.trace import Trace, checked_name, trace_for
from tidegate.types.registry import codec
from tidegate.types.schema import faults

T = TypeVar("T")

PROMPT_MAX: Final = 10_000
"""Longest prompt, in characters."""

SHOWN_MAX: Final = 50
"""Most values that one gate can show."""


class _Absent:
    """Stands for an argument that was not given, where None has a meaning."""

    def __repr__(self) -> str:
        return "..."


ABSENT: Final = _Absent()


class ApproveOptions(TypedDict, total=False):
    """Keyword options of `approve`."""

    prompt: str
    """The question, as Markdown; at most 10,000 characters."""
    show: Mapping[str, Any] | Sequence[Any]
    """Promises whose values are shown with the question, as a dict by name or as a list; at most 50. The gate waits for them."""
    title: str
    """
    What lists show in place of the name, on one line: `title="Deploy {model.name} to {region}"`. Names in braces are inputs of the workflow, keys of
    `show`, and `item` for what is approved, followed by `.field` and `[key]` only.
    """
    figures: Mapping[str, Any]
    """Key figures beside the title, by name, at most 8: `figures={"AUC": model.auc}`. Without them, the first two scalar fields of what is approved."""
    on_timeout: Any
    """The answer that is taken when the timeout fires, recorded as given by the timeout. Needs a `timeout`."""


class InputOptions(ApproveOptions, total=False):
    """Keyword options of `wait_for_input`: those of `approve`, and what is suggested."""

    suggested: Any
    """A value or a promise that fills in the form; Enter takes it at the terminal. It must be an answer that the gate accepts."""


def sleep(duration: timedelta) -> Outputs:
    """
    Wait for a duration. It has no output; order it with `>>`.

    Raises CompileError unless the duration is a positive timedelta.
    """
    return add_sleep(trace_for("sleep(...)", "add_sleep"), duration)


# To a type checker the answer is a value of the expected type; but a bool has no `is_true()`, so that one is typed as Any.
@overload
def wait_for_input(
    name: str,
    timeout: timedelta | None = None,
    expected_type: type[bool] = ...,
    **options: Unpack[InputOptions],
) -> Any: ...
@overload
def wait_for_input(
    name: str,
    timeout: timedelta | None = None,
    expected_type: type[T] = ...,
    **options: Unpack[InputOptions],
) -> T: ...
@overload
def wait_for_input(
    name: str,
    timeout: timedelta | None = None,
    expected_type: Any = ...,
    **options: Unpack[InputOptions],
) -> Any: ...
def wait_for_input(
    name: str,
    timeout: timedelta | None = None,
    expected_type: Any = ABSENT,
    **options: Unpack[InputOptions],
) -> Any:
    """
    Wait for a value of a type, given by a person or a program; return its promise.

    `name` is how an answer addresses the gate; it is unique within the workflow's body. Without `timeout` it waits indefinitely; after it, the gate
    times out and the execution fails, or `on_timeout` is used as the answer.
    Raises CompileError for an invalid name, duration or option; UnsupportedType for a type that cannot be stored.
    """
    trace = trace_for("wait_for_input(...)", "add_wait_for_input")
    return add_input(trace, name, timeout, expected_type, options)[0]


def approve(
    upstream_item: T, name: str, timeout: timedelta | None = None, **options: Unpack[ApproveOptions]
) -> T:
    """
    Wait for the approval of a value; return the promise of that value.

    `upstream_item` is any promise: an output, a part of one, a workflow's input; it is shown to the approver. `name` is how an answer addresses the gate.
    A rejection fails the gate with code `Rejected`, and is never retried. Without `timeout` it waits indefinitely; after it, the execution fails, or
    `on_timeout` (True or False) is used as the answer.
    Raises CompileError for an invalid name, duration, option or item.
    """
    trace = trace_for("approve(...)", "add_approve")
    return cast(T, add_approval(trace, upstream_item, name, timeout, options)[0])


def add_sleep(trace: Trace, duration: object) -> Outputs:
    """Make the node of a sleep."""
    length = micros(duration, f"{trace.label}: the duration of sleep(...)")
    node = trace.reserve()
    trace.add(SleepNode(id=node, name="sleep", case=trace.case, duration=length))
    return Outputs(trace, node, {})


def add_input(
    trace: Trace, name: object, timeout: object, expected_type: Any, options: Mapping[str, Any]
) -> Outputs:
    """Make the node of a `wait_for_input`."""
    name = checked_name(name, f"{trace.label}: wait_for_input")
    label = f"{trace.label}: gate {name!r}"
    _check_options(options, InputOptions.__annotations__, label)
    if expected_type is ABSENT or expected_type is None or expected_type is ...:
        raise CompileError(f"{label} has no expected_type; write expected_type=str, for example")
    schema = schema_of(expected_type, f"{label}: expected_type")
    node = trace.reserve()
    trace.claim(name, node)
    suggested = None
    if "suggested" in options:
        where = f"'suggested' of gate {name!r} ({node})"
        suggested = bind(trace, options["suggested"], expected_type, where)
        if isinstance(suggested, Const) and (wrong := faults(schema, suggested.value)):
            raise CompileError(f"{trace.label}: {where} cannot be its answer: {wrong[0]}")
    trace.add(
        InputNode(
            id=node,
            name=name,
            case=trace.case,
            schema=schema,
            python=_source_of(expected_type),
            patience=_patience(trace, timeout, options, expected_type, label),
            question=_question(trace, options, label, suggested=suggested),
        )
    )
    return Outputs(trace, node, {SINGLE: schema}, {SINGLE: expected_type})


def _source_of(annotation: Any) -> PythonTarget | None:
    """Return the target of a type that requires more than its schema says, if it has an importable name."""
    if not isinstance(annotation, type) or not codec(annotation).needs_python:
        return None
    name = annotation.__qualname__
    return None if "<locals>" in name else PythonTarget(annotation.__module__, name)


def add_approval(
    trace: Trace, subject: object, name: object, timeout: object, options: Mapping[str, Any]
) -> Outputs:
    """Make the node of an `approve`."""
    name = checked_name(name, f"{trace.label}: approve")
    label = f"{trace.label}: gate {name!r}"
    _check_options(options, ApproveOptions.__annotations__, label)
    expr, schema = infer(trace, subject, f"approval {name!r}")
    node = trace.reserve()
    trace.claim(name, node)
    # As in Flyte: the approved value keeps its output name.
    output = expr.output if isinstance(expr, OutputRef) else SINGLE
    trace.add(
        ApproveNode(
            id=node,
            name=name,
            case=trace.case,
            subject=expr,
            output=output,
            schema=schema,
            patience=_patience(trace, timeout, options, bool, label),
            question=_question(trace, options, label, item=subject),
        )
    )
    return Outputs(trace, node, {output: schema}, {output: annotation_of(subject)})


def _check_options(options: Mapping[str, Any], known: Mapping[str, Any], label: str) -> None:
    if unknown := [key for key in options if key not in known]:
        raise CompileError(
            f"{label} has no option {unknown[0]!r}; its options are {', '.join(sorted(known))}"
        )


def _patience(
    trace: Trace, timeout: object, options: Mapping[str, Any], annotation: Any, label: str
) -> Patience:
    if timeout is None:
        if "on_timeout" in options:
            raise CompileError(
                f"{label} has on_timeout but no timeout, so it would never be used; add a timeout"
            )
        return Forever()
    length = micros(timeout, f"{label}: timeout")
    if "on_timeout" not in options:
        return Expires(length)
    value: Value = constant(annotation, options["on_timeout"], trace.blobs, f"{label}: on_timeout")
    return Defaults(length, value)


def _question(
    trace: Trace,
    options: Mapping[str, Any],
    label: str,
    *,
    suggested: Expr | None = None,
    item: object = ABSENT,
) -> Question:
    prompt = options.get("prompt", "")
    if not isinstance(prompt, str):
        raise CompileError(
            f"{label}: prompt must be a string, not {prompt!r}; show promises with show="
        )
    if len(prompt) > PROMPT_MAX:
        raise CompileError(
            f"{label}: prompt has {len(prompt)} characters; at most {PROMPT_MAX} are allowed"
        )
    shown = options.get("show", {})
    if not isinstance(shown, Mapping):
        shown = _named(trace, shown if isinstance(shown, list | tuple) else [shown])
    if len(shown) > SHOWN_MAX:
        raise CompileError(f"{label} shows {len(shown)} values; at most {SHOWN_MAX} are allowed")
    return Question(
        prompt,
        {
            checked_name(key, f"{label}: a value in show"): infer(
                trace, value, f"'show' of {label}"
            )[0]
            for key, value in shown.items()
        },
        suggested,
        title_of(trace, options["title"], _names(trace, shown, item), label)
        if "title" in options
        else UNSET,
        figures_of(trace, options["figures"], label) if "figures" in options else UNSET,
    )


def _names(trace: Trace, shown: Mapping[str, object], item: object) -> dict[str, object]:
    """Return what a title may name."""
    names = {**trace.given, **shown}
    return names if item is ABSENT else {**names, ITEM: item}


def _named(trace: Trace, values: Sequence[object]) -> dict[str, object]:
    """Name each value of a list: after the input or node it comes from, and the part of it."""
    named: dict[str, object] = {}
    for value in values:
        name = _shown_name(trace, value)
        unique = name
        while unique in named:
            unique = f"{name} {len(named) + 1}"
        named[unique] = value
    return named


def _shown_name(trace: Trace, value: object) -> str:
    if isinstance(value, Outputs):
        return trace.nodes[home(value)[1]].name
    if not isinstance(value, Promise):
        return "value"
    match source(value).expr:
        case InputRef(name, path):
            return ".".join([name, *map(str, path)])
        case OutputRef(node, output, path):
            first = trace.nodes[node].name if node in trace.nodes else node
            own = [] if output == SINGLE else [output]
            return ".".join([first, *own, *map(str, path)])
