"""
JSON, read strictly: what two readers could take for two different things is refused.

Refused are: duplicate keys, NaN and infinities, whole numbers beyond 64 bits, numbers that overflow, nesting beyond `MAX_DEPTH`,
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
"""Every number beyond 64 bits, and every one of more than `MAX_DIGITS` characters, has at least as many digits in one piece."""

_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_DEEPER = [(each in b"[{") - (each in b"]}") for each in range(256)]
"""By how much each byte leads deeper."""

_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")

_decode = msgspec.json.Decoder().decode


def decode(raw: bytes, kind: Any) -> Any:
    """Read a body of this type. Errors: `Unreadable` if it is not strict JSON; `InvalidValue` if it is of another type."""
    value = read(raw)
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise misfit("the body", kind, value, error) from None


def read(raw: bytes) -> Any:
    """
    Read one JSON value, strictly. Errors: `Unreadable`.

    msgspec refuses by itself what is not JSON. What it lets pass is found by counting: whether the value, written down again, has as
    many members as there were. Only what is refused, or looks as if it were to be, is read by `check`, which says what is wrong and where.
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
    """Whether it is sure that a value is all that was written: no key twice, and no number beyond what is taken."""
    if LONG_NUMBER in raw.translate(_DIGITS_TO_ZERO):
        return False
    again = encode(value)
    if b"\\" not in raw:
        # Every string stands in both as it is, so that only colons of members can be missing.
        return raw.count(b":") == again.count(b":")
    return _members(raw) == _members(again)


def _members(text: bytes) -> int:
    """Count the members of all objects of a JSON text: the colons that are not in strings."""
    return _outside(text).count(b":")


def _outside(text: bytes) -> bytes:
    """Return what of a JSON text is not in strings; one that does not end takes all the rest."""
    return b"".join(_plain(text).split(b'"')[::2])


def _plain(text: bytes) -> bytes:
    """Return a JSON text without escaped backslashes and quotes: every quote that is left begins or ends a string."""
    if b"\\" not in text:
        return text
    return text.replace(b"\\\\", b"").replace(b'\\"', b"")


def check(raw: bytes) -> None:
    """Look whether these bytes are one JSON value, strictly. Errors: `Unreadable`."""
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
    raise Unreadable(f"the body has {name}, which is no JSON number")


def _whole(digits: str) -> None:
    if len(digits) > 20 or not LOWEST <= int(digits) <= HIGHEST:
        raise Unreadable(f"the body has a whole number beyond 64 bits: {digits[:24]}")


def _fraction(digits: str) -> None:
    if len(digits) > MAX_DIGITS or isinf(float(digits)):
        raise Unreadable(f"the body has a number that is too large: {digits[:24]}")


# What is read is thrown away: it is read for what is wrong with it.
_strict = json.JSONDecoder(
    object_pairs_hook=_pairs,
    parse_constant=_constant,
    parse_int=_whole,
    parse_float=_fraction,
)
