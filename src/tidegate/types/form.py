"""
A form: how one Python type is stored, as two functions and a schema. Forms are built from forms.

A function that meets an invalid value raises `InvalidValue` with one fault;
each enclosing form adds where that was.
"""

from collections.abc import Callable
from enum import Enum
from math import isnan
from typing import Any, Final, TypeAlias

from msgspec import Struct

from tidegate.errors import Fault, InvalidValue, UnsupportedType
from tidegate.ir.expr import Schema, Value
from tidegate.types.values import FileStore

MAX_DEPTH: Final = 64
"""How deep lists and dicts may be nested in one value."""

MAX_PATH: Final = 16
"""Most steps of the path to a fault that are shown."""

Encode: TypeAlias = Callable[[Any, FileStore], Value]
Decode: TypeAlias = Callable[[Value, FileStore], Any]


class Form(Struct, frozen=True, kw_only=True, eq=False):
    """
    How a type is stored.

    `takes` are the Python classes whose instances certainly mean it, `gives` the classes of its stored values;
    a union chooses by them. `rank` orders the members of a union: the higher is tried later, because it accepts more.
    `python`: the schema does not express all of it. `recursive`: its values can be nested without limit.
    """

    schema: Schema
    encode: Encode
    decode: Decode
    takes: tuple[type, ...] = ()
    gives: frozenset[type] = frozenset()
    rank: int = 0
    python: bool = False
    recursive: bool = False


Make: TypeAlias = Callable[[Any], Form]
"""What a builder of forms calls for the types inside its own."""


def invalid(faults: list[Fault] | tuple[Fault, ...]) -> InvalidValue:
    """Make the error for these faults."""
    shown = "; ".join(str(f) for f in faults[:5])
    more = f"; and {len(faults) - 5} more" if len(faults) > 5 else ""
    return InvalidValue(shown + more, faults)


def misfit(expected: str, value: object) -> InvalidValue:
    """Make the error for a value that is not what was expected."""
    return wrong(f"expected {expected}, got {name_of(value)}")


def wrong(reason: str) -> InvalidValue:
    """Make the error for one fault, here."""
    return invalid([Fault((), reason)])


def changed(value: object, kind: str, way: str = "") -> InvalidValue:
    """Make the error for a value of a subclass, of which only the base's part would be kept; `way` says what to do instead."""
    own = type(value).__qualname__
    if isinstance(value, Enum):
        way = f"use its .value, or declare {own}"
    return wrong(f"{one(own)} would be read back as {one(kind)}: {way or f'use {kind}(value)'}")


def another(value: Any, cls: type) -> InvalidValue:
    """Make the error for a value that is not of this class, but perhaps of a subclass, whose additional fields would be lost."""
    own = type(value).__qualname__
    if not isinstance(value, cls):
        return misfit(one(cls.__qualname__), value)
    return changed(
        value, cls.__qualname__, f"declare {own}, or the union {cls.__qualname__} | {own}"
    )


def inside(key: str | int, error: InvalidValue) -> InvalidValue:
    """Add a key or position to the path of an error; only the beginning of a very long path is kept."""
    return invalid([Fault((key, *f.path)[:MAX_PATH], f.reason) for f in error.faults])


def name_of(value: object) -> str:
    """Name a value in an error message, briefly."""
    if value is None or isinstance(value, bool):
        return {None: "nothing (null)", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return f"the text {_short(value)}"
    if isinstance(value, float) and isnan(value):
        return "NaN"
    if type(value) in {int, float}:
        return f"the number {_short(value)}"
    if isinstance(value, list | tuple | dict | set | frozenset):
        return f"a {type(value).__name__} of {len(value)}"
    return one(type(value).__qualname__)


def one(name: str) -> str:
    """Put the article before a name."""
    return f"{'an' if name[:1] in tuple('AEIOUaeiou') else 'a'} {name}"


def _short(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # an int of more digits than Python is willing to write
        return "of very many digits"
    return text if len(text) <= 60 else f"{text[:57]}..."


def unsupported(annotation: object, use: str) -> UnsupportedType:
    """Make the error for a type that cannot be stored, with what to use instead."""
    return UnsupportedType(f"the type {type_name(annotation)} cannot be stored: {use}")


def type_name(annotation: object) -> str:
    """Name a type as its author would write it."""
    if isinstance(annotation, type) and not hasattr(annotation, "__args__"):
        return annotation.__qualname__
    return str(annotation).replace("typing.", "")
