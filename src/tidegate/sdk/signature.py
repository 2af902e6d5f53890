"""
A function's inputs and outputs, read from its annotations.

`-> int` is the output `o0`; `-> tuple[int, str]` (or `-> (int, str)`) is `o0` and `o1`; a NamedTuple names its outputs, one field or many;
`-> None` and no annotation mean no outputs. Annotations are evaluated late, when all names of the module are defined.
"""

import inspect
from collections.abc import Callable, Mapping
from types import NoneType, SimpleNamespace
from typing import Any, get_args, get_origin, get_type_hints

from msgspec import Struct

from tidegate.errors import CompileError, Fault, InvalidValue
from tidegate.ir.expr import Schema, Value
from tidegate.ir.graph import Default, Interface, Param
from tidegate.types.registry import codec
from tidegate.types.values import FileStore

SINGLE = "o0"
"""The name of an output without a name of its own."""


class Signature(Struct, frozen=True):
    """
    Typed, named inputs and outputs, as Python types.

    `bundle` is the type that holds several outputs: `tuple`, or a NamedTuple class. It is None when the result is the one output itself, or nothing.
    """

    inputs: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    bundle: type[tuple[Any, ...]] | None = None


def signature_of(function: Callable[..., Any], label: str) -> Signature:
    """Read a function's signature. Raises CompileError, naming the parameter, if an annotation is missing or cannot be evaluated."""
    hints = _hints(function, label)
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise CompileError(
            f"{label} is a generator; return its values instead, as a list for example"
        )
    inputs: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise CompileError(f"{label}: parameter {parameter} cannot be stored; name each input")
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise CompileError(
                f"{label}: parameter {name!r} is positional-only; drop the `/` behind it"
            )
        if name not in hints and name in ("self", "cls") and not inputs:
            raise CompileError(f"{label} is a method; make it a function of a module")
        if name not in hints:
            raise CompileError(
                f"{label}: parameter {name!r} has no type; write `{name}: int`, for example"
            )
        inputs[name] = hints[name]
        if parameter.default is not parameter.empty:
            defaults[name] = parameter.default
    outputs, bundle = outputs_of_annotation(hints.get("return"))
    return Signature(inputs, defaults, outputs, bundle)


def outputs_of_annotation(
    annotation: Any,
) -> tuple[dict[str, Any], type[tuple[Any, ...]] | None]:
    """Return the outputs that a return annotation stands for, and the type that holds several of them."""
    if annotation is None or annotation is NoneType:
        return {}, None
    parts: tuple[Any, ...] = ()
    if isinstance(annotation, tuple):
        parts = annotation
    elif get_origin(annotation) is tuple and Ellipsis not in get_args(annotation):
        parts = get_args(annotation)
    elif is_named_tuple(annotation):
        return get_type_hints(annotation, include_extras=True), annotation
    if parts:
        return {f"o{i}": part for i, part in enumerate(parts)}, tuple
    return {SINGLE: annotation}, None


def is_named_tuple(annotation: Any) -> bool:
    """Return whether a type is a NamedTuple class."""
    return (
        isinstance(annotation, type)
        and issubclass(annotation, tuple)
        and hasattr(annotation, "_fields")
    )


