"""Which value a pointer names, and as what kind of table it is read: by what the server finds in a file, not only by what is said of it."""

from collections.abc import Iterator, Mapping
from functools import partial
from hashlib import sha256
from typing import Any, Final

import msgspec

from tidegate.blobs.media import LOOKED, media_of
from tidegate.errors import Fault, InvalidValue, NotATable
from tidegate.ir.expr import Value
from tidegate.ports.blobs import Blobs
from tidegate.ports.tables import Form, TableSource
from tidegate.types.values import BLOB, is_reference
from tidegate.wire import NodeView

FORMS: Final[Mapping[str, Form]] = {
    "application/vnd.apache.parquet": "parquet",
    "application/vnd.numpy.npy": "npy",
    "application/vnd.apache.arrow.file": "arrow",
}
TEXT: Final[Mapping[str, Form]] = {"text/csv": "csv", "text/tab-separated-values": "tsv"}
ENDINGS: Final[Mapping[str, Form]] = {"csv": "csv", "tsv": "tsv", "tab": "tsv"}

_encode = msgspec.json.Encoder().encode


def value_at(view: NodeView, pointer: str) -> Value:
    """
    Return a value of a node by a JSON pointer: `/inputs/NAME...`, where `show.NAME` is what a gate shows, or `/outputs/NAME...`.

    Errors: `InvalidValue` if there is none.
    """
    steps = [each.replace("~1", "/").replace("~0", "~") for each in pointer.split("/")[1:]]
    if len(steps) < 2 or not pointer.startswith("/"):
        raise _nothing(pointer, "name a value, as in /inputs/value or /outputs/o0")
    of: dict[str, Any] = {"inputs": view.inputs, "outputs": view.outputs or {}}
    name = steps[1]
    if steps[0] == "inputs" and name not in view.inputs:
        name = name.removeprefix("show.")
    found: Value = of
    for step in (steps[0], name, *steps[2:]):
        if isinstance(found, dict) and step in found:
            found = found[step]
        elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        else:
            raise _nothing(pointer, f"there is no {step[:80]!r}")
    return found


def source_of(value: Value, blobs: Blobs) -> TableSource:
    """Return a value as the source of a table. Errors: `NotATable`; those of the blobs."""
    if isinstance(value, dict) and is_reference(value):
        return _of_file(value, blobs)
    if not isinstance(value, dict | list):
        raise NotATable("this value is not a table")
    body = _encode(value)
    return TableSource(sha256(body).hexdigest(), "records", len(body), partial(iter, [body]))


def _of_file(value: Mapping[str, Any], blobs: Blobs) -> TableSource:
    digest = str(value[BLOB])
    size = blobs.size(digest)
    found = media_of(blobs.beginning(digest, LOOKED))
    form = FORMS.get(found)
    if form is None and found == "text/plain":
        ending = str(value.get("name", "")).rpartition(".")[2].lower()
        form = TEXT.get(str(value.get("media", "")), ENDINGS.get(ending))
    if form is None:
        raise NotATable(
            f"a file of {found} is not a table: text with separators, Parquet, Arrow and NumPy arrays are"
        )
    return TableSource(digest, form, size, partial(_pieces, blobs, digest))


def _pieces(blobs: Blobs, digest: str) -> Iterator[bytes]:
    yield from blobs.read(digest)


def _nothing(pointer: str, why: str) -> InvalidValue:
    return InvalidValue(f"at {pointer[:80]!r}: {why}", [Fault(("at",), why)])
