"""
Whether a stored value matches a JSON Schema: the check of every answer and of every input from outside.

First that it is a stored value at all: plain JSON, of finite numbers, not too deep and not too large. Then the schema.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from importlib import import_module
from itertools import islice
from math import isfinite
from typing import Any, Final

import msgspec

from tidegate.errors import Fault
from tidegate.ir.expr import Path, Schema, Value
from tidegate.types import formats
from tidegate.types.branching import Branching, branches
from tidegate.types.builtin import INT_MAX, INT_MIN
from tidegate.types.form import MAX_DEPTH, name_of
from tidegate.types.refs import rewritten
from tidegate.types.registry import INLINE_MAX
from tidegate.types.words import BOUNDS, describe, options, spell

MAX_FAULTS: Final = 20
"""Most faults that are reported of one value."""

FEW: Final = 20
"""Keys of an object that are checked together when one of them is invalid."""

NAMES: Final = "propertyNames"

_pack: Final = msgspec.msgpack.Encoder().encode


def faults(schema: Schema, value: Value) -> list[Fault]:
    """Return what is wrong with a stored value, and where; nothing if it matches."""
    found = _not_plain(value, (), 0)
    if found is not None:
        return [found]
    if isinstance(value, str | list | dict) and len(_pack(value)) > INLINE_MAX:
        return [Fault((), f"the value takes more than {INLINE_MAX:,} bytes")]
    check = _check(msgspec.json.encode(schema))
    if isinstance(check, Branching):
        return check.faults(value)
    return [] if check.is_valid(value) else _explained(check, value)


def branches_often(schema: Schema) -> bool:
    """Return whether checking a value of this schema takes many steps for its size, so that an event loop leaves it to a thread."""
    return isinstance(_check(msgspec.json.encode(schema)), Branching)


def _explained(validator: Any, value: Value) -> list[Fault]:
    made: dict[Fault, None] = {}
    for error in validator.iter_errors(value):
        for fault in islice(_explain(error, value), MAX_FAULTS):
            made[fault] = None
        if len(made) >= MAX_FAULTS:
            break
    return list(made)[:MAX_FAULTS] or [Fault((), "a key is invalid")]


def _not_plain(value: Any, path: Path, depth: int) -> Fault | None:
    """Return the first fault of a value that is not plain JSON."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int):
        fits = INT_MIN <= value <= INT_MAX
        return None if fits else Fault(path, f"{name_of(value)} needs more than 64 bits")
    if isinstance(value, float):
        return None if isfinite(value) else Fault(path, f"a number must be finite, not {value}")
    if isinstance(value, str):
        return _not_unicode(value, path)
    if depth >= MAX_DEPTH:
        return Fault(path[:8], f"nested more than {MAX_DEPTH} deep")
    if isinstance(value, dict):
        return _first_inside(value, path, depth)
    if isinstance(value, list):
        for n, item in enumerate(value):
            found = _not_plain(item, (*path, n), depth + 1)
            if found is not None:
                return found
        return None
    return Fault(path, f"{name_of(value)} is not JSON")


def _first_inside(value: dict[Any, Any], path: Path, depth: int) -> Fault | None:
    for key, item in value.items():
        if not isinstance(key, str):
            return Fault(path, f"a key must be text, not {name_of(key)}")
        found = _not_unicode(key, path) or _not_plain(item, (*path, key), depth + 1)
        if found is not None:
            return found
    return None


def _not_unicode(value: str, path: Path) -> Fault | None:
    try:
        value.encode()
    except UnicodeEncodeError as e:
        return Fault(path, f"the text is not valid Unicode: a lone surrogate at position {e.start}")
    return None


@lru_cache(maxsize=2048)
def _check(schema: bytes) -> Any:
    """Return a checker for values of a schema: the validator, or the one that limits the number of steps."""
    decoded = msgspec.json.decode(schema)
    if not branches(decoded):
        return _validator(decoded)

    def explain(part: Schema, value: Value) -> list[Fault]:
        return _explained(_validator(part), value)

    def alone(part: Schema) -> Callable[[Value], bool]:
        fits: Callable[[Value], bool] = _validator(part).is_valid
        return fits

    return Branching(decoded, alone, explain, partial(_union_fault, ()))


def _validator(decoded: Schema) -> Any:
    # Loaded here, because importing the package must stay light.
    jsonschema_rs = import_module("jsonschema_rs")
    checks = {name: partial(formats.fits, name) for name in formats.READERS}
    made = partial(
        jsonschema_rs.Draft202012Validator,
        formats=checks,
        validate_formats=True,
        retriever=_nothing_outside,
    )
    try:
        whole = made(decoded)
    except ValueError:
        # A pattern in Python's dialect that the validator cannot parse; the worker checks it.
        decoded = rewritten(decoded, _without_pattern)
        whole = made(decoded)
    rest = rewritten(decoded, _without_names)
    return whole if rest == decoded else _Named(whole, made(rest))


def _nothing_outside(uri: str) -> Any:
    raise ValueError(f"a schema must be self-contained, but this one refers to {uri}")


