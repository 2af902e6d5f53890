"""
Strict JSON: input that two parsers could understand differently is refused.

Refused are: duplicate keys, NaN and infinities, integers beyond 64 bits, numbers that overflow, nesting beyond `MAX_DEPTH`,
bytes that are not UTF-8, and anything before or after the one value.
"""

import json
from collections import Counter
from itertools import accumulate
from math import isinf
from typing import Any, NoReturn

import msgspec

from tidegate.api.route import encode
from tidegate.errors import Unreadable
from tidegate.wire import misfit

MAX_DEPTH = 64
MAX_DIGITS = 400
"""Characters of one number with a fraction or an exponent."""

LOWEST, HIGHEST = -(2**63), 2**64 - 1

LONG_NUMBER = b"0" * 19
"""Every number beyond 64 bits, and every one of more than `MAX_DIGITS` characters, has at least this many digits in a row."""

_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_DEEPER = [(each in b"[{") - (each in b"]}") for each in range(256)]
"""How each byte changes the nesting depth."""

_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")

_decode = msgspec.json.Decoder().decode


def decode(raw: bytes, kind: Any) -> Any:
    """Parse a body of this type. Errors: `Unreadable` if it is not strict JSON; `InvalidValue` if it is of another type."""
    value = read(raw)
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise misfit("the body", kind, value, error) from None


def read(raw: bytes) -> Any:
    """
    Parse one JSON value, strictly. Errors: `Unreadable`.

    msgspec itself refuses what is not JSON. What it accepts too freely is found by counting: whether the value, encoded again, has the same
    number of members. Only input that is refused, or looks suspicious, is read by `check`, which says what is wrong and where.
    """
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:
        _check_depth(raw)
    try:
        value = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        check(raw)
        # The other reader takes half of a surrogate pair, and only that; this one says of it that the data was truncated.
        raise Unreadable(
            "the body is not JSON: a text in it is not valid Unicode, for it has half of a surrogate pair"
            if b"\\ud" in raw.lower()
            else f"the body is not JSON: {error}"
        ) from None
    if not _is_whole(raw, value):
        check(raw)
    return value


def _is_whole(raw: bytes, value: Any) -> bool:
    """Whether a value certainly represents all of its text: no duplicate key, and no number beyond the limits."""
    if LONG_NUMBER in raw.translate(_DIGITS_TO_ZERO):
        return False
    again = encode(value)
    if b"\\" not in raw:
        # Every string appears unchanged in both, so only colons of members can be missing.
        return raw.count(b":") == again.count(b":")
    return _members(raw) == _members(again)


def _members(text: bytes) -> int:
    """Count the members of all objects of a JSON text: the colons outside strings."""
    return _outside(text).count(b":")


def _outside(text: bytes) -> bytes:
    """Return the parts of a JSON text outside strings; an unterminated string takes all the rest."""
    return b"".join(_plain(text).split(b'"')[::2])


def _plain(text: bytes) -> bytes:
    """Return a JSON text without escaped backslashes and quotes: every remaining quote starts or ends a string."""
    if b"\\" not in text:
        return text
    return text.replace(b"\\\\", b"").replace(b'\\"', b"")


def check(raw: bytes) -> None:
    """Check that these bytes are one JSON value, strictly. Errors: `Unreadable`."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(f"the body is not UTF-8: see byte {error.start}") from None
    try:
        _strict.decode(text)
    except json.JSONDecodeError as error:
        raise Unreadable(
            f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None


def _check_depth(raw: bytes) -> None:
    brackets = _outside(raw).translate(None, _NO_BRACKETS)
    if max(accumulate(map(_DEEPER.__getitem__, brackets)), default=0) > MAX_DEPTH:
        raise Unreadable(f"the body is nested deeper than {MAX_DEPTH} levels")


def _pairs(pairs: list[tuple[str, Any]]) -> None:
    if len(pairs) > 1 and len({name for name, _ in pairs}) < len(pairs):
        times = Counter(name for name, _ in pairs)
        twice = next(name for name in times if times[name] > 1)
        raise Unreadable(f"the body has the key {twice[:80]!r} twice in one object")


def _constant(name: str) -> NoReturn:
    raise Unreadable(f"the body contains {name}, which is not a JSON number")


def _whole(digits: str) -> None:
    if len(digits) > 20 or not LOWEST <= int(digits) <= HIGHEST:
        raise Unreadable(f"the body has an integer beyond 64 bits: {digits[:24]}")


def _fraction(digits: str) -> None:
    if len(digits) > MAX_DIGITS or isinf(float(digits)):
        raise Unreadable(f"the body has a number that is too large: {digits[:24]}")


# The result is discarded: the text is parsed only to find what is wrong with it.
_strict = json.JSONDecoder(
    object_pairs_hook=_pairs,
    parse_constant=_constant,
    parse_int=_whole,
    parse_float=_fraction,
)
