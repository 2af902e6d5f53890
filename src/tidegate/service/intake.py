"""Checks of incoming values: whether a value matches its schema, and whether the blobs it names are stored."""

from collections.abc import Iterator

from tidegate.errors import Fault, InvalidValue, UnknownBlob
from tidegate.ir.expr import Path, Schema, Value
from tidegate.ports.blobs import Blobs
from tidegate.types import schema as schemas
from tidegate.types.values import BLOB, is_reference
from tidegate.wire import CheckView, FaultDocument


def is_costly(schema: Schema, value: Value) -> bool:
    """Return whether checking a value may take too many steps for an event loop."""
    return isinstance(value, dict | list) and schemas.branches_often(schema)


def unfit(error: InvalidValue) -> CheckView:
    """Return what is wrong with a value that was only checked."""
    faults = [FaultDocument(list(each.path), each.reason) for each in error.faults]
    return CheckView(valid=False, faults=faults or [FaultDocument([], error.message)])


class Intake:
    """Checks values before the machine sees them; `blobs` are those of the store."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def faults(self, schema: Schema, value: Value) -> list[Fault]:
        """Return what is wrong with a value; nothing if it is acceptable."""
        faults = schemas.faults(schema, value)
        if faults or not isinstance(value, dict | list):
            return faults
        return list(self._missing(value, ()))

    def record(self, digest: str) -> str:
        """Return the record of an environment, which must be there. Errors: `InvalidValue`."""
        try:
            if digest:
                self._blobs.size(digest)
        except UnknownBlob as error:
            why = f"is not the environment of a workflow that is registered here: {error.message}"
            raise InvalidValue(f"environment {why}", [Fault(("environment",), why)]) from None
        return digest

    def _missing(self, value: Value, path: Path) -> Iterator[Fault]:
        # The check before this one limits the depth, so recursion is safe.
        if is_reference(value):
            try:
                self._blobs.size(value[BLOB])
            except UnknownBlob as error:
                yield Fault(path, error.message)
        elif isinstance(value, dict):
            for key, item in value.items():
                yield from self._missing(item, (*path, key))
        elif isinstance(value, list):
            for number, item in enumerate(value):
                yield from self._missing(item, (*path, number))
