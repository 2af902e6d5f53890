"""
Values on the command line: parsed by the schema of what they are for.

Rule 1: where text is expected, the argument is the text; everywhere else it is JSON, or what a person would type (yes, 10 minutes).
Rule 2: `@FILE` reads it from a file, `-` or `@-` from standard input; `@@x` is the text `@x`.
"""

import base64
import sys
from pathlib import Path
from typing import Any

from tidegate.cli.render import utc_now
from tidegate.errors import InvalidValue
from tidegate.ir.expr import Schema, Value
from tidegate.types.json_text import read_json
from tidegate.types.schema import faults
from tidegate.types.text import parse
from tidegate.types.values import KIND, FileStore

MAX_ARGUMENT = 64 * 1024 * 1024


class Reader:
    """Reads values; files used as values are stored as blobs."""

    def __init__(self, blobs: FileStore) -> None:
        self.blobs = blobs

    def typed(self, schema: Schema, given: str, what: str) -> Value:
        """Return the value typed for this schema. Errors: `InvalidValue`."""
        return self._parse(schema, _raw(schema, given), what)

    def answer(self, schema: Schema | None, given: str, what: str) -> Value:
        """Return the value of an answer: JSON if that fits, else as typed. None: the schema is not known yet."""
        raw = _raw(schema or {"type": "string"}, given)
        try:
            value = read_json(raw)
        except InvalidValue as error:
            if schema is not None and _is_text(schema):
                return raw
            raise InvalidValue(f"{what}: {error.message}", error.faults) from None
        except ValueError:
            return raw if schema is None else self._parse(schema, raw, what)
        if schema is None or not faults(schema, value):
            return value
        return self._parse(schema, raw, what)

    def at_prompt(self, schema: Schema, raw: str) -> str:
        """Return the value of a line typed at a prompt: itself, or the content of the file that it names. Errors: `InvalidValue`."""
        is_path = schema.get(KIND) in {"file", "directory"}
        return _raw(schema, raw) if raw.startswith("@") and not is_path else raw

    def line(self, schema: Schema, raw: str) -> Value:
        """Return the value of a line of input. Errors: `InvalidValue`."""
        return parse(schema, raw, now=utc_now().astimezone(), blobs=self.blobs)

    def _parse(self, schema: Schema, raw: str, what: str) -> Value:
        try:
            return self.line(schema, raw)
        except InvalidValue as error:
            raise InvalidValue(f"{what}: {error.message}", error.faults) from None


def json_object(given: str, what: str) -> dict[str, Any]:
    """Return a JSON object. Errors: `InvalidValue`."""
    try:
        found = read_json(_read(given))
    except InvalidValue as error:
        raise InvalidValue(f"{what}: {error.message}", error.faults) from None
    except ValueError as error:
        raise InvalidValue(f"{what} must be a JSON object: {error}") from None
    if not isinstance(found, dict):
        raise InvalidValue(f"{what} must be a JSON object of inputs by name")
    return found


def _raw(schema: Schema, given: str) -> str:
    """Return what is given for a value of this schema; for bytes, the named file is the value, not its text."""
    if schema.get(KIND) == "bytes" and given.startswith("@"):
        return base64.b64encode(_content(Path(given[1:]))).decode()
    return _read(given, literal=_is_text(schema))


def _read(given: str, *, literal: bool = False) -> str:
    """Return an argument, or the content of the file that it names; if `literal`, a name without a file stands for itself."""
    if given in ("-", "@-"):
        return sys.stdin.read(MAX_ARGUMENT)
    if given.startswith("@@"):
        return given[1:]
    if not given.startswith("@"):
        return given
    path = Path(given[1:])
    if literal and not path.is_file():
        return given
    try:
        return _content(path).decode()
    except UnicodeDecodeError as error:
        raise InvalidValue(f"{path}: cannot be read: {error}") from None


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidValue(f"{path}: cannot be read: {error.strerror}") from None


def _is_text(schema: Schema) -> bool:
    return schema.get("type") == "string" and not schema.keys() & {"format", "enum"}
