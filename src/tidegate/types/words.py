"""
What a schema expects, in words for people: `a whole number`, `a list of dates`, `one of: low, high`.

The words answer the question "what should I enter?", and are not those of programming.
"""

from typing import Any, Final

from tidegate.ir.expr import Schema, Value
from tidegate.types import formats
from tidegate.types.refs import resolve
from tidegate.types.values import KIND

_FORMAT: Final = {
    formats.DATE: ("a date (2026-11-23)", "dates"),
    formats.INSTANT: ("a date and time (2026-11-23T09:00:00+00:00)", "dates and times"),
    formats.LOOSE_INSTANT: ("a date and time (2026-11-23T09:00:00+00:00)", "dates and times"),
    formats.TIME: ("a time of day (14:30:00)", "times of day"),
    formats.DURATION: ("a duration (PT1H30M)", "durations"),
    formats.LOOSE_DURATION: ("a duration (PT1H30M)", "durations"),
    formats.DECIMAL: ("an exact number (12.50)", "exact numbers"),
    formats.UUID_TEXT: ("a UUID", "UUIDs"),
    formats.BASE64: ("bytes, as base64", "bytes, as base64"),
}
_TYPE: Final = {
    "string": ("text", "texts"),
    "integer": ("a whole number", "whole numbers"),
    "number": ("a number", "numbers"),
    "boolean": ("yes or no", "yes-or-no values"),
    "null": ("nothing", "nothings"),
}
_KIND: Final = {
    "file": ("a file", "files"),
    "directory": ("a directory", "directories"),
    "ndarray": ("an array", "arrays"),
    "table": ("a table", "tables"),
    "pickle": ("a Python object", "Python objects"),
    "bytes": ("bytes, as base64", "bytes, as base64"),
}
BOUNDS: Final = {
    "minimum": ("be", "at least {}"),
    "exclusiveMinimum": ("be", "more than {}"),
    "maximum": ("be", "at most {}"),
    "exclusiveMaximum": ("be", "less than {}"),
    "multipleOf": ("be", "a multiple of {}"),
    "minLength": ("have", "at least {} characters"),
    "maxLength": ("have", "at most {} characters"),
    "minItems": ("have", "at least {} items"),
    "maxItems": ("have", "at most {} items"),
    "minProperties": ("have", "at least {} entries"),
    "maxProperties": ("have", "at most {} entries"),
    "pattern": ("be", "matching {}"),
}
"""What a keyword requires of a value, and the verb that goes with it."""
_EXAMPLES: Final = {"integer": 1, "number": 1.5, "boolean": True, "null": None}
_DEEPEST: Final = 2


def describe(schema: Schema) -> str:
    """Say in words what a value of this schema is."""
    return _one(schema, schema, 0)


def _one(part: Any, root: Schema, depth: int) -> str:
    schema = resolve(part, root)
    if schema.get(KIND) in _KIND:
        return _KIND[schema[KIND]][0]
    if "enum" in schema:
        return options(schema["enum"])
    if "const" in schema:
        return spell(schema["const"])
    choices = alternatives(schema)
    if choices:
        return _any_of(choices, root, depth)
    kind = schema.get("type")
    if isinstance(kind, list):
        return " or ".join(_one({**schema, "type": k}, root, depth) for k in kind)
    if kind == "array":
        return _array(schema, root, depth)
    if kind == "object":
        return _object(schema, root, depth)
    if kind == "string" and schema.get("format") in _FORMAT:
        return _FORMAT[schema["format"]][0]
    words = _TYPE.get(kind or "", ("any value", ""))[0]
    bounds = [text.format(schema[key]) for key, (_, text) in BOUNDS.items() if key in schema]
    return ", ".join([words, *bounds])


def alternatives(schema: Schema) -> list[Any]:
    """Return the members of a union; none if it is not a union."""
    found = schema.get("anyOf") or schema.get("oneOf") or []
    return list(found)


