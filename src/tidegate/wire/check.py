"""Whether what was sent is what is declared: for a request that was made in Python, and the words for whatever does not fit."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Generic, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct, structs

from tidegate.errors import Fault, InvalidValue
from tidegate.ir.expr import Path
from tidegate.wire.requests import SAYS, Ask, V

LONGEST_SHOWN = 80

_WHERE = re.compile(r"(?P<what>.*) - at `(?:key in )?\$(?P<path>.*)`\Z", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[([^\]]*)\]")


class Checked(Struct, Generic[V], frozen=True):
    """A request that holds what its class declares. Only `check` and `read` make one."""

    request: Ask[V]


def check(request: Ask[V]) -> Checked[V]:
    """Return a request that was made in Python, if it holds what its class declares. Errors: `InvalidValue`, naming the field."""
    read(type(request), structs.asdict(request))
    return Checked(request)


def read(kind: type[Ask[V]], given: Mapping[str, Any]) -> Checked[V]:
    """Return the request that has these fields. Errors: `InvalidValue`, naming the field, also if a text cannot be written as UTF-8."""
    try:
        request = msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise misfit("the request", kind, given, error) from None
    for name, value in given.items():
        if isinstance(value, str):
            if not value.isascii():
                _check_unicode(name, value)
        elif isinstance(value, list):
            for text in value:
                if isinstance(text, str):
                    _check_unicode(name, text)
    return Checked(request)


def _check_unicode(name: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        why = f"is not valid Unicode: a lone surrogate at position {error.start}"
        raise InvalidValue(
            f"the request does not fit: {name}: {why}", [Fault((name,), why)]
        ) from None


def misfit(what: str, kind: Any, given: Any, error: msgspec.ValidationError) -> InvalidValue:
    """
    Return what msgspec found wrong with what was `given` for this type, with the path of the fault: in the words of the constraint, if it has any.

    `what` is what all of it is called.
    """
    found = _WHERE.match(str(error))
    reason = found["what"] if found else str(error)
    steps = _STEP.findall(found["path"] if found else "")
    path = tuple(name or (int(item) if item.isdecimal() else item) for name, item in steps)
    if path and ", got `" not in reason:
        declared = get_type_hints(kind, include_extras=True).get(str(path[0]))
        if says := _says(declared, len(path)):
            fault = Fault(path, says)
            where = str(fault).removesuffix(f": {says}")
            return InvalidValue(f"the {where}{_shown(given, path)} {says}", [fault])
    fault = Fault(path, reason.replace("`", "'"))
    return InvalidValue(f"{what} does not fit: {fault}", [fault])


def _shown(given: Any, path: Path) -> str:
    """Return the value at a path, as it stands in a sentence; nothing if it is long."""
    try:
        for step in path:
            given = given[step]
    except (LookupError, TypeError):
        return ""
    text = repr(given)
    return f" {text}" if len(text) <= LONGEST_SHOWN else ""


def _says(declared: Any, depth: int) -> str:
    """Return the sentence of the constraint that is declared so many steps down."""
    metas: tuple[Any, ...] = ()
    if get_origin(declared) is Annotated:
        declared, metas = get_args(declared)[0], get_args(declared)[1:]
    if depth > 1:
        inside = get_args(declared)
        return _says(inside[-1], depth - 1) if inside else ""
    said = [meta.extra[SAYS] for meta in metas if isinstance(meta, Meta) and meta.extra]
    return str(said[-1]) if said else ""
