"""
The form of a value whose type is not declared: `Any`, a plain `dict` or `list`, and their contents.

It accepts what is JSON already, and files, arrays and tables. It refuses what would read back differently.
"""

from math import isfinite
from types import NoneType
from typing import Any, Final

from tidegate.errors import InvalidValue
from tidegate.ir.expr import Value
from tidegate.types.blobbed import open_object, store_object
from tidegate.types.builtin import native, read_float, unicode, write_int
from tidegate.types.form import Form, changed, inside, name_of, wrong
from tidegate.types.values import BLOB, FLOAT, URI, FileStore


def plain(value: Any, blobs: FileStore) -> Value:
    """Encode what is JSON already: the form of `Any`, of a plain dict and of a plain list."""
    kind = type(value)
    if kind is dict:
        return _plain_dict(value, blobs)
    if kind is list:
        return _plain_list(value, blobs)
    if kind is str:
        return value if value.isascii() else unicode(value)
    if kind is bool or value is None:
        return value
    if kind is int:
        return write_int(value, blobs)
    if kind is float:
        return value if isfinite(value) else {FLOAT: repr(value)}
    return _plain_odd(value, blobs)


def _plain_dict(value: dict[Any, Any], blobs: FileStore) -> Value:
    made: dict[str, Value] = {}
    key: Any = None
    try:
        for key, item in value.items():
            made[_plain_key(key)] = plain(item, blobs)
    except InvalidValue as e:
        raise inside(key if isinstance(key, str) else repr(key), e) from None
    if not made.keys().isdisjoint((BLOB, FLOAT, URI)):
        raise wrong(f"the keys {BLOB}, {URI} and {FLOAT} are reserved: choose another name")
    return made


def _plain_list(value: Any, blobs: FileStore) -> Value:
    made: list[Value] = []
    try:
        for item in value:
            made.append(plain(item, blobs))  # noqa: PERF401  its length says where a fault is
    except InvalidValue as e:
        raise inside(len(made), e) from None
    return made


def _plain_key(key: object) -> str:
    if type(key) is str:
        return key if key.isascii() else unicode(key)
    if isinstance(key, str):
        raise changed(key, "str")
    raise wrong(
        f"a key of an untyped dict must be text, not {name_of(key)}: "
        "declare the type of the keys, as in dict[int, str]"
    )


def _plain_odd(value: Any, blobs: FileStore) -> Value:
    simple = native(value)
    if simple is not value:
        return plain(simple, blobs)
    if type(value) is tuple:
        raise changed(
            value, "list", "use a list, or declare its type, as in tuple[int, str] or list[Any]"
        )
    for kind in (str, int, float, dict, list):
        if isinstance(value, kind):
            raise changed(value, kind.__name__)
    stored = store_object(value, blobs)
    if stored is not None:
        return stored
    raise wrong(
        f"{name_of(value)} inside an untyped value would lose its type: declare the type of the contents"
    )


def read_plain(value: Value, blobs: FileStore) -> Any:
    """Decode plain JSON."""
    kind = type(value)
    if kind is dict:
        if FLOAT in value:
            return read_float(value, blobs)
        if BLOB in value or URI in value:
            return open_object(value, blobs)
        return {key: read_plain(item, blobs) for key, item in value.items()}
    if kind is list:
        return [read_plain(item, blobs) for item in value]
    return value


ANY: Final = Form(
    schema={},
    encode=plain,
    decode=read_plain,
    rank=3,
    recursive=True,
    gives=frozenset({dict, list, str, int, float, bool, NoneType}),
)
