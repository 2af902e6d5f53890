"""
Whether values of one schema may flow where another is expected, of what kinds they are, and what is at a path inside a schema.

Both look at schemas alone, before there is any value. They refuse only what is certainly wrong:
what may match is allowed, and checked when the value is there.
"""

from typing import Any, Final

from tidegate.errors import CompileError
from tidegate.ir.expr import Path, Schema
from tidegate.types import formats
from tidegate.types.builtin import JSON_TYPE
from tidegate.types.refs import closed, resolve
from tidegate.types.values import KIND
from tidegate.types.words import alternatives, describe, spell

_SAYING: Final = frozenset(
    {"type", "enum", "const", "anyOf", "oneOf", "properties", "items", "prefixItems", "not", KIND}
)
"""Keywords without which a schema accepts anything."""
_SAME_FORMAT: Final = {
    formats.LOOSE_INSTANT: formats.INSTANT,
    formats.LOOSE_DURATION: formats.DURATION,
}


def can_flow(source: Schema, target: Schema) -> str | None:
    """Say why a value of `source` can never be used where `target` is expected; None if it can, or may."""
    return _Flow(source, target).check(source, target)


class _Flow:
    """One comparison of two schemas. A pair of parts is compared once; meanwhile it counts as compatible."""

    def __init__(self, source: Schema, target: Schema) -> None:
        self._source = source
        self._target = target
        # The parts are kept beside the verdict, because an id is reused when its object is gone.
        self._known: dict[tuple[int, int], tuple[Any, Any, str | None]] = {}

    def check(self, source: Any, target: Any) -> str | None:
        """Compare two parts."""
        pair = (id(source), id(target))
        if pair not in self._known:
            self._known[pair] = (source, target, None)
            self._known[pair] = (source, target, self._parts(source, target))
        return self._known[pair][2]

    def _parts(self, source: Any, target: Any) -> str | None:
        s, t = resolve(source, self._source), resolve(target, self._target)
        kinds = s.get(KIND), t.get(KIND)
        if kinds == (None, None) or kinds[0] == kinds[1]:
            return self._unions(s, t)
        return None if _free(s) or _free(t) or self._member_fits(s, t) else self._no(s, t)

    def _member_fits(self, s: Schema, t: Schema) -> bool:
        """Say whether a member of a union matches, where the other side is a blob."""
        if KIND not in s and alternatives(s):
            return any(self.check(c, t) is None for c in alternatives(s))
        if KIND not in t and alternatives(t):
            return any(self.check(s, c) is None for c in alternatives(t))
        return False

    def _unions(self, s: Schema, t: Schema) -> str | None:
        if KIND in s:
            return None
        many = alternatives(s)
        if many:
            reasons = [self.check(c, t) for c in many]
            # A union flows if one of its members does; null alone does not speak for the others.
            real = [r for c, r in zip(many, reasons, strict=True) if not _null(c)]
            return None if None in (real or reasons) else (real or reasons)[0]
        many = alternatives(t)
        if many:
            if None in [self.check(s, c) for c in many]:
                return None
            return self._no(s, t)
        return self._plain(s, t)

    def _plain(self, s: Schema, t: Schema) -> str | None:
        if _free(s) or _free(t):
            return None
        have, want = _types(s), _types(t)
        if (
            have
            and want
            and not any(h in want or (h == "integer" and "number" in want) for h in have)
        ):
            return self._no(s, t)
        if "enum" in s and "enum" in t:
            return None if any(v in t["enum"] for v in s["enum"]) else self._no(s, t)
        if have == {"string"} == want:
            a, b = (_SAME_FORMAT.get(f, f) for f in (s.get("format", ""), t.get("format", "")))
            return self._no(s, t) if a and b and a != b else None
        if "array" in have and "array" in want:
            return self._arrays(s, t)
        if "object" in have and "object" in want:
            return self._objects(s, t)
        return None

    def _arrays(self, s: Schema, t: Schema) -> str | None:
        shortest, longest = s.get("minItems", 0), s.get("maxItems")
        if shortest > t.get("maxItems", shortest) or (
            longest is not None and longest < t.get("minItems", 0)
        ):
            return self._no(s, t)
        for n in range(max(len(s.get("prefixItems", [])), len(t.get("prefixItems", [])), 1)):
            reason = self.check(_item(s, n), _item(t, n))
            if reason and n < max(shortest, 1):
                return f"item {n}: {reason}" if "prefixItems" in s else f"its items: {reason}"
        return None

    def _objects(self, s: Schema, t: Schema) -> str | None:
        have, want = s.get("properties", {}), t.get("properties", {})
        for name in t.get("required", []):
            if name not in have and s.get("additionalProperties", True) is False:
                return f"the field {name!r} is missing in {describe_within(s, self._source)}"
        if t.get("additionalProperties", True) is False:
            for name in s.get("required", []):
                if name not in want:
                    return f"{describe_within(t, self._target)} has no field {name!r}"
        names = [
            n for n in (*have, *want) if n in s.get("required", ()) or n in t.get("required", ())
        ]
        for name in names:
            reason = self.check(_property(s, name), _property(t, name))
            if reason:
                return f"field {name!r}: {reason}"
        if not have and not want:
            reason = self.check(_property(s, ""), _property(t, ""))
            return f"its values: {reason}" if reason else None
        return None

    def _no(self, s: Schema, t: Schema) -> str:
        has, wants = describe_within(s, self._source), describe_within(t, self._target)
        return f"it is {has}, but {wants} is expected"


