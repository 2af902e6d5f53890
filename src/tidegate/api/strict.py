"""
JSON, read strictly: what two readers could take for two different things is refused.

Refused are: duplicate keys, NaN and infinities, whole numbers beyond 64 bits, numbers that overflow, nesting beyond `MAX_DEPTH`,
bytes that are not UTF-8, and anything before or after the one value.
"""

import json
import re
from math import isinf
from typing import Any, NoReturn

import msgspec

from tidegate.errors import Fault, InvalidValue, Unreadable

MAX_DEPTH = 64
MAX_DIGITS = 400
"""Characters of one number with a fraction or an exponent."""

LOWEST, HIGHEST = -(2**63), 2**64 - 1

# A string that does not end takes all the rest, so that reading stays linear.
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)
_WHERE = re.compile(r"(?P<what>.*) - at `(?:key in )?\$(?P<path>.*)`\Z", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[([^\]]*)\]")


def check(raw: bytes) -> None:
    """Look whether these bytes are one JSON value, strictly. Errors: `Unreadable`."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(f"the body is not UTF-8: see byte {error.start}") from None
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _check_depth(text)
    try:
        _strict.decode(text)
    except json.JSONDecodeError as error:
        raise Unreadable(
            f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None


def decode(raw: bytes, kind: Any) -> Any:
    """Read a body of this type. Errors: `Unreadable` if it is not strict JSON; `InvalidValue` if it is of another type."""
    check(raw)
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise misfit("the body", error) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"the body is not JSON: {error}") from None


def misfit(what: str, error: msgspec.ValidationError) -> InvalidValue:
    """Return what msgspec says of a value that does not fit, as an error of ours with the path of the fault."""
    found = _WHERE.match(str(error))
    reason = found["what"] if found else str(error)
    path = _STEP.findall(found["path"]) if found else ()
    fault = Fault(tuple(name or place for name, place in path), reason.replace("`", "'"))
    return InvalidValue(f"{what} does not fit: {fault}", [fault])


def _check_depth(text: str) -> None:
    depth = 0
    for found in _BRACKETS.finditer(text):
        token = found[0]
        if token in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise Unreadable(f"the body is nested deeper than {MAX_DEPTH} levels")
        elif token in "]}":
            depth -= 1


def _pairs(pairs: list[tuple[str, Any]]) -> None:
    if len(pairs) > 1 and len({name for name, _ in pairs}) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Unreadable(f"the body has the key {twice[:80]!r} twice in one object")


def _constant(name: str) -> NoReturn:
    raise Unreadable(f"the body has {name}, which is no JSON number")


def _whole(digits: str) -> None:
    if len(digits) > 20 or not LOWEST <= int(digits) <= HIGHEST:
        raise Unreadable(f"the body has a whole number beyond 64 bits: {digits[:24]}")


def _fraction(digits: str) -> None:
    if len(digits) > MAX_DIGITS or isinf(float(digits)):
        raise Unreadable(f"the body has a number that is too large: {digits[:24]}")


# What is read is thrown away: the value itself is read by msgspec, into the type it must have.
_strict = json.JSONDecoder(
    object_pairs_hook=_pairs,
    parse_constant=_constant,
    parse_int=_whole,
    parse_float=_fraction,
)