def _without_names(schema: Schema) -> Schema:
    return {k: v for k, v in schema.items() if k != NAMES}


class _Named:
    """
    A validator of a schema that restricts keys.

    For each invalid key the library copies the whole object, which is quadratic in its size. So keys are
    checked last, and only a few of them are reported at a time.
    """

    def __init__(self, whole: Any, rest: Any) -> None:
        self.is_valid: Callable[[Value], bool] = whole.is_valid
        self._whole = whole
        self._rest = rest

    def iter_errors(self, value: Value) -> Iterator[Any]:
        """Yield the faults; nothing, if only keys are invalid, and none of those that are checked."""
        found = False
        for error in self._rest.iter_errors(value):
            found = True
            yield error
        for part in () if found else _parts(value):
            if not self.is_valid(part):
                yield from (e for e in self._whole.iter_errors(part) if e.kind.name == NAMES)
                return


def _parts(value: Value) -> Iterator[Value]:
    """Yield a value with few keys in each object; one that is an object in as many parts as all its keys need."""
    if not isinstance(value, dict):
        yield _with_few_keys(value)
        return
    items = iter(value.items())
    while few := dict(islice(items, FEW)):
        yield {key: _with_few_keys(item) for key, item in few.items()}


def _with_few_keys(value: Value) -> Value:
    if isinstance(value, dict):
        return {key: _with_few_keys(item) for key, item in islice(value.items(), FEW)}
    return [_with_few_keys(item) for item in value] if isinstance(value, list) else value


def _without_pattern(schema: Schema) -> Schema:
    return {k: v for k, v in schema.items() if k != "pattern"}


def _explain(error: Any, root: Value) -> Iterator[Fault]:
    """Turn one error of the validator into faults in plain words."""
    kind = error.kind
    path, value = _locate(root, error.instance_path)
    match kind.name:
        case "required":
            yield Fault((*path, kind.property), "this field is missing")
        case "additionalProperties":
            for name in kind.unexpected:
                yield Fault((*path, name), "unknown field")
        case "anyOf" | "oneOf":
            yield from _explain_union(error, root)
        case "propertyNames":
            yield Fault(path, f"a key is invalid: {_reason(kind)}")
        case "type" | "format" | "enum" | "const":
            yield Fault(path, f"expected {_expected(kind)}, got {name_of(value)}")
        case _:
            yield Fault(path, _limits(kind, error, value))


def _expected(kind: Any) -> str:
    match kind.name:
        case "type":
            return " or ".join(describe({"type": t}) for t in kind.types)
        case "format":
            return describe({"type": "string", "format": kind.format})
        case "enum":
            return options(kind.options)
        case _:
            return spell(kind.expected_value)


def _reason(kind: Any) -> str:
    inner = getattr(kind, "error", None)
    return str(getattr(inner, "message", "it is not allowed"))


def _limits(kind: Any, error: Any, value: Value) -> str:
    if kind.name == "uniqueItems":
        return "an item is repeated"
    if kind.name in BOUNDS:
        verb, text = BOUNDS[kind.name]
        limit = kind.value
        shown = int(limit) if isinstance(limit, float) and limit.is_integer() else limit
        return f"must {verb} {text.format(shown)}, got {name_of(value)}"
    return str(error.message)


def _explain_union(error: Any, root: Value) -> Iterator[Fault]:
    """Explain by the member that comes closest: one whose fault is not the type of the whole."""
    path, value = _locate(root, error.instance_path)
    members = list(error.kind.context)
    close = [m for m in members if m and not all(_whole(e, error.instance_path) for e in m)]
    if len(close) == 1:
        for inner in close[0]:
            yield from _explain(inner, root)
        return
    found = [f for m in members for e in m[:1] for f in islice(_explain(e, root), MAX_FAULTS)]
    inside = [Fault(f.path[len(path) :], f.reason) for f in found]
    yield _union_fault(path, value, len(members), inside)


def _union_fault(path: Path, value: Value, members: int, found: list[Fault]) -> Fault:
    """Return one fault for a value that matches none of this many members, of which these are the faults."""
    reasons = list(dict.fromkeys(map(str, found)))
    wanted = [
        r.removeprefix("expected ").partition(", got ")[0]
        for r in map(str, found)
        if "expected" in r
    ]
    if len(wanted) == members:
        kinds = [w for w in dict.fromkeys(wanted) if w != "nothing"]
        empty = ", or nothing" if "nothing" in wanted else ""
        return Fault(path, f"expected {' or '.join(kinds)}{empty}, got {name_of(value)}")
    return Fault(path, "matches none of: " + "; ".join(reasons))


def _whole(error: Any, steps: Path) -> bool:
    return bool(error.kind.name == "type" and error.instance_path == steps)


def _locate(root: Value, steps: Path) -> tuple[Path, Value]:
    """Return the path and the value it leads to; the validator takes a key of digits for a position."""
    path: list[str | int] = []
    value = root
    for step in steps:
        true_step = str(step) if isinstance(value, dict) else step
        path.append(true_step)
        value = value[true_step]
    return tuple(path), value
