"""
The forms of Python's own scalars: numbers, text, dates, enums, literals and bytes.

A float that JSON cannot represent (NaN, the infinities) is stored as `{"$float": "nan"}`; no answer can be one.
An int must fit into 64 bits. A text must be valid Unicode.
"""

import enum
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from types import NoneType
from typing import Any, Final
from uuid import UUID

from msgspec import structs

from tidegate.errors import InvalidValue
from tidegate.ir.expr import Schema, Value
from tidegate.types import formats, zones
from tidegate.types.form import (
    Decode,
    Encode,
    Form,
    changed,
    misfit,
    name_of,
    one,
    unsupported,
    wrong,
)
from tidegate.types.values import (
    BLOB,
    FLOAT,
    KIND,
    FileStore,
    blob_schema,
    is_reference,
    reference,
)
from tidegate.types.words import options

INT_MIN: Final = -(2**63)
INT_MAX: Final = 2**64 - 1
JSON_TYPE: Final[dict[type, str]] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    NoneType: "null",
}
BYTES_INLINE: Final = 16 * 1024
"""Longest bytes stored inline; longer ones become a blob."""


def native(value: Any) -> Any:
    """Return a number or a bool of numpy as Python's own, and everything else unchanged: a `datetime64` is not a number."""
    if type(value).__module__ == "numpy" and value.dtype.kind in "biuf" and not value.ndim:
        return value.item()
    return value


