"""
From an author's argument to its source: a promise, a constant, or a list or dict that contains promises.

Every value is checked against the type of its parameter: a constant by storing it, a promise by comparing the types.
"""

from collections.abc import Iterable, Mapping
from types import GenericAlias, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from tidegate.errors import CompileError
from tidegate.ir.expr import Const, DictExpr, Expr, ListExpr, NodeId, Schema
from tidegate.sdk.promise import Outputs, Promise, home, label_of, same_trace, source, source_of
from tidegate.sdk.signature import SINGLE, Signature, arguments, constant, is_named_tuple, schema_of
from tidegate.sdk.trace import Trace
from tidegate.types.form import type_name
from tidegate.types.schema import can_flow


def bind(trace: Trace, value: object, annotation: Any, where: str) -> Expr:
    """Return the source of a value for a parameter of this type. Raises CompileError, naming the parameter, if it does not fit."""
    value = single(value, where)
    if isinstance(value, Promise):
        promise = same_trace(value, trace)
        reason = can_flow(source(promise).schema, schema_of(annotation, where))
        if reason is not None:
            raise CompileError(
                f"{trace.label}: {source_of(promise)} does not fit {where}: {reason}"
            )
        return source(promise).expr
    if holds_promise(value):
        return _bind_parts(trace, value, annotation, where)
    if holds_promise(list(getattr(value, "__dict__", {}).values())):
        kind = type(value).__name__
        raise CompileError(
            f"{trace.label}: {where} is a {kind} that contains a promise; let a task build the {kind}"
        )
    return Const(constant(annotation, value, trace.blobs, f"{trace.label}: {where}"))