def describe_within(part: Schema, root: Schema) -> str:
    """Describe a part of a schema."""
    return describe(closed(part, root.get("$defs", {})))


def _free(schema: Schema) -> bool:
    """Say whether a schema accepts anything."""
    return _SAYING.isdisjoint(schema)


def _null(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "null"


def _types(schema: Schema) -> set[str]:
    kind = schema.get("type")
    if kind is not None:
        return {kind} if isinstance(kind, str) else set(kind)
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    return {JSON_TYPE.get(type(v), "object") for v in values}


def kinds(schema: Schema) -> set[str]:
    """Return the JSON types of the values that a schema allows, an integer being a number; the empty set if any."""
    members = [kinds(member) for member in alternatives(schema)]
    if members:
        return set() if set() in members else set().union(*members)
    return {"number" if kind == "integer" else kind for kind in _types(schema)}


def _item(schema: Schema, n: int) -> Any:
    first = schema.get("prefixItems", [])
    return first[n] if n < len(first) else schema.get("items", {})


def _property(schema: Schema, name: str) -> Any:
    rest = schema.get("additionalProperties", {})
    return schema.get("properties", {}).get(name, {} if rest is False else rest)


def at_path(schema: Schema, path: Path) -> Schema:
    """
    Return the schema at a path; `{}` if that is unknown.

    Raises `CompileError` if nothing can be there; the message names what can.
    """
    part = schema
    for step in path:
        part = _step(part, step, schema)
    return closed(part, schema.get("$defs", {}))


def _step(part: Any, step: str | int, root: Schema) -> Schema:
    schema = resolve(part, root)
    if KIND in schema:
        raise CompileError(f"{describe(schema)} has no {_step_name(step)}: use it in a task")
    choices = [c for c in alternatives(schema) if resolve(c, root).get("type") != "null"]
    if choices:
        return _through_union(choices, step, root)
    kinds = _types(schema)
    if not kinds or len(kinds) > 1:
        return {}
    if kinds == {"array"}:
        return _list_step(schema, step, root)
    if kinds == {"object"}:
        return _object_step(schema, step, root)
    raise CompileError(f"{describe(schema)} has no {_step_name(step)}")


def _through_union(choices: list[Any], step: str | int, root: Schema) -> Schema:
    found: list[Schema] = []
    errors: list[CompileError] = []
    for choice in choices:
        try:
            found.append(_step(choice, step, root))
        except CompileError as e:
            errors.append(e)
    if not found:
        raise errors[0]
    return found[0] if len(found) == 1 else {"anyOf": found}


def _list_step(schema: Schema, step: str | int, root: Schema) -> Schema:
    if not isinstance(step, int):
        raise CompileError(
            f"{describe_within(schema, root)} has no {_step_name(step)}, only positions"
        )
    first = schema.get("prefixItems", [])
    size = schema.get("maxItems")
    if size is not None and not -size <= step < size:
        raise CompileError(f"{describe_within(schema, root)} has no item {step}")
    if step < 0:
        return _taken(_item(schema, len(first) + step if size == len(first) else 0))
    return _taken(_item(schema, step))


def _object_step(schema: Schema, step: str | int, root: Schema) -> Schema:
    properties = schema.get("properties", {})
    if step in properties:
        return _taken(properties[step])
    rest = schema.get("additionalProperties", True)
    names = schema.get("propertyNames", {})
    if rest is False or (properties and isinstance(step, int)):
        has = f"it has {', '.join(properties)}" if properties else "it is empty"
        title = schema.get("title") or "the object"
        raise CompileError(f"{title} has no {_step_name(step)}: {has}")
    allowed = resolve(names, root).get("enum")
    if allowed and spell(step) not in allowed:
        raise CompileError(
            f"the object has no {_step_name(step)}: its keys are {', '.join(allowed)}"
        )
    return _taken(rest)


def _taken(part: Any) -> Schema:
    return part if isinstance(part, dict) else {}


def _step_name(step: str | int) -> str:
    return f"item {step}" if isinstance(step, int) else f"field {step!r}"
