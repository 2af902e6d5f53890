"""
Between Python objects and what travels: the stored values of the `types` package, which are plain JSON.

Outgoing values have the declared type, or else their own. Incoming ones become objects of the types that the workflow declares,
if this process has imported its module; else what the schema alone tells: numbers, texts, dates, files, and plain data.
"""

import sys
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from types import GenericAlias
from typing import Any, Final
from uuid import UUID

import msgspec

from tidegate.errors import InvalidValue, UnsupportedType
from tidegate.ir.expr import Schema, Value
from tidegate.sdk.load import describe_module
from tidegate.types.formats import INSTANT
from tidegate.types.given import stored
from tidegate.types.registry import codec
from tidegate.types.values import Directory, File, FileStore

_TOLD: Final = (datetime, date, time, timedelta, UUID, Decimal, bytes, float, File, Directory)
"""Types that can be derived from the schema of their values."""


def encoded(value: Any, python_type: Any, blobs: FileStore) -> Value:
    """Return the stored value of an object, by a type if one is given. Errors: `InvalidValue` if it has another type, or cannot be stored."""
    if python_type is not None:
        return codec(python_type).encode(value, blobs)
    return stored(value, blobs)


def decoded(value: Value, schema: Schema, python_type: Any, blobs: FileStore) -> Any:
    """Return the object of a stored value: of the type, if one is known and matches, else derived from the schema."""
    for wanted in (python_type, told_type(schema)):
        if wanted is not None:
            try:
                return codec(wanted).decode(value, blobs)
            except (InvalidValue, UnsupportedType):
                continue  # this process has another version of the workflow
    return value


def told_type(schema: Schema) -> Any:
    """Return the Python type derived from a schema; None if there is none."""
    leaves = _leaves()
    found = leaves.get(_spelled(schema))
    if found is not None:
        return found
    match schema:
        case {"type": "array", "items": dict(items)} if "prefixItems" not in schema:
            inner = told_type(items)
            return None if inner is None else GenericAlias(list, inner)
        case {"type": "object", "additionalProperties": dict(items)} if "properties" not in schema:
            inner = told_type(items)
            return None if inner is None else GenericAlias(dict, (str, inner))
        case {"anyOf": [dict(some), {"type": "null"}]} | {"anyOf": [{"type": "null"}, dict(some)]}:
            inner = told_type(some)
            return None if inner is None else inner | None
        case _:
            return None


def declared_types(name: str, module: str, workflow: Any = None) -> Mapping[str, Any]:
    """Return the types of a workflow's outputs, by name, if the workflow is given or its module is imported; else nothing."""
    if workflow is None:
        loaded = sys.modules.get(module)
        there = [] if loaded is None else describe_module(loaded)
        workflow = next((each for _, each in there if each.name == name), None)
    signature = getattr(workflow, "signature", None)
    found: Mapping[str, Any] = getattr(signature, "outputs", {})
    return found


@cache
def _leaves() -> dict[bytes, Any]:
    told = {_spelled(codec(each).schema): each for each in _TOLD}
    return told | {_spelled({"type": "string", "format": INSTANT}): datetime}  # of earlier versions


def _spelled(schema: Schema) -> bytes:
    bare = {key: value for key, value in schema.items() if key not in {"default", "description"}}
    return msgspec.json.encode(bare, order="deterministic")