def bind_call(
    trace: Trace, signature: Signature, what: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[NodeId, dict[str, Expr]]:
    """Return the id of a node for a call, and the sources of its inputs; `what` names the thing called. Raises CompileError."""
    given = arguments(signature, f"{trace.label}: {what}", args, kwargs)
    node = trace.reserve()
    return node, {
        name: bind(trace, value, signature.inputs[name], f"input {name!r} of {what} ({node})")
        for name, value in given.items()
    }


def infer(trace: Trace, value: object, where: str) -> tuple[Expr, Schema]:
    """Return the source and type of a value, for a parameter of any type. Raises CompileError if it cannot be stored."""
    value = single(value, where)
    if isinstance(value, Promise):
        promise = same_trace(value, trace)
        return source(promise).expr, source(promise).schema
    if holds_promise(value):
        return _bind_parts(trace, value, Any, where), {}
    annotation = type_of(value)
    return Const(constant(annotation, value, trace.blobs, f"{trace.label}: {where}")), schema_of(
        annotation, where
    )


def annotation_of(value: object) -> Any:
    """Return the Python type of a promise, a plain value or a list of these, as far as it is known."""
    if isinstance(value, Outputs) and len(value) == 1:
        value = value[0]
    if isinstance(value, Promise):
        return source(value).annotation
    if isinstance(value, list) and value and isinstance(value[0], Promise):
        return GenericAlias(list, (source(value[0]).annotation,))
    return type_of(value)


def type_of(value: object) -> Any:
    """Return the type by which a plain value is stored."""
    kind: Any = type(value)
    return Any if kind in (list, tuple, dict) else kind


def single(value: object, where: str) -> object:
    """Return the one output of a node that was passed as an argument. Raises CompileError if it has none or several."""
    if not isinstance(value, Outputs):
        return value
    if len(value) == 1:
        return value[0]
    trace, node = home(value)
    label = label_of(trace, node)
    if len(value) == 0:
        raise CompileError(
            f"{trace.label}: {label} has no output to pass to {where}; add a return annotation (`-> TYPE`), or only order them with >>"
        )
    first = next(iter(value.outputs))
    raise CompileError(
        f"{trace.label}: {label} has {len(value)} outputs; choose one for {where}, such as .{first}"
    )


def holds_promise(value: object) -> bool:
    """Return whether there is a promise anywhere in lists, tuples and dicts."""
    match value:
        case Promise() | Outputs():
            return True
        case list() | tuple():
            return any(holds_promise(item) for item in value)
        case dict():
            return any(holds_promise(item) for item in value.values())
        case _:
            return False


def bind_outputs(trace: Trace, signature: Signature, result: object, label: str) -> dict[str, Expr]:
    """Return the sources of a traced function's outputs. Raises CompileError if it returned something other than it declares."""
    trace.check_branches()
    names = list(signature.outputs)
    if not names:
        if result is None or (isinstance(result, Outputs) and len(result) == 0):
            return {}
        raise CompileError(
            f"{label} returns {result!r} but declares no output; add a return annotation (`-> TYPE`)"
        )
    values = _matched(names, result, signature, label)
    return {
        name: bind(trace, value, signature.outputs[name], f"output {name!r} of {label}")
        for name, value in zip(names, values, strict=True)
    }


def _matched(names: list[str], result: object, signature: Signature, label: str) -> list[object]:
    if result is None and names != [SINGLE]:
        raise CompileError(f"{label} returns nothing but declares {', '.join(names)}")
    if signature.bundle is None:
        return [result]
    if isinstance(result, Outputs):
        if set(result.outputs) == set(names):
            return [result[name] for name in names]
        result = tuple(result)
    elif isinstance(result, Promise) and len(names) > 1:
        result = tuple(result)
    if not isinstance(result, tuple | list):
        result = (result,)
    if len(result) != len(names):
        raise CompileError(
            f"{label} returns {len(result)} values but declares {len(names)}: {', '.join(names)}"
        )
    return list(result)


def _bind_parts(trace: Trace, value: object, annotation: Any, where: str) -> Expr:
    if get_origin(annotation) is Annotated:
        return _bind_parts(trace, value, get_args(annotation)[0], where)
    if get_origin(annotation) in (Union, UnionType):
        return _bind_first(trace, value, get_args(annotation), where)
    match value:
        case dict():
            types = _types_of_values(annotation, value, where)
            return DictExpr(
                {
                    _key(key, where): _bind_item(trace, value[key], part, f"[{key!r}] of {where}")
                    for key, part in types.items()
                }
            )
        case list() | tuple():
            parts = _types_of_items(annotation, len(value), where)
            return ListExpr(
                tuple(
                    _bind_item(trace, item, part, f"[{i}] of {where}")
                    for i, (item, part) in enumerate(zip(value, parts, strict=True))
                )
            )
        case _:
            raise AssertionError(value)


def _bind_item(trace: Trace, value: object, annotation: Any, where: str) -> Expr:
    """Bind, using the value's own type where none is declared."""
    return (
        infer(trace, value, where)[0]
        if annotation is Any
        else bind(trace, value, annotation, where)
    )


def _bind_first(trace: Trace, value: object, options: Iterable[Any], where: str) -> Expr:
    errors: list[CompileError] = []
    for option in options:
        try:
            return _bind_parts(trace, value, option, where)
        except CompileError as error:
            errors.append(error)
    raise errors[0]


def _types_of_items(annotation: Any, count: int, where: str) -> list[Any]:
    origin, args = get_origin(annotation) or annotation, get_args(annotation)
    if annotation is Any:
        return [Any] * count
    if origin is tuple and args and args[-1] is not Ellipsis:
        if len(args) != count:
            raise CompileError(f"{where} takes {len(args)} items, not {count}")
        return list(args)
    if (
        isinstance(origin, type)
        and not is_named_tuple(origin)
        and issubclass(list, origin) | issubclass(origin, list | tuple)
    ):
        return [args[0] if args else Any] * count
    raise CompileError(
        f"{where} does not accept a list that contains promises; let a task build its {type_name(annotation)}"
    )


def _types_of_values(annotation: Any, value: Mapping[Any, Any], where: str) -> dict[Any, Any]:
    origin, args = get_origin(annotation) or annotation, get_args(annotation)
    if annotation is Any:
        return dict.fromkeys(value, Any)
    if isinstance(origin, type) and hasattr(origin, "__required_keys__"):
        hints = get_type_hints(origin)
        if unknown := [key for key in value if key not in hints]:
            raise CompileError(f"{where}: {type_name(annotation)} has no key {unknown[0]!r}")
        return {key: hints[key] for key in value}
    if isinstance(origin, type) and issubclass(dict, origin):
        return dict.fromkeys(value, args[1] if args else Any)
    raise CompileError(
        f"{where} does not accept a dict that contains promises; let a task build its {type_name(annotation)}"
    )


def _key(key: object, where: str) -> str:
    if isinstance(key, str):
        return key
    if isinstance(key, int) and not isinstance(key, bool):
        return str(key)
    raise CompileError(
        f"{where}: a dict that contains promises needs strings or integers as keys, not {key!r}"
    )
