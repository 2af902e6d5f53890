"""
Checking a value against a schema that branches repeatedly: a union whose members contain the union.

A validator that tries each member needs twice as long for each level, and describing what was wrong with each takes five times as long
for every two. Here each part of the value meets each part of the schema once, and the result is kept. So the number of steps is linear in the
value, and they are counted: beyond `MOST_STEPS` the value is refused, because a client must not decide how long a check takes.

What a single schema says (types, bounds, patterns) is left to the validator; only the paths between schemas are walked here.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from tidegate.errors import Fault, TooComplex
from tidegate.ir.expr import Schema, Value
from tidegate.types.refs import resolve

MOST_STEPS: Final = 300_000
"""Pairs of a part of a value and a part of a schema: measured, two seconds of them at most, off the event loop."""

MOST_WAYS: Final = 16
"""Paths to one part of a value, up to which the validator may walk them all."""

MOST_FAULTS: Final = 20

_UNIONS: Final = ("anyOf", "oneOf")
_GONE: Final = frozenset({"$ref", "$defs", "allOf", "items", "prefixItems", *_UNIONS})
"""Keywords that lead from one schema to another."""

_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int, float),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}

Explain = Callable[[Schema, Value], list[Fault]]
"""Says what is wrong with a value by one schema alone; nothing if it matches."""

Combine = Callable[[Value, int, list[Fault]], Fault]
"""Combines the faults of the members of a union, of which there are this many, into one."""


def branches(schema: Schema) -> bool:
    """Return whether a part of a value of this schema can be reached in more than a few ways."""
    return _ways(schema, schema, frozenset(), {}) > MOST_WAYS


def _ways(part: Any, root: Schema, above: frozenset[int], known: dict[int, int]) -> int:
    """Return in how many ways the innermost parts can be reached; one more than the limit if a part with a union contains itself."""
    if not isinstance(part, dict):
        return 1
    if id(part) in above:
        # A list of itself is reached in one way on each level; only a union on the way multiplies.
        return 1
    if id(part) in known:
        return known[id(part)]
    inside = above | {id(part)}
    target = _target(part, root)
    found = max((_ways(each, root, inside, known) for each in _children(part)), default=1)
    if target is not None:
        found = max(found, _ways(target, root, inside, known))
    for word in _UNIONS:
        members = part.get(word, ())
        if members:
            ways = sum(_ways(each, root, inside, known) for each in members)
            holds = sum(_reaches(each, part, root, set()) for each in members)
            found = max(found, MOST_WAYS + 1 if holds > 1 else ways)
    known[id(part)] = min(found, MOST_WAYS + 1)
    return known[id(part)]


def _target(part: Schema, root: Schema) -> Schema | None:
    name = part.get("$ref")
    if name is None:
        return None
    found: Schema = root if name == "#" else root.get("$defs", {}).get(name.rpartition("/")[2], {})
    return found


def _children(part: Schema) -> Iterator[Any]:
    yield from part.get("properties", {}).values()
    yield from part.get("prefixItems", ())
    yield from part.get("allOf", ())
    for word in ("additionalProperties", "items"):
        if word in part:
            yield part[word]


def _reaches(part: Any, wanted: Schema, root: Schema, seen: set[int]) -> bool:
    """Whether a schema can lead to another one."""
    if not isinstance(part, dict) or id(part) in seen:
        return False
    if part is wanted:
        return True
    seen.add(id(part))
    target = _target(part, root)
    beyond = [*_children(part), *(each for word in _UNIONS for each in part.get(word, ()))]
    if target is not None:
        beyond.append(target)
    return any(_reaches(each, wanted, root, seen) for each in beyond)


class Branching:
    """A schema that branches. `explain` and `combine` put faults into words; `alone` returns whether a value matches one schema, without those that it leads to."""

    def __init__(
        self,
        root: Schema,
        alone: Callable[[Schema], Callable[[Value], bool]],
        explain: Explain,
        combine: Combine,
    ) -> None:
        self._root = root
        self._alone = alone
        self.explain = explain
        self.combine = combine
        self._resolved: dict[int, Schema] = {}
        self._own: dict[int, tuple[Schema, Callable[[Value], bool]]] = {}

    def faults(self, value: Value) -> list[Fault]:
        """Return what is wrong with a value. Errors: `TooComplex`."""
        look = _Look(self)
        return [] if look.fits(self._root, value) else list(look.faults(self._root, value))

    def resolved(self, part: Any) -> Schema:
        """Return the schema that a part stands for."""
        found = self._resolved.get(id(part))
        if found is None:
            found = self._resolved[id(part)] = resolve(part, self._root)
        return found

    def own(self, schema: Schema) -> tuple[Schema, Callable[[Value], bool]]:
        """Return what a schema says by itself, and whether a value matches that."""
        found = self._own.get(id(schema))
        if found is None:
            own = {word: part for word, part in schema.items() if word not in _GONE}
            if "properties" in own:
                own["properties"] = dict.fromkeys(own["properties"], True)
            if own.get("additionalProperties") not in (None, False):
                del own["additionalProperties"]
            found = self._own[id(schema)] = (own, self._alone(own))
        return found


class _Look:
    """One value, part by part."""

    def __init__(self, schema: Branching) -> None:
        self._schema = schema
        self._fits: dict[tuple[int, int], bool] = {}
        self._faults: dict[tuple[int, int], tuple[Fault, ...]] = {}
        self._steps = 0

    def fits(self, part: Any, value: Value) -> bool:
        """Whether a part of the value matches a part of the schema."""
        self._step()
        if not isinstance(value, dict | list):
            return self._meets(self._schema.resolved(part), value)
        key = id(part), id(value)
        found = self._fits.get(key)
        if found is None:
            found = self._fits[key] = self._meets(self._schema.resolved(part), value)
        return found

    def _step(self) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise TooComplex(
                f"the value takes more than {MOST_STEPS:,} steps to check against its type; send a smaller or simpler one",
                steps=MOST_STEPS,
            )

    def _meets(self, schema: Schema, value: Value) -> bool:
        _, alone = self._schema.own(schema)
        return (
            alone(_flat(value))
            and all(self.fits(each, value) for each in schema.get("allOf", ()))
            and all(self._chooses(schema, word, value) for word in _UNIONS)
            and all(self.fits(part, item) for _, part, item in _inside(schema, value))
        )

    def _chooses(self, schema: Schema, word: str, value: Value) -> bool:
        members = schema.get(word)
        if not members:
            return True
        if word == "anyOf":
            return any(self.fits(each, value) for each in members)
        return sum(self.fits(each, value) for each in members) == 1

    def faults(self, part: Any, value: Value) -> tuple[Fault, ...]:
        """Return what is wrong with a part of the value that does not match, with paths from there."""
        self._step()
        key = id(part), id(value)
        if key not in self._faults:
            found: list[Fault] = []
            for each in self._wrong(self._schema.resolved(part), value):
                found.append(each)
                if len(found) == MOST_FAULTS:
                    break
            self._faults[key] = tuple(found)
        return self._faults[key]

    def _wrong(self, schema: Schema, value: Value) -> Iterator[Fault]:
        own, alone = self._schema.own(schema)
        flat = _flat(value)
        if not alone(flat):
            yield from self._schema.explain(own, flat)
        for each in schema.get("allOf", ()):
            if not self.fits(each, value):
                yield from self.faults(each, value)
        for word in _UNIONS:
            if not self._chooses(schema, word, value):
                yield from self._union(schema[word], value)
        for step, part, item in _inside(schema, value):
            if not self.fits(part, item):
                for fault in self.faults(part, item):
                    yield Fault((step, *fault.path), fault.reason)

    def _union(self, members: list[Any], value: Value) -> Iterator[Fault]:
        """Explain by the member that comes closest: the only one that accepts values of this kind at all."""
        close = [each for each in members if _is_of(self._schema.resolved(each), value)]
        if len(close) == 1:
            yield from self.faults(close[0], value)
            return
        found = [fault for each in members for fault in self.faults(each, value)[:1]]
        yield self._schema.combine(value, len(members), found)


def _flat(value: Value) -> Value:
    """Return a value without its contents: a check of it alone counts its parts and looks at their names."""
    if isinstance(value, dict):
        return dict.fromkeys(value)
    return [None] * len(value) if isinstance(value, list) else value


def _inside(schema: Schema, value: Value) -> Iterator[tuple[str | int, Any, Value]]:
    """Yield the parts of a value that a schema says something about: the step to each, its schema, and the part."""
    if isinstance(value, dict):
        named, other = schema.get("properties", {}), schema.get("additionalProperties", True)
        for name, item in value.items():
            part = named.get(name, other)
            if not isinstance(part, bool):
                yield name, part, item
    elif isinstance(value, list):
        first, rest = schema.get("prefixItems", ()), schema.get("items", True)
        for number, item in enumerate(value):
            part = first[number] if number < len(first) else rest
            if part is not True:
                yield number, part, item


def _is_of(schema: Schema, value: Value) -> bool:
    """Whether a schema accepts values of this kind."""
    kind = schema.get("type")
    if not isinstance(kind, str):
        return True
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES.get(kind, (object,)))
