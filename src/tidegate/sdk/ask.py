"""
Asking a person at a terminal: shows the question of one gate, and reads its answer line by line.

An invalid answer is asked for again. An approval has no default: Enter does nothing, because it is too easily pressed.
Values too large for the screen are shown in part, saying how much is left out; `?all` shows everything.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from msgspec import UNSET, Struct, UnsetType

from tidegate.errors import InvalidValue, NoAnswer
from tidegate.ir.expr import Schema, Value
from tidegate.sdk.exhibit import ALL, SCREEN, Extent, exhibit
from tidegate.sdk.fields import HINT, Line, Parse, compose, is_composite, named, offer
from tidegate.sdk.markdown import rendered
from tidegate.types.marks import marked
from tidegate.types.schema import describe, faults
from tidegate.types.text import Files, parse, show
from tidegate.types.values import FileStore


class Query(Struct, frozen=True, kw_only=True):
    """
    The question of a gate. `kind` is input or approve.

    `title` and `figures` are what lists show of it. `value` is the value to approve, `value_schema` its type; `suggested` is taken for an empty line. Each is UNSET if there is none, because null is a value.
    `until` says in words when the question times out; `whole` says where a shortened value can be seen in full, if nobody can be asked back.
    `files` is what was found of the blobs in the values. `columns` is the width of the terminal for which the prompt is rendered; with 0 it is
    shown as written. `by_field`: an answer with fields is asked for one field at a time.
    """

    name: str
    kind: str
    schema: Schema
    title: str = ""
    figures: dict[str, Value] = {}
    prompt: str = ""
    show: dict[str, Value] = {}
    value: Value | UnsetType = UNSET
    value_schema: Schema = {}
    suggested: Value | UnsetType = UNSET
    until: str = ""
    whole: str = ""
    files: Files | None = None
    columns: int = 0
    by_field: bool = False


Read = Callable[[], str]
"""Returns the next line without its end. Raises EOFError at the end of input, InvalidValue for a line that cannot be accepted."""

Meant = Callable[[Schema, str], str]
"""Returns what a line stands for, where a value of a schema is asked for: itself, or the content of a file. Raises InvalidValue."""

Write = Callable[[str], object]

SEE_ALL = "?all"
"""Shows everything that was left out. Where nothing was, these four characters are an answer like any other."""

LONGEST_TYPED = 4_095
"""Bytes of the longest line that the system accepts from a terminal; it silently drops the rest of a longer one."""


def ask(
    query: Query,
    read: Read,
    write: Write,
    *,
    now: datetime | None = None,
    blobs: FileStore | None = None,
    meant: Meant = lambda _, line: line,
) -> Value:
    """
    Ask until the answer is valid; return the stored value, for an approval true or false.

    `now` is what people mean by "now" and "today"; `blobs` is where a file that they name is stored; `meant` returns what a line stands for.
    Raises NoAnswer at the end of input.
    """
    lines, cut = _opened(query, SCREEN, f"{SEE_ALL} shows everything")
    by_field = _has_fields(query)
    write("\n".join([*lines, *([f"  {HINT}"] if by_field else [])]) + "\n")

    def next_line(invitation: str, schema: Schema) -> str:
        while True:
            write(invitation)
            line = read()
            if not cut or line.strip() != SEE_ALL:
                return meant(schema, line)
            write("\n".join(_opened(query, ALL, "")[0]) + "\n")

    def typed(schema: Schema, line: str) -> Value:
        return parse(schema, line, now=now, blobs=blobs)

    def complain(words: str) -> None:
        write(f"  {marked(words)}\n")

    try:
        if by_field:
            return _composed(
                query, lambda part: next_line(offer(part), part.schema), typed, complain
            )
        while True:
            try:
                return _answer(query, next_line(_invitation(query), query.schema), typed)
            except InvalidValue as error:
                complain(error.message)
    except EOFError:
        write("\n")
        raise NoAnswer(
            f"gate {query.name!r} waits for {expected(query)}, but standard input has ended; "
            f"give its answer in advance (answers={{{query.name!r}: ...}}, or --answer), or run it at a terminal",
            gate=query.name,
        ) from None


def _composed(query: Query, line: Line, typed: Parse, complain: Callable[[str], object]) -> Value:
    """Ask for an answer field by field until all of it fits; what was typed is suggested the next time."""
    value = compose(query.schema, query.suggested, line, typed, complain)
    while found := faults(query.schema, value):
        complain("; ".join(map(str, found)))
        value = compose(query.schema, value, line, typed, complain)
    return value


def expected(query: Query) -> str:
    """Say in words what the answer must be."""
    return "yes or no" if query.kind == "approve" else describe(query.schema)


def opening(query: Query) -> list[str]:
    """Return the question as lines: what is asked, the prompt, the values beside it, and the value to approve. It says what is left out."""
    lines, _ = _opened(query, SCREEN, f"in full: {query.whole}" if query.whole else "")
    return lines


def _opened(query: Query, room: Extent, see_all: str) -> tuple[list[str], bool]:
    """Return the question as lines, and whether anything is left out; `see_all` says how to see it."""
    verb = "Approve" if query.kind == "approve" else "Answer"
    until = f"; {query.until}" if query.until else ""
    # Where each field is asked for, its type stands beside it.
    wanted = named(query.schema) if _has_fields(query) else expected(query)
    lines = [marked(f"{verb} {marked(query.name)!r}: {wanted}{until}")]
    if query.title not in ("", query.name):
        lines.append(f"  {marked(query.title)}")
    lines += [f"  {marked(name)}: {marked(figure(each))}" for name, each in _figures(query)]
    if query.prompt:
        lines += _prompt(query)
    cut = False
    for name, value, schema in _values(query):
        found = exhibit(schema, value, room, query.files)
        cut = cut or bool(found.left_out)
        shown = found.lines
        if found.left_out:
            shown = [*shown, f"Shown: {found.left_out}{'; ' if see_all else ''}{see_all}"]
        if len(shown) == 1:
            lines.append(f"  {marked(name)}: {shown[0]}")
        else:
            lines += [f"  {marked(name)}:", *(f"    {line}" for line in shown)]
    return lines, cut


def figure(value: Value) -> str:
    """Return a figure as text: a number with six significant digits."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.6g}"
        case _:
            return str(value)


