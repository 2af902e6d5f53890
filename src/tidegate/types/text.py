"""
Values as people type and read them at a terminal.

Input is parsed by the schema: text is taken unchanged, a bool is `yes` or `no`, a duration `90`, `10 minutes`
or `PT1H30M`, a list or an object is JSON (a list also without its brackets). Output can be typed again, as far as that makes sense.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from math import isfinite
from typing import Any, Final, TypeAlias

import msgspec

from tidegate.errors import InvalidValue
from tidegate.ir.expr import Schema, Value
from tidegate.types import formats, zones
from tidegate.types.builtin import INT_MAX, INT_MIN
from tidegate.types.form import inside, invalid, wrong
from tidegate.types.json_text import read_json
from tidegate.types.marks import escaped, marked
from tidegate.types.refs import resolve
from tidegate.types.schema import faults
from tidegate.types.values import BLOB, FLOAT, KIND, URI, Directory, File, FileStore, is_blob, keep
from tidegate.types.words import alternatives, describe, example, spell

_YES: Final = frozenset({"yes", "y", "true", "t", "on", "1"})
_NO: Final = frozenset({"no", "n", "false", "f", "off", "0"})
_PLAIN: Final = frozenset({"yes", "no", "true", "false"})
"""Values that mean a bool where other types are possible, too: there `1` is a number, and `on` may be a text."""
_NOTHING: Final = frozenset({"", "null", "none"})
# The same as in the form of the page (`ui/src/form/scalars.tsx`): Python's own parser accepts `1_000` and Arabic digits, JavaScript's
# `0x10`.
_WHOLE: Final = r"[+-]?[0-9]+"
_NUMBER: Final = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
_LONGEST: Final = 400
"""Characters of the longest number: a double written out has at most 327 before or after its point, and Python refuses to read many thousands."""
_WIDTH: Final = 70
"""A list or object that fits on a line of this length is shown on one."""

_UNITS: Final = {
    "us": "microseconds", "microsecond": "microseconds",
    "ms": "milliseconds", "millisecond": "milliseconds",
    "s": "seconds", "sec": "seconds", "second": "seconds",
    "m": "minutes", "min": "minutes", "minute": "minutes",
    "h": "hours", "hr": "hours", "hour": "hours",
    "d": "days", "day": "days",
    "w": "weeks", "week": "weeks",
}  # fmt: skip
# Patterns are compiled when they are first used, because importing the package must stay light.
_AMOUNT: Final = r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*(?:,|and\b)?"


class _Reader(msgspec.Struct, frozen=True):
    """How one text is parsed: by which schema, at which instant, and where files are stored."""

    root: Schema
    now: datetime | None
    blobs: FileStore | None


def parse(
    schema: Schema, text: str, *, now: datetime | None = None, blobs: FileStore | None = None
) -> Value:
    """
    Return the stored value that a person typed.

    `now` is the instant meant by `now` and `today`; without it these words are not understood.
    `blobs` is where the content of a typed path is stored, if a file or a directory is expected.
    Raises `InvalidValue`, which says what is expected.
    """
    value = _read(schema, text, _Reader(schema, now, blobs))
    found = faults(schema, value)
    if found:
        raise invalid(found)
    return value


def _read(part: Any, text: str, reader: _Reader) -> Value:
    schema = resolve(part, reader.root)
    if schema.get(KIND) in {"file", "directory"}:
        return _path(schema, text, reader)
    if schema.get(KIND) == "bytes" and not text.lstrip().startswith("{"):
        return text.strip()
    if "enum" in schema:
        return _choice(schema, text)
    choices = alternatives(schema)
    if choices:
        return _union(choices, text, reader)
    kind = schema.get("type")
    if kind == "string":
        return _string(schema, text, reader)
    scalar = _SCALARS.get(kind) if isinstance(kind, str) else None
    return scalar(text.strip()) if scalar else _json(schema, text, reader)


def _expected(schema: Schema, text: str) -> InvalidValue:
    return wrong(f"expected {describe(schema)}, got {text!r}")


def _bool(text: str) -> Value:
    word = text.lower()
    if word in _YES or word in _NO:
        return word in _YES
    raise _expected({"type": "boolean"}, text)


def _int(text: str) -> Value:
    digits = text.replace("\u2212", "-")  # the typographic minus sign, as copied from books
    if len(digits) > _LONGEST or not re.fullmatch(_WHOLE, digits):
        raise _expected({"type": "integer"}, text)
    return int(digits)


def _float(text: str) -> Value:
    digits = text.replace("\u2212", "-")
    if len(digits) > _LONGEST or not re.fullmatch(_NUMBER, digits):
        raise _expected({"type": "number"}, text)
    if re.fullmatch(_WHOLE, digits) and not INT_MIN <= int(digits) <= INT_MAX:
        # As JSON it would be an integer, too, and no door accepts one that loses digits.
        return int(digits)
    value = float(digits)
    if not isfinite(value):
        raise _expected({"type": "number"}, text)
    return value


def _null(text: str) -> Value:
    if text.lower() in _NOTHING:
        return None
    raise _expected({"type": "null"}, text)


_SCALARS: Final[dict[str, Callable[[str], Value]]] = {
    "boolean": _bool,
    "integer": _int,
    "number": _float,
    "null": _null,
}
_SHORT: Final = frozenset({*_SCALARS, "string"})


def _string(schema: Schema, text: str, reader: _Reader) -> Value:
    match schema.get("format"):
        case formats.DATE:
            return _date(schema, text.strip(), reader)
        case formats.INSTANT | formats.LOOSE_INSTANT as name:
            return _written_instant(schema, text.strip(), reader, name)
        case formats.DURATION | formats.LOOSE_DURATION:
            return formats.write_duration(read_duration(text))
        case formats.TIME | formats.DECIMAL | formats.UUID_TEXT | formats.BASE64:
            return text.strip()
        case _:
            return text


def _date(schema: Schema, text: str, reader: _Reader) -> Value:
    if text.lower() in {"today", "now"} and reader.now is not None:
        return formats.write_date(reader.now.date())
    try:
        return formats.write_date(formats.read_date(text))
    except ValueError:
        raise _expected(schema, text) from None


def _written_instant(schema: Schema, text: str, reader: _Reader, name: str) -> Value:
    value = _instant(schema, text, reader)
    if value.tzinfo is None and name == formats.INSTANT:
        value = value.replace(tzinfo=UTC)  # as that format must say an offset
    return zones.write_datetime(value)


def _instant(schema: Schema, text: str, reader: _Reader) -> datetime:
    word = text.lower()
    if word == "now" and reader.now is not None:
        return reader.now
    if word == "today" and reader.now is not None:
        return datetime.combine(reader.now.date(), time(0), reader.now.tzinfo)
    try:
        return zones.read_datetime(text)
    except ValueError:
        pass
    try:
        return datetime.combine(formats.read_date(text), time(0))
    except ValueError:
        raise _expected(schema, text) from None


def read_duration(text: str) -> timedelta:
    """Read a duration: `90` (seconds), `10 minutes`, `1h30m`, `1 day and 2 hours`, `1:30:00`, `PT1H30M`."""
    word = text.strip().lower()
    try:
        return formats.read_duration(word.upper())
    except ValueError:
        pass
    sign = -1 if word.startswith("-") else 1
    try:
        return sign * _words(word.lstrip("+-").strip())
    except (ValueError, OverflowError):
        raise wrong(
            f"expected a duration such as 90 (seconds), 10 minutes, 1h30m or PT1H30M, got {text!r}"
        ) from None


def _words(text: str) -> timedelta:
    if len(text) > 200:
        raise ValueError(text[:20])
    if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
        return timedelta(seconds=float(text))
    clock = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", text, re.ASCII)
    if clock:
        return timedelta(hours=int(clock[1]), minutes=int(clock[2]), seconds=float(clock[3]))
    total, at, amount = timedelta(0), 0, re.compile(_AMOUNT, re.ASCII)
    while at < len(text):
        found = amount.match(text, at)
        unit = found and (_UNITS.get(found[2]) or _UNITS.get(found[2].removesuffix("s")))
        if not found or not unit:
            raise ValueError(text)
        total += timedelta(**{unit: float(found[1])})
        at = found.end()
    if not at:
        raise ValueError(text)
    return total


def _choice(schema: Schema, text: str) -> Value:
    """Read a member of an enum: by its value, by its name, or by either without regard to case."""
    values = schema["enum"]
    names = schema.get("x-names", [])
    spelled = [spell(v) for v in values]
    for options in (spelled, names):
        for wanted, seen in ((text, options), (text.strip().lower(), [o.lower() for o in options])):
            if seen.count(wanted) == 1:
                return values[seen.index(wanted)]
    raise _expected(schema, text)


def _union(choices: list[Any], text: str, reader: _Reader) -> Value:
    """Parse input for one member; null and plain text come last, because text accepts everything."""
    seen = [resolve(c, reader.root) for c in choices]
    if any(s.get("type") == "null" for s in seen) and text.strip().lower() in _NOTHING:
        return None
    plain = [s for s in seen if s.get("type") == "string" and not s.keys() & {"format", "enum"}]
    if plain and text[:1] == text[-1:] == '"' and len(text) > 1:
        return _json({"type": "string"}, text, reader)
    reasons = []
    others = [s for s in seen if s not in plain and s.get("type") != "null"]
    # An integer is one, wherever it is in the union.
    others.sort(key=lambda s: s.get("type") != "integer")
    for schema in others + plain:
        if schema.get("type") == "boolean" and text.strip().lower() not in _PLAIN:
            reasons.append(_expected(schema, text))
            continue
        try:
            value = _read(schema, text, reader)
        except InvalidValue as e:
            reasons.append(e)
            continue
        if not faults({**schema, "$defs": reader.root.get("$defs", {})}, value):
            return value
    if len(reasons) == 1:
        raise reasons[0]
    raise _expected({"anyOf": choices, "$defs": reader.root.get("$defs", {})}, text)


def _json(schema: Schema, text: str, reader: _Reader) -> Value:
    if schema.get("type") == "array" and text.strip() and text.lstrip()[0] not in "[{":
        if _is_typed_by_item(schema, reader.root):
            try:
                return _items(schema, text, reader)
            except InvalidValue:
                if "," in text:
                    raise
        with suppress(ValueError):
            return read_json(f"[{text}]")
    try:
        return read_json(text)
    except ValueError as e:
        if not schema.get("type"):
            return text  # any value is accepted: what is not JSON is text
        whole = {**schema, "$defs": reader.root.get("$defs", {})}
        like = _written(example(whole), indent=0)
        raise wrong(f"expected {describe(whole)}, as JSON like {like}: {e}") from None


def _is_typed_by_item(schema: Schema, root: Schema) -> bool:
    """Whether the items of a list can be typed with commas between them: each is a scalar, and none contains a comma."""
    return all(_is_short(part, root) for part in schema.get("prefixItems", [schema.get("items")]))


def _is_short(part: Any, root: Schema) -> bool:
    schema = resolve({} if part is None else part, root)
    choices = alternatives(schema)
    if choices:
        return all(_is_short(each, root) for each in choices)
    if "enum" in schema:
        return not any(
            "," in each for each in (*map(spell, schema["enum"]), *schema.get("x-names", ()))
        )
    is_text = schema.get("type") == "string" and "format" not in schema
    return schema.get(KIND) is None and not is_text and schema.get("type") in _SHORT


def _items(schema: Schema, text: str, reader: _Reader) -> Value:
    """Parse a list that was typed without its brackets."""
    words = text.split(",")
    parts = schema.get("prefixItems") or [schema["items"]] * len(words)
    if len(parts) != len(words):
        raise _expected({**schema, "$defs": reader.root.get("$defs", {})}, text)
    made = []
    for n, (part, word) in enumerate(zip(parts, words, strict=True)):
        try:
            made.append(_read(part, word.strip(), reader))
        except InvalidValue as error:
            raise inside(n, error) from None
    return made


def _path(schema: Schema, text: str, reader: _Reader) -> Value:
    if text.lstrip().startswith("{"):
        return _json({"type": "object"}, text, reader)
    if reader.blobs is None:
        raise wrong(f"{describe(schema)} cannot be given as text here: give the value of a blob")
    kind = File if schema[KIND] == "file" else Directory
    return keep(kind(text), reader.blobs)


Files: TypeAlias = Mapping[str, tuple[int, str]]
"""What is known of blobs, by digest: their size and media type."""


def show(schema: Schema, value: Value, files: Files | None = None) -> str:
    """
    Return a value as it is shown on a terminal.

    Invisible characters are marks in a text, and escapes in JSON. A blob is shown by its digest, and whatever else its value says.
    """
    if isinstance(value, str):
        return marked(value)
    if isinstance(value, bool) or value is None:
        # Where any value is accepted, yes is a text.
        return spell(value) if schema else _written(value, indent=0)
    shown = _readable(value, files)
    if not isinstance(shown, dict | list):
        return marked(shown) if isinstance(shown, str) else _written(shown, indent=0)
    line = _written(shown, indent=0)
    if len(line) > _WIDTH:
        line = _written(shown, indent=2)
    return escaped(line)


def _written(value: Value, *, indent: int) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=indent).decode()


def _readable(value: Value, files: Files | None) -> Any:
    """Return a value with blobs and special floats in words."""
    if isinstance(value, list):
        return [_readable(item, files) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {FLOAT} and value[FLOAT] in _FLOATS:
        return value[FLOAT]
    if is_blob(value):
        return _blob_words(value, files)
    return {key: _readable(item, files) for key, item in value.items()}


_FLOATS: Final = frozenset({"nan", "inf", "-inf"})


def _blob_words(value: dict[str, Any], files: Files | None) -> str:
    """Describe a blob: as it was found, if it was inspected; else in the words of its author."""
    if URI in value:
        return f"<{value[URI]}>"
    called = [str(value[each]) for each in ("name", "about") if value.get(each)]
    if files is None:
        size = [f"{value['size']:,} bytes"] if "size" in value else []
        return f"<{', '.join([*(called or [value.get('media') or 'blob']), *size])}>"
    found = files.get(value[BLOB])
    what = ["not inspected"] if found is None else [f"{found[0]:,} bytes", found[1]]
    return f"<{', '.join([*called, *what, f'sha256 {value[BLOB]}'])}>"
