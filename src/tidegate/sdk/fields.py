"""
An answer with several parts, asked for field by field at a terminal.

Rule 1: Enter accepts the value in brackets: the suggestion, else the default. Without either, an optional field is left out.
Rule 2: where an object or a list starts, JSON is accepted for all of it.
Rule 3: `?back` asks for the previous field again, keeping everything typed before that.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from msgspec import UNSET, UnsetType

from tidegate.errors import InvalidValue
from tidegate.ir.expr import Schema, Value
from tidegate.types.marks import marked
from tidegate.types.refs import resolve
from tidegate.types.schema import describe
from tidegate.types.text import show
from tidegate.types.values import KIND
from tidegate.types.words import alternatives

BACK: Final = "?back"
"""Asks for the previous field again. A text of these five characters can be given as JSON."""

HINT: Final = f"Enter accepts the value in brackets; {BACK} goes back; JSON is accepted, too."

LONGEST: Final = 40
"""Characters of a suggestion that are shown in brackets; the full one is shown beside the question."""

_ITEMS: Final = 1_000
"""Most items that are asked for one by one: nobody types more."""


class Slot(NamedTuple):
    """One part to ask for: its path, such as `address.street`, its self-contained schema, and the value that Enter accepts, if any."""

    path: str
    schema: Schema
    suggested: Value | UnsetType = UNSET
    may_lack: bool = False


Line = Callable[[Slot], str]
"""Asks for a part, and returns the typed line. Raises EOFError, and InvalidValue if the line cannot be accepted."""

Parse = Callable[[Schema, str], Value]


class _Back(Exception):
    """The previous field is to be asked for again."""


class _Whole(Exception):
    """All of an object or a list was typed at once, where it starts."""

    def __init__(self, of: object, value: Value) -> None:
        super().__init__()
        self.of = of
        self.value = value


def is_composite(schema: Schema, root: Schema | None = None) -> bool:
    """Whether an answer has parts that are asked for one by one."""
    found = resolve(schema, root or schema)
    if found.get(KIND) is not None or "enum" in found or "const" in found:
        return False
    choices = _choices(found, root or schema)
    if choices:
        return all(is_composite(each, root or schema) for each in choices)
    if found.get("type") == "array":
        parts = found.get("prefixItems")
        return bool(parts) or is_composite(found.get("items", {}), root or schema)
    return found.get("type") == "object" and bool(found.get("properties"))


def compose(
    schema: Schema,
    suggested: Value | UnsetType,
    line: Line,
    parse: Parse,
    complain: Callable[[str], object],
) -> Value:
    """Ask for each part of an answer; return the whole, which may still be invalid if its parts must match each other. Raises EOFError."""
    typed: list[str] = []
    while True:
        form = _Form(schema, line, parse, complain, typed)
        try:
            return form.value(Slot("", schema, suggested), ())
        except _Back:
            typed = form.typed[:-1]
        except _Whole as whole:
            return whole.value


class _Form:
    """One pass through the fields; earlier input comes from `replay`, and is not asked for again."""

    def __init__(
        self,
        root: Schema,
        line: Line,
        parse: Parse,
        complain: Callable[[str], object],
        replay: Sequence[str],
    ) -> None:
        self.typed: list[str] = []
        self._root = root
        self._line = line
        self._parse = parse
        self._complain = complain
        self._replay = list(replay)

    def value(self, part: Slot, openings: tuple[Slot, ...]) -> Value:
        """Ask for a part; `openings` are the parts that start with it, the outermost first."""
        schema = resolve(part.schema, self._root)
        only = [schema["const"]] if "const" in schema else schema.get("enum", [])
        if len(only) == 1:
            return only[0]
        if not is_composite(schema, self._root):
            return self._one(part, openings)
        openings = (*openings, part)
        try:
            if _choices(schema, self._root):
                return self._chosen(part, schema, openings)
            if schema.get("type") == "array":
                return self._items(part, schema, openings)
            return self._fields(part, schema, openings)
        except _Whole as whole:
            if whole.of is not part:
                raise
            return whole.value

    def _fields(self, part: Slot, schema: Schema, openings: tuple[Slot, ...]) -> Value:
        given = part.suggested if isinstance(part.suggested, dict) else {}
        made = {name: value for name, value in given.items() if name not in schema["properties"]}
        required = schema.get("required", ())
        for name, each in schema["properties"].items():
            default = resolve(each, self._root).get("default", UNSET)
            suggested = given.get(name, default)
            asked = Slot(
                _joined(part.path, name), self._closed(each), suggested, name not in required
            )
            value = self.value(asked, openings)
            openings = ()
            if value is not UNSET:
                made[name] = value
        return made

    def _items(self, part: Slot, schema: Schema, openings: tuple[Slot, ...]) -> Value:
        given = part.suggested if isinstance(part.suggested, list) else []
        made: list[Value] = []
        for n, each in enumerate(self._item_schemas(schema)):
            suggested = given[n] if n < len(given) else UNSET
            path = f"{part.path}[{n}]"
            if "prefixItems" not in schema and n >= schema.get("minItems", 0):
                more = Slot(f"add {path}?", {"type": "boolean"}, suggested is not UNSET)
                wanted = self._one(more, openings)
                openings = ()
                if not wanted:
                    break
            made.append(self.value(Slot(path, self._closed(each), suggested), openings))
            openings = ()
        return made

    def _item_schemas(self, schema: Schema) -> Iterator[Any]:
        if "prefixItems" in schema:
            yield from schema["prefixItems"]
            return
        most = schema.get("maxItems", _ITEMS)
        for _ in range(min(most, _ITEMS)):
            yield schema["items"]

    def _chosen(self, part: Slot, schema: Schema, openings: tuple[Slot, ...]) -> Value:
        """Ask which member of a union is meant, or whether an optional value is given; then ask for that."""
        choices = _choices(schema, self._root)
        null = len(choices) < len(alternatives(schema))
        names = [_title(resolve(each, self._root), n) for n, each in enumerate(choices)]
        if len(choices) == 1:
            there = Slot(
                f"give {part.path or names[0]}?", {"type": "boolean"}, bool(part.suggested)
            )
            wanted, openings = self._one(there, openings), ()
            picked = 0 if wanted else None
        else:
            options: Schema = {"type": "string", "enum": [*names, *(["nothing"] if null else [])]}
            kind = self._one(Slot(_joined(part.path, "kind"), options), openings)
            picked = names.index(kind) if kind in names else None
        if picked is None:
            return None
        return self.value(Slot(part.path, self._closed(choices[picked]), part.suggested), ())

    def _one(self, part: Slot, openings: tuple[Slot, ...]) -> Any:
        """Ask for a single value until it is valid. UNSET: it is left out."""
        while True:
            known = bool(self._replay)
            try:
                line = self._replay.pop(0) if known else self._line(part)
                if line.strip() == BACK:
                    if self.typed:
                        raise _Back
                    continue
                value = self._read(part, line, openings)
            except InvalidValue as error:
                self._complain(error.message)
                continue
            self.typed.append(line)
            return value

    def _read(self, part: Slot, line: str, openings: tuple[Slot, ...]) -> Any:
        if not line.strip():
            if part.suggested is not UNSET:
                return part.suggested
            if part.may_lack:
                return UNSET
            if part.schema.get("type") == "string" and "enum" not in part.schema:
                raise InvalidValue('an empty line is not an answer: type "" for an empty text')
        is_text = part.schema.get("type") == "string"
        if line.lstrip()[:1] in ("{", "["):
            self._read_whole(line, openings, certain=not is_text)
        if line.strip() == '""' and is_text:
            line = ""
        return self._parse(part.schema, line)

    def _read_whole(self, line: str, openings: tuple[Slot, ...], *, certain: bool) -> None:
        """Raise `_Whole` if a line is all of something that starts here; InvalidValue if it is `certain` that it should be."""
        wrong: InvalidValue | None = None
        for each in openings:
            try:
                value = self._parse(each.schema, line)
            except InvalidValue as error:
                wrong = wrong or error
            else:
                raise _Whole(each, value)
        if wrong is not None and certain:
            raise wrong

    def _closed(self, part: Any) -> Schema:
        found = resolve(part, self._root)
        return {**found, "$defs": self._root["$defs"]} if "$defs" in self._root else found


def named(schema: Schema) -> str:
    """Return the name of an answer with fields: `an object (Order)`; without a title, its kind."""
    return f"an object ({schema['title']})" if schema.get("title") else describe(schema)


def offer(part: Slot) -> str:
    """Return the text before the cursor: `address.zip (a whole number) [10115]> `."""
    return marked(_offer(part))


def _offer(part: Slot) -> str:
    if part.path.endswith("?"):
        return f"{part.path} yes or no [{'yes' if part.suggested else 'no'}]> "
    return f"{part.path} ({describe(part.schema)}){_in_brackets(part)}> "


def _in_brackets(part: Slot) -> str:
    if part.suggested is UNSET:
        return " [left out]" if part.may_lack else ""
    words = " ".join(show(part.schema, part.suggested).split())
    words = {"null": "nothing", "[]": "none", "": '""'}.get(words, words)
    return f" [{words if len(words) <= LONGEST else f'{words[: LONGEST - 1]}…'}]"


def _choices(schema: Schema, root: Schema) -> list[Any]:
    """Return the members of a union except null; none if it is not a union."""
    return [each for each in alternatives(schema) if resolve(each, root).get("type") != "null"]


def _title(schema: Schema, n: int) -> str:
    return str(schema.get("title") or n + 1)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
