"""What it means that a value comes back: equal, and of the same types all the way down. In Python, 1 == True == 1.0."""

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import BaseModel

from tidegate.blobs.directory import BlobDirectory
from tidegate.blobs.files import BlobFiles
from tidegate.errors import InvalidValue
from tidegate.types import registry
from tidegate.types.registry import codec
from tidegate.types.schema import faults

NOWHERE = BlobFiles(BlobDirectory(Path("unused")))


def told(value: Any) -> Any:
    """Return a value as something that equals no other value."""
    kind = type(value)
    if isinstance(value, dict):
        return kind, {told(key): told(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return kind, [told(item) for item in value]
    if isinstance(value, BaseModel):
        return kind, told(vars(value))
    if is_dataclass(value):
        own = {f.name: getattr(value, f.name) for f in fields(value)} | getattr(
            value, "__dict__", {}
        )
        return kind, told({name: item for name, item in own.items() if name != "__orig_class__"})
    # Two libraries may have an object each for UTC.
    return kind, value.isoformat() if isinstance(value, datetime) else repr(value)


def comes_back(annotation: Any, value: Any) -> None:
    """Check a value on its way through every encoding there is: in the worker, in the store, over HTTP."""
    made = codec(annotation)
    stored = made.encode(value, NOWHERE)
    assert faults(made.schema, stored) == []
    for encoding in (msgspec.msgpack, msgspec.json):
        arrived = encoding.decode(encoding.encode(stored))
        assert told(made.decode(arrived, NOWHERE)) == told(value)
    assert told(made.decode(json.loads(json.dumps(stored)), NOWHERE)) == told(value)


def is_refused(annotation: Any, value: Any, stored: Any, reason: str) -> None:
    """Check that a value is refused where it arises, and what it would be stored as, at the door and where it is read."""
    made = codec(annotation)
    with pytest.raises(InvalidValue, match=reason):
        made.encode(value, NOWHERE)
    assert faults(made.schema, stored)
    with pytest.raises(InvalidValue):
        made.decode(stored, NOWHERE)


def planted(name: str, other: Callable[..., Any], check: Callable[[], object]) -> None:
    """Run a check with another function in the place of one from which codecs are made; it must fail."""
    registry._cached.cache_clear()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(registry, name, other)
            with pytest.raises((AssertionError, InvalidValue, pytest.fail.Exception)):
                check()
    finally:
        registry._cached.cache_clear()