def spell(value: Value) -> str:
    """Write a plain value as a person would type it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "null" if value is None else str(value)


def options(values: list[Value]) -> str:
    """Say that a value is one of these."""
    shown = ", ".join(spell(v) for v in values[:20])
    return f"one of: {shown}{f', and {len(values) - 20} more' if len(values) > 20 else ''}"


def _any_of(choices: list[Any], root: Schema, depth: int) -> str:
    words: list[str] = []
    for choice in choices:
        word = _one(choice, root, depth)
        if resolve(choice, root).get("type") != "null" and word not in words:
            words.append(word)
    empty = any(resolve(c, root).get("type") == "null" for c in choices)
    joined = " or ".join(words)
    return f"{joined}, or nothing" if empty and words else joined or "nothing"


def example(schema: Schema) -> Value:
    """Return an example value of this schema, to be shown after an invalid answer."""
    return _example(schema, schema, 0)


def _example(part: Any, root: Schema, depth: int) -> Value:
    schema = resolve(part, root)
    choices = alternatives(schema)
    if choices or depth > _DEEPEST or schema.get(KIND) in _KIND:
        return _example(choices[0], root, depth) if choices else None
    if "enum" in schema or "const" in schema:
        return schema["enum"][0] if "enum" in schema else schema["const"]
    match schema.get("type"):
        case "array":
            parts = schema.get("prefixItems") or [schema.get("items", {})] * 2
            return [_example(each, root, depth + 1) for each in parts]
        case "object" if "properties" in schema:
            there = schema["properties"].items()
            wanted = schema.get("required") or list(schema["properties"])
            return {name: _example(each, root, depth + 1) for name, each in there if name in wanted}
        case "object":
            return {"name": _example(schema.get("additionalProperties", {}), root, depth + 1)}
        case kind:
            words = _FORMAT.get(schema.get("format", ""), ("",))[0]
            return words.partition("(")[2].removesuffix(")") or _EXAMPLES.get(kind or "", "text")


def _many(part: Any, root: Schema) -> str:
    """Name many values of a schema; empty if there is no short word."""
    schema = resolve(part, root)
    if schema.get(KIND) in _KIND:
        return _KIND[schema[KIND]][1]
    if "enum" in schema or "const" in schema or alternatives(schema):
        return ""
    kind = schema.get("type")
    if not isinstance(kind, str):
        return "" if schema else "any values"
    if kind == "string" and schema.get("format") in _FORMAT:
        return _FORMAT[schema["format"]][1]
    if kind == "object" and "properties" in schema:
        return f"{schema.get('title', '')} objects".strip()
    return _TYPE.get(kind, ("", {"array": "lists", "object": "objects"}.get(kind, "")))[1]


def _array(schema: Schema, root: Schema, depth: int) -> str:
    if "prefixItems" in schema:
        parts = schema["prefixItems"]
        if depth >= _DEEPEST:
            return f"a list of {len(parts)}"
        return f"a list of {len(parts)}: {', '.join(_one(p, root, depth + 1) for p in parts)}"
    distinct = "distinct " if schema.get("uniqueItems") else ""
    least, most = schema.get("minItems"), schema.get("maxItems")
    size = "".join([f", at least {least}" if least else "", f", at most {most}" if most else ""])
    items = schema.get("items", {})
    many = _many(items, root)
    if not resolve(items, root):
        return f"a list{size}"
    if many:
        return f"a list of {distinct}{many}{size}"
    if depth >= _DEEPEST:
        return f"a list{size}"
    return f"a list{size}, each {_one(items, root, depth + 1)}"


def _object(schema: Schema, root: Schema, depth: int) -> str:
    title = schema.get("title", "")
    name = f"an object ({title})" if title else "an object"
    properties = schema.get("properties")
    if not properties:
        values = schema.get("additionalProperties", {})
        many = _many(values, root) if isinstance(values, dict) and values else ""
        return f"an object of {many}" if many else name
    if depth >= _DEEPEST:
        return name
    required = schema.get("required", [])
    shown = [
        f"{key} ({'' if key in required else 'optional; '}{_one(part, root, depth + 1)})"
        for key, part in list(properties.items())[:12]
    ]
    more = f" and {len(properties) - 12} more" if len(properties) > 12 else ""
    return f"{name} with {', '.join(shown)}{more}"
