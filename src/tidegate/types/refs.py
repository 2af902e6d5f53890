"""References inside a JSON Schema: followed, collected, and kept valid when a part is extracted."""

from collections.abc import Callable
from typing import Any, Final

from tidegate.ir.expr import Schema

_PREFIX: Final = "#/$defs/"
_DATA: Final = frozenset({"enum", "const", "default", "examples", "x-names"})
"""Keywords whose content is data, not schemas."""
_NAMED: Final = frozenset({"properties", "$defs"})
"""Keywords whose content is schemas by name; a name may be that of a keyword."""


def resolve(part: Any, root: Schema) -> Schema:
    """Follow the reference at the top of a part of `root`; keywords beside it are kept. True is the empty schema."""
    if part is True:
        return {}
    if part is False:
        return {"not": {}}
    made: Schema = part
    for _ in range(64):
        target = made.get("$ref")
        if target is None:
            return made
        found = (
            root if target == "#" else root.get("$defs", {}).get(target.removeprefix(_PREFIX), {})
        )
        made = {**found, **{k: v for k, v in made.items() if k != "$ref"}}
    return {}


def rewritten(schema: Any, change: Callable[[Schema], Schema]) -> Any:
    """Return a schema in which every schema is replaced by the result of `change`, the innermost first."""
    if isinstance(schema, list):
        return [rewritten(part, change) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made: Schema = {}
    for keyword, part in schema.items():
        if keyword in _NAMED:
            made[keyword] = {name: rewritten(inner, change) for name, inner in part.items()}
        else:
            made[keyword] = part if keyword in _DATA else rewritten(part, change)
    return change(made)


def references(schema: Any) -> set[str]:
    """Return the names of the definitions that a schema refers to."""
    found: set[str] = set()

    def look(part: Schema) -> Schema:
        if "$ref" in part:
            found.add(part["$ref"].removeprefix(_PREFIX))
        return part

    rewritten(schema, look)
    return found


def closed(part: Schema, defs: dict[str, Schema]) -> Schema:
    """Return a self-contained part of a schema: with the definitions it needs, and no reference at its top."""
    top = resolve(part, {"$defs": defs})
    used: dict[str, Schema] = {}
    todo = [{k: v for k, v in top.items() if k != "$defs"}]
    while todo:
        for name in references(todo.pop()):
            if name not in used and name in defs:
                used[name] = defs[name]
                todo.append(defs[name])
    return {**top, "$defs": used} if used else {k: v for k, v in top.items() if k != "$defs"}