def _figures(query: Query) -> Iterator[tuple[str, Value]]:
    """Yield the figures that are not among the values beside the question."""
    beside = dict(query.show)
    for each in (*query.show.values(), query.value):
        beside |= each if isinstance(each, dict) else {}
    if query.value is not UNSET:
        beside["value"] = query.value
    for name, value in query.figures.items():
        if name not in beside or beside[name] != value:
            yield name, value


def _values(query: Query) -> Iterator[tuple[str, Value, Schema]]:
    """Yield what is shown beside a question, in the order in which it is shown."""
    for name, value in query.show.items():
        yield name, value, {}
    if query.value is not UNSET:
        yield "value", query.value, query.value_schema
    if query.suggested is not UNSET:
        how = "" if _has_fields(query) else " (Enter accepts it)"
        yield f"suggested{how}", query.suggested, query.schema


def _has_fields(query: Query) -> bool:
    """Return whether an answer is asked for one field at a time."""
    return query.by_field and query.kind != "approve" and is_composite(query.schema)


def _prompt(query: Query) -> list[str]:
    if query.columns:
        lines = rendered(query.prompt, query.columns - 2)
    else:
        lines = marked(query.prompt).splitlines()
    return [f"  {line}".rstrip() for line in lines]


def _invitation(query: Query) -> str:
    return "approve, yes or no? " if query.kind == "approve" else "> "


def then(on_timeout: Value | UnsetType, *, approval: bool) -> str:
    """Say what happens to a question when its time is up. UNSET: there is no answer for that case."""
    if on_timeout is UNSET:
        return "then it fails"
    if approval:
        return "then it is approved" if on_timeout else "then it is rejected"
    return f"then {_briefly(on_timeout)} is used"


def _briefly(value: Value) -> str:
    words = " ".join(show({}, value).split()) or '""'
    return words if len(words) <= 40 else f"{words[:39]}…"


def _answer(query: Query, line: str, typed: Parse) -> Value:
    if query.kind == "approve":
        if not line.strip():
            raise InvalidValue("an approval has no default: type yes or no")
        return typed({"type": "boolean"}, line.strip())
    if not line.strip():
        if query.suggested is not UNSET:
            return query.suggested
        if query.schema.get("type") == "string":
            raise InvalidValue('an empty line is not an answer: type "" for an empty text')
    if line.strip() == '""' and query.schema.get("type") == "string":
        line = ""
    return typed(query.schema, line)
