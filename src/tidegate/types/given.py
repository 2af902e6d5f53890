"""Values without a declared type: answers from a program, for a gate that then checks them against its own type."""

from collections.abc import Mapping
from typing import Any

from tidegate.errors import InvalidValue, UnsupportedType
from tidegate.ir.expr import Value
from tidegate.types.registry import codec
from tidegate.types.values import FileStore


def stored(value: Any, blobs: FileStore) -> Value:
    """Return an object as its own type would store it; lists and dicts part by part. Raises `InvalidValue` for what cannot be stored."""
    try:
        return codec(Any).encode(value, blobs)
    except InvalidValue:
        # A date in an untyped list loses its type for a reader; but here the gate knows the type.
        if isinstance(value, Mapping):
            return {_key(key, blobs): stored(item, blobs) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset) and not hasattr(value, "_fields"):
            return [stored(item, blobs) for item in value]
        try:
            own = codec(type(value))
        except UnsupportedType as error:
            raise InvalidValue(error.message) from None
        return own.encode(value, blobs)


def _key(key: Any, blobs: FileStore) -> str:
    if isinstance(key, int) and not isinstance(key, bool):
        return str(int(key))
    made = stored(key, blobs)
    if not isinstance(made, str):
        raise InvalidValue(f"a key of a dict must be a string, an integer or a date, not {key!r}")
    return made
