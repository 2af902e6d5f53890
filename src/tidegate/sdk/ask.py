"""
Asking a person at a terminal: the question of one gate, put and read line by line.

An answer that does not fit is asked for again. An approval has no default: Enter means nothing, for it is too easily pressed.
"""

from collections.abc import Callable
from datetime import datetime

from msgspec import UNSET, Struct, UnsetType

from tidegate.errors import InvalidValue, NoAnswer
from tidegate.ir.expr import Schema, Value
from tidegate.sdk.exhibit import exhibit
from tidegate.types.schema import describe
from tidegate.types.text import parse, show
from tidegate.types.values import FileStore


class Query(Struct, frozen=True, kw_only=True):
    """
    The question of a gate. `kind` is input or approve.

    `value` is what is to be approved, `value_schema` its type; `suggested` is taken for an empty line. Each is UNSET if there is none, for null is a value.
    `until` says in words when the question times out; `whole` where all of a value is that is too long to be shown.
    """

    name: str
    kind: str
    schema: Schema
    prompt: str = ""
    show: dict[str, Value] = {}
    value: Value | UnsetType = UNSET
    value_schema: Schema = {}
    suggested: Value | UnsetType = UNSET
    until: str = ""
    whole: str = ""


Read = Callable[[], str]
"""Returns the next line without its end. Raises EOFError when there is none, InvalidValue when it cannot be taken."""

Write = Callable[[str], object]

LONGEST_TYPED = 4_095
"""Bytes of the longest line that the system takes from a terminal; of a longer one it silently drops the rest."""


def ask(
    query: Query,
    read: Read,
    write: Write,
    *,
    now: datetime | None = None,
    blobs: FileStore | None = None,
) -> Value:
    """
    Put a question until its answer fits; return the stored value, for an approval true or false.

    `now` is what people mean by "now" and "today"; `blobs` is where a file that they name goes. Raises NoAnswer when nothing more can be read.
    """
    write("\n".join(opening(query)) + "\n")
    while True:
        write(_invitation(query))
        try:
            return _answer(query, read(), now, blobs)
        except EOFError:
            write("\n")
            raise NoAnswer(
                f"gate {query.name!r} waits for {expected(query)}, and standard input has ended; "
                f"give its answer beforehand (answers={{{query.name!r}: ...}}, or --answer), or run it at a terminal",
                gate=query.name,
            ) from None
        except InvalidValue as error:
            write(f"  {error.message}\n")


def expected(query: Query) -> str:
    """Say in words what the answer must be."""
    return "yes or no" if query.kind == "approve" else describe(query.schema)


def opening(query: Query) -> list[str]:
    """Return the question as lines: what is asked, the prompt, the values beside it, and what is to be approved."""
    verb = "Approve" if query.kind == "approve" else "Answer"
    until = f"; {query.until}" if query.until else ""
    lines = [f"{verb} {query.name!r}: {expected(query)}{until}"]
    if query.prompt:
        lines += _indented(query.prompt)
    for name, value in query.show.items():
        lines += _titled(query, name, value, {})
    if query.value is not UNSET:
        lines += _titled(query, "value", query.value, query.value_schema)
    if query.suggested is not UNSET:
        lines += _titled(query, "suggested (Enter takes it)", query.suggested, query.schema)
    return lines


def _titled(query: Query, name: str, value: Value, schema: Schema) -> list[str]:
    lines = exhibit(schema, value, query.whole)
    if len(lines) == 1:
        return [f"  {name}: {lines[0]}"]
    return [f"  {name}:", *(f"    {line}" for line in lines)]


def _indented(text: str) -> list[str]:
    return [f"  {line}" for line in text.splitlines()]


def _invitation(query: Query) -> str:
    return "approve, yes or no? " if query.kind == "approve" else "> "


def then(on_timeout: Value | UnsetType, *, approval: bool) -> str:
    """Say what happens to a question when its time is over. UNSET: there is no answer for that case."""
    if on_timeout is UNSET:
        return "then it fails"
    if approval:
        return "then it is approved" if on_timeout else "then it is rejected"
    return f"then {_briefly(on_timeout)} is taken"


def _briefly(value: Value) -> str:
    words = " ".join(show({}, value).split()) or '""'
    return words if len(words) <= 40 else f"{words[:39]}…"


def _answer(query: Query, line: str, now: datetime | None, blobs: FileStore | None) -> Value:
    if query.kind == "approve":
        if not line.strip():
            raise InvalidValue("an approval has no default: type yes or no")
        return parse({"type": "boolean"}, line.strip())
    if not line.strip():
        if query.suggested is not UNSET:
            return query.suggested
        if query.schema.get("type") == "string":
            raise InvalidValue('an empty line is no answer: type "" for an empty text')
    if line.strip() == '""' and query.schema.get("type") == "string":
        line = ""
    return parse(query.schema, line, now=now, blobs=blobs)