def write_int(value: Any, _blobs: FileStore) -> Value:
    """Encode an int of up to 64 bits."""
    if type(value) is not int:
        value = native(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise misfit("a whole number", value)
        if type(value) is not int:
            raise changed(value, "int")
    if INT_MIN <= value <= INT_MAX:
        return value
    raise wrong(f"{name_of(value)} needs more than 64 bits: declare it as str or Decimal")


def _read_int(value: Value, _blobs: FileStore) -> Any:
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    raise misfit("a whole number", value)


def _float(value: Any, _blobs: FileStore) -> Value:
    if type(value) is not float:
        value = _widened(native(value))
    return value if isfinite(value) else {FLOAT: repr(value)}


def _widened(value: Any) -> float:
    """Return a number as a float of the same value: an int is accepted if it converts exactly."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise misfit("a number", value)
    if type(value) not in {int, float}:
        raise changed(value, "int" if isinstance(value, int) else "float")
    try:
        made = float(value)
    except OverflowError:
        raise wrong(f"{name_of(value)} is too large for a float") from None
    if made != value and made == made:  # noqa: PLR0124  NaN
        raise wrong(f"{name_of(value)} would be read back as {made!r}: declare int or Decimal")
    return made


def read_float(value: Value, _blobs: FileStore) -> Any:
    """Decode a float, also one that JSON has no number for."""
    if type(value) is float:
        return value
    if type(value) is int:
        return float(value)
    if type(value) is dict and value.keys() == {FLOAT}:
        return _read_strange(value)
    raise misfit("a number", value)


def _read_strange(value: Value) -> float:
    if value[FLOAT] not in ("nan", "inf", "-inf"):
        raise misfit("nan, inf or -inf", value[FLOAT])
    return float(value[FLOAT])


def _bool(value: Any, _blobs: FileStore) -> Value:
    if value is True or value is False:
        return value
    value = native(value)
    if isinstance(value, bool):
        return value
    raise misfit("true or false", value)


def _none(value: Any, _blobs: FileStore) -> Value:
    if value is None:
        return None
    raise misfit("nothing (null)", value)


def _str(value: Any, _blobs: FileStore) -> Value:
    if type(value) is not str:
        raise changed(value, "str") if isinstance(value, str) else misfit("text", value)
    return value if value.isascii() else unicode(value)


def _read_str(value: Value, _blobs: FileStore) -> Any:
    if type(value) is str:
        return value
    raise misfit("text", value)


def unicode(value: str) -> str:
    """Return a text that is valid Unicode; a lone surrogate is refused."""
    try:
        value.encode()
    except UnicodeEncodeError as e:
        raise wrong(
            f"the text is not valid Unicode (a lone surrogate at position {e.start}): "
            "store it as bytes"
        ) from None
    return value


def _text_form(
    cls: type, name: str, write: Callable[[Any], str], read: Callable[[str], Any], what: str
) -> Form:
    def encode(value: Any, _blobs: FileStore) -> Value:
        if type(value) is not cls:
            raise _another(value, cls, what)
        try:
            return write(value)
        except (ValueError, OverflowError) as e:
            raise wrong(f"{value!r} cannot be stored: {e}") from None

    def decode(value: Value, _blobs: FileStore) -> Any:
        if type(value) is not str:
            raise misfit(what, value)
        try:
            return read(value)
        except (ValueError, OverflowError):
            raise misfit(what, value) from None

    schema = {"type": "string", "format": name}
    return Form(schema=schema, encode=encode, decode=decode, takes=(cls,), gives=frozenset({str}))


def _another(value: Any, cls: type, what: str) -> InvalidValue:
    """Make the error for a value that is not of this class, but perhaps of a subclass."""
    if not isinstance(value, cls) or (cls is date and isinstance(value, datetime)):
        return misfit(what, value)
    from_pandas = {datetime: "to_pydatetime", timedelta: "to_pytimedelta"}.get(cls, "")
    way = f"use .{from_pandas}()" if from_pandas and hasattr(value, from_pandas) else ""
    return changed(value, cls.__name__, way)


def _bytes(value: Any, blobs: FileStore) -> Value:
    if type(value) is not bytes:
        alike = isinstance(value, bytes | bytearray | memoryview)
        raise changed(value, "bytes") if alike else misfit("bytes", value)
    if len(value) <= BYTES_INLINE:
        return formats.write_base64(value)
    return reference(blobs.put(value), size=len(value), media="application/octet-stream")


def _read_bytes(value: Value, blobs: FileStore) -> Any:
    if is_reference(value):
        return blobs.get(value[BLOB])
    if type(value) is str and formats.fits(formats.BASE64, value):
        return formats.read_base64(value)
    raise misfit("bytes, as base64", value)


def enum_form(cls: type[enum.Enum]) -> Form:
    """Build the form of an enum: its members are stored by value."""
    members = list(cls)
    if not members or issubclass(cls, enum.Flag):
        raise unsupported(cls, "use an Enum with members, or int for flags")
    values = [_bare(m.value) for m in members]
    strange = [
        m
        for m, v in zip(members, values, strict=True)
        if type(v) not in JSON_TYPE or (type(v) is float and not isfinite(v))
    ]
    if strange:
        raise unsupported(cls, f"the value of {strange[0]!s} must be text, a number or a bool")
    form = _choice(members, values, one(cls.__name__))
    schema = form.schema | {"title": cls.__name__}
    if [m.name for m in members] != values:
        schema["x-names"] = [m.name for m in members]
    return structs.replace(form, schema=schema, takes=(cls,))


def literal_form(members: tuple[Any, ...]) -> Form:
    """Build the form of a Literal; members of enums are stored by value."""
    values = [_bare(m.value) if isinstance(m, enum.Enum) else m for m in members]
    strange = [v for v in values if type(v) not in JSON_TYPE]
    if strange:
        raise unsupported(
            f"Literal[{strange[0]!r}]", "use text, whole numbers, bools or None in it"
        )
    if len({(type(v), v) for v in values}) < len(values):
        raise unsupported(
            f"Literal{list(members)!r}", "two of its members are stored in the same way"
        )
    return _choice(members, values, options(values))


def _choice(members: Sequence[Any], values: list[Value], what: str) -> Form:
    """Build the form of a choice among members, each stored as the value at the same position."""
    meant = {(type(v), v): (m,) for m, v in zip(members, values, strict=True)}

    def encode(value: Any, _blobs: FileStore) -> Value:
        for member, stored in zip(members, values, strict=True):
            if type(member) is type(value) and member == value:
                return stored
        raise misfit(what, value)

    def decode(value: Value, _blobs: FileStore) -> Any:
        found = _lookup(meant, value)
        if found is None:
            raise misfit(options(values), value)
        return found[0]

    kinds = {JSON_TYPE[type(v)] for v in values}
    typed: Schema = {"type": kinds.pop()} if len(kinds) == 1 else {}
    gives = frozenset(type(v) for v in values)
    return Form(schema=typed | {"enum": values}, encode=encode, decode=decode, gives=gives, rank=-1)


def _bare(value: Any) -> Any:
    """Return a str, int or float of a subclass as the plain one."""
    for kind in (bool, str, int, float):
        if isinstance(value, kind):
            return value if type(value) is kind else kind(value)
    return value


def _lookup(table: dict[tuple[type, Any], Any], value: Value) -> Any:
    if not isinstance(value, str | int | float | NoneType):
        return None
    found = table.get((type(value), value))
    if found is None and type(value) is float and value.is_integer():
        return table.get((int, int(value)))
    if found is None and type(value) is int:
        return table.get((float, float(value)))
    return found


def _scalar(cls: type, kind: str, encode: Encode, decode: Decode, rank: int = 0) -> Form:
    gives = frozenset({cls})
    schema = {"type": kind}
    return Form(schema=schema, encode=encode, decode=decode, takes=(cls,), gives=gives, rank=rank)


SCALARS: Final[dict[Any, Form]] = {
    int: _scalar(int, "integer", write_int, _read_int),
    float: structs.replace(
        _scalar(float, "number", _float, read_float), gives=frozenset({float, dict})
    ),
    bool: _scalar(bool, "boolean", _bool, _bool),
    NoneType: _scalar(NoneType, "null", _none, _none),
    str: _scalar(str, "string", _str, _read_str, rank=2),
    bytes: Form(
        schema={
            "title": "bytes",
            KIND: "bytes",
            "anyOf": [
                {"type": "string", "format": formats.BASE64, "contentEncoding": "base64"},
                blob_schema("bytes", "bytes"),
            ],
        },
        encode=_bytes,
        decode=_read_bytes,
        takes=(bytes,),
        gives=frozenset({str, dict}),
        rank=1,
    ),
    date: _text_form(date, formats.DATE, formats.write_date, formats.read_date, "a date"),
    datetime: _text_form(
        datetime,
        formats.LOOSE_INSTANT,
        zones.write_datetime,
        zones.read_datetime,
        "a date and time",
    ),
    time: _text_form(time, formats.TIME, zones.write_time, zones.read_time, "a time of day"),
    timedelta: _text_form(
        timedelta, formats.DURATION, formats.write_duration, formats.read_duration, "a duration"
    ),
    Decimal: _text_form(Decimal, formats.DECIMAL, str, formats.read_decimal, "an exact number"),
    UUID: _text_form(UUID, formats.UUID_TEXT, str, formats.read_uuid, "a UUID"),
}
"""The types that have a form without arguments. The schemas are copied before they are returned."""
