"""What comes in from outside: whether a value fits its schema, and whether the blobs it speaks of are there."""

from collections.abc import Iterator
from pathlib import Path

from tidegate.blobs import BlobDirectory
from tidegate.errors import Fault, UnknownBlob
from tidegate.ir.expr import Path as Place
from tidegate.ir.expr import Schema, Value
from tidegate.types import schema as schemas
from tidegate.types.values import BLOB, is_reference


class Intake:
    """Checks values for the store in `home`, before the machine sees them."""

    def __init__(self, home: Path) -> None:
        self._blobs = BlobDirectory(home / "blobs")

    def faults(self, schema: Schema, value: Value) -> list[Fault]:
        """Return what is wrong with a value; nothing if it can be taken."""
        return schemas.faults(schema, value) or list(self._missing(value, ()))

    def _missing(self, value: Value, place: Place) -> Iterator[Fault]:
        # How deep a value may be is part of the check before, so this may recurse.
        if is_reference(value):
            try:
                self._blobs.path(value[BLOB])
            except UnknownBlob as error:
                yield Fault(place, error.message)
        elif isinstance(value, dict):
            for key, item in value.items():
                yield from self._missing(item, (*place, key))
        elif isinstance(value, list):
            for number, item in enumerate(value):
                yield from self._missing(item, (*place, number))