def arguments(
    signature: Signature, label: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Match arguments to the inputs, in their order, with defaults filled in. Raises CompileError."""
    names = list(signature.inputs)
    takes = f"its inputs are {', '.join(names)}" if names else "it has no inputs"
    if len(args) > len(names):
        raise CompileError(f"{label}: {len(args)} inputs given; {takes}")
    given = dict(zip(names, args, strict=False))
    for name, value in kwargs.items():
        if name not in signature.inputs:
            raise CompileError(f"{label}: unknown input {name!r}; {takes}")
        if name in given:
            raise CompileError(f"{label}: input {name!r} is given twice")
        given[name] = value
    missing = [n for n in names if n not in given and n not in signature.defaults]
    if missing:
        raise CompileError(f"{label}: input {missing[0]!r} is missing; {takes}")
    return {n: given[n] if n in given else signature.defaults[n] for n in names}


def interface_of(signature: Signature, label: str, blobs: FileStore) -> Interface:
    """Turn Python types into schemas, and defaults into stored values. Raises UnsupportedType and CompileError."""
    inputs: dict[str, Param] = {}
    for name, annotation in signature.inputs.items():
        default = None
        if name in signature.defaults:
            value = signature.defaults[name]
            default = Default(
                constant(annotation, value, blobs, f"{label}: the default of {name!r}")
            )
        inputs[name] = Param(schema_of(annotation, f"{label}: parameter {name!r}"), default)
    return Interface(inputs, output_schemas(signature, label))


def output_schemas(signature: Signature, label: str) -> dict[str, Schema]:
    """Return the schemas of the outputs. Raises UnsupportedType."""
    return {
        name: schema_of(annotation, f"{label}: output {name!r}")
        for name, annotation in signature.outputs.items()
    }


def schema_of(annotation: Any, where: str) -> Schema:
    """Return the schema of a type. Raises UnsupportedType, naming the place."""
    return codec(annotation, where=where).schema


def encode(annotation: Any, value: Any, blobs: FileStore, where: str) -> Value:
    """Store a value. Raises InvalidValue, naming the place, if it does not match its type."""
    try:
        return codec(annotation, where=where).encode(value, blobs)
    except InvalidValue as error:
        raise InvalidValue(f"{where}: {error.message}", error.faults) from None


def constant(annotation: Any, value: Any, blobs: FileStore, where: str) -> Value:
    """Store one of the author's constants. Raises CompileError, naming the place, if it does not match its type."""
    try:
        return encode(annotation, value, blobs, where)
    except InvalidValue as error:
        raise CompileError(error.message, faults=error.faults) from None


def spread(signature: Signature, result: Any, label: str) -> dict[str, Any]:
    """Return a function's result as named outputs. Raises InvalidValue if their number is wrong."""
    names = list(signature.outputs)
    if signature.bundle is None:
        return dict.fromkeys(names, result)
    if isinstance(result, tuple) and len(result) == len(names):
        return dict(zip(names, result, strict=True))
    if len(names) == 1 and not isinstance(result, tuple):
        return {names[0]: result}
    got = f"{len(result)} values" if isinstance(result, tuple) else f"a {type(result).__name__}"
    reason = f"it returned {got} but declares {len(names)}: {', '.join(names)}"
    raise InvalidValue(f"{label}: {reason}", [Fault((), reason)])


def gather(signature: Signature, outputs: Mapping[str, Any]) -> Any:
    """Return named outputs as the function would: the one value, a tuple, a NamedTuple, or None."""
    values = [outputs[name] for name in signature.outputs]
    if signature.bundle is tuple:
        return tuple(values)
    if signature.bundle is not None:
        return signature.bundle(*values)
    return values[0] if values else None


def decode_outputs(signature: Signature, outputs: Mapping[str, Value], blobs: FileStore) -> Any:
    """Return stored outputs as the function would return them."""
    return gather(
        signature,
        {
            name: codec(type_).decode(outputs[name], blobs)
            for name, type_ in signature.outputs.items()
        },
    )


def _hints(function: Callable[..., Any], label: str) -> dict[str, Any]:
    inner = inspect.unwrap(function)
    annotations = dict(getattr(inner, "__annotations__", {}))
    outputs = annotations.get("return")
    if isinstance(outputs, str) and outputs.startswith("("):
        # `-> (int, str)` where annotations are strings; Python itself does not evaluate a tuple there.
        annotations["return"] = f"tuple[{outputs[1:-1]}]"
    try:
        return get_type_hints(
            SimpleNamespace(__annotations__=annotations),
            globalns=getattr(inner, "__globals__", {}),
            include_extras=True,
        )
    except (NameError, TypeError, AttributeError, SyntaxError) as error:
        raise CompileError(
            f"{label}: its annotations cannot be evaluated ({error}); "
            "types must be defined in the module, not inside a function"
        ) from error
