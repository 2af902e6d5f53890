"""
The form of a value whose type is not declared: `Any`, a bare `dict` or `list`, and what is in them.

It takes what is JSON already, and files, arrays and tables. It refuses what would come back as something else.
"""

import enum
from math import isfinite
from types import NoneType
from typing import Any, Final

from tidegate.errors import InvalidValue
from tidegate.ir.expr import Value
from tidegate.types.blobbed import open_object, store_object
from tidegate.types.builtin import native, read_float, unicode, write_int
from tidegate.types.form import MAX_DEPTH, Form, inside, name_of, wrong
from tidegate.types.values import BLOB, FLOAT, URI, Blobs

_PLAIN: Final = frozenset({str, int, bool, NoneType, float})


def plain(value: Any, blobs: Blobs, depth: int = 0) -> Value:
    """Encode what is JSON already: the form of `Any`, of a bare dict and of a bare list."""
    kind = type(value)
    if kind is dict:
        return _plain_dict(value, blobs, depth)
    if kind is list or kind is tuple:
        return _plain_list(value, blobs, depth)
    if kind is str:
        return value if value.isascii() else unicode(value)
    if kind is bool or value is None:
        return value
    if kind is int:
        return write_int(value, blobs)
    if kind is float:
        return value if isfinite(value) else {FLOAT: repr(value)}
    return _plain_odd(value, blobs, depth)


def _plain_dict(value: dict[Any, Any], blobs: Blobs, depth: int) -> Value:
    if depth >= MAX_DEPTH:
        raise wrong(f"nested more than {MAX_DEPTH} deep")
    made: dict[str, Value] = {}
    key: Any = None
    try:
        for key, item in value.items():
            name = key if type(key) is str and key.isascii() else _plain_key(key)
            kind = type(item)
            if (kind is str and item.isascii()) or (kind is float and isfinite(item)):
                made[name] = item
            else:
                made[name] = plain(item, blobs, depth + 1)
    except InvalidValue as e:
        raise inside(key if isinstance(key, str) else repr(key), e) from None
    if "$" in "".join(made) and not made.keys().isdisjoint((BLOB, FLOAT, URI)):
        raise wrong(f"the keys {BLOB}, {URI} and {FLOAT} are reserved: choose another name")
    return made


def _plain_list(value: Any, blobs: Blobs, depth: int) -> Value:
    if depth >= MAX_DEPTH:
        raise wrong(f"nested more than {MAX_DEPTH} deep")
    made: list[Value] = []
    try:
        for item in value:
            made.append(plain(item, blobs, depth + 1))  # noqa: PERF401  its length says where a fault is
    except InvalidValue as e:
        raise inside(len(made), e) from None
    return made


def _plain_key(key: object) -> str:
    if isinstance(key, str):
        return unicode(str.__str__(key))
    raise wrong(
        f"a key of an untyped dict must be text, not {name_of(key)}: "
        "declare the type of the keys, as in dict[int, str]"
    )


def _plain_odd(value: Any, blobs: Blobs, depth: int) -> Value:
    if isinstance(value, enum.Enum) and isinstance(value, str | int):
        return plain(value.value, blobs, depth)
    kinds: tuple[Any, ...] = (str, int, float, dict, list)
    for kind in kinds:
        if isinstance(value, kind):
            return plain(kind.__str__(value) if kind is str else kind(value), blobs, depth)
    simple = native(value)
    if simple is not value:
        return plain(simple, blobs, depth)
    stored = store_object(value, blobs)
    if stored is not None:
        return stored
    raise wrong(
        f"{name_of(value)} inside an untyped value would lose its type: declare the type of what is in it"
    )


def read_plain(value: Value, blobs: Blobs) -> Any:
    """Decode plain JSON."""
    kind = type(value)
    if kind is dict:
        if FLOAT in value:
            return read_float(value, blobs)
        if BLOB in value or URI in value:
            return open_object(value, blobs)
        made = {}
        for key, item in value.items():
            made[key] = item if type(item) in _PLAIN else read_plain(item, blobs)
        return made
    if kind is list:
        return [item if type(item) in _PLAIN else read_plain(item, blobs) for item in value]
    return value


ANY: Final = Form(
    schema={},
    encode=plain,
    decode=read_plain,
    rank=3,
    gives=frozenset({dict, list, str, int, float, bool, NoneType}),
)
