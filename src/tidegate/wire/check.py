"""Whether a request matches its declaration, for requests made in Python; and the messages for what does not match."""

from collections.abc import Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Generic, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct, structs

from tidegate.errors import Fault, InvalidValue
from tidegate.ir.expr import Path
from tidegate.wire.ask import Ask, V
from tidegate.wire.constraints import SAYS

LONGEST_SHOWN = 80
LONGEST_REASON = 200
"""Characters kept of msgspec's message, which may contain the client's text, such as the name of an unknown field."""


class Checked(Struct, Generic[V], frozen=True):
    """A request that matches its declaration. Only `check` and `read` make one."""

    request: Ask[V]


def check(request: Ask[V]) -> Checked[V]:
    """Return a request made in Python, if it matches its declaration. Errors: `InvalidValue`, naming the field."""
    read(type(request), structs.asdict(request))
    return Checked(request)


def read(kind: type[Ask[V]], given: Mapping[str, Any]) -> Checked[V]:
    """Return the request with these fields. Errors: `InvalidValue`, naming the field, also if a text cannot be encoded as UTF-8."""
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
            f"the request is invalid: {name}: {why}", [Fault((name,), why)]
        ) from None


def misfit(
    what: str, kind: Any, given: Any, error: msgspec.ValidationError, *, strict: bool = True
) -> InvalidValue:
    """
    Return the fault of what was `given` for this type, with its path: in the words of the constraint, if it has any.

    `what` names the whole. The path is found by converting the parts one by one: the message of `error` may contain the client's text, so no path is
    parsed from it.
    """
    path, declared, reason = _fault(kind, given, str(error), strict=strict)
    if path and ", got `" not in reason and (says := _says(declared)):
        fault = Fault(path, says)
        where = str(fault).removesuffix(f": {says}")
        return InvalidValue(f"the {where}{_shown(given, path)} {says}", [fault])
    fault = Fault(path, reason[:LONGEST_REASON].replace("`", "'"))
    return InvalidValue(f"{what} is invalid: {fault}", [fault])


def _fault(kind: Any, given: Any, reason: str, *, strict: bool) -> tuple[Path, Any, str]:
    """Return the path to the innermost part that does not match, its declaration, and msgspec's message about it alone."""
    for step, declared, part in _parts(kind, given):
        try:
            msgspec.convert(part, declared, strict=strict)
        except msgspec.ValidationError as error:
            rest, inner, why = _fault(declared, part, str(error), strict=strict)
            return (step, *rest), inner, why
    return (), kind, reason


def _parts(kind: Any, given: Any) -> Iterator[tuple[str | int, Any, Any]]:
    """Yield what a type declares for the parts of a value: step, type, part."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Annotated:
        yield from _parts(inside[0], given)
    elif origin is UnionType or origin is Union:
        others = [each for each in inside if each is not NoneType]
        if given is not None and len(others) == 1:
            yield from _parts(others[0], given)
    elif isinstance(kind, type) and issubclass(kind, Struct) and isinstance(given, dict):
        for field in structs.fields(kind):
            if field.encode_name in given:
                yield field.encode_name, field.type, given[field.encode_name]
    elif origin in (list, frozenset, tuple) and isinstance(given, list):
        for number, item in enumerate(given):
            yield number, inside[0], item


def _shown(given: Any, path: Path) -> str:
    """Return the value at a path, quoted for a sentence; empty if it is long."""
    try:
        for step in path:
            given = given[step]
    except (LookupError, TypeError):
        return ""
    text = repr(given)
    return f" {text}" if len(text) <= LONGEST_SHOWN else ""


def _says(declared: Any) -> str:
    """Return the sentence of a declared constraint."""
    metas = get_args(declared)[1:] if get_origin(declared) is Annotated else ()
    said = [meta.extra[SAYS] for meta in metas if isinstance(meta, Meta) and meta.extra]
    return str(said[-1]) if said else ""
