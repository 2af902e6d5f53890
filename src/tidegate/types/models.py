"""
The forms of what pydantic knows: models, pydantic dataclasses, and constraints such as `Annotated[int, Gt(0)]`.

Pydantic is loaded when the first such type is met, and not before: importing the package must stay light.
"""

import sys
from functools import lru_cache
from importlib import import_module
from typing import Any

import msgspec

from tidegate.errors import Fault, InvalidValue
from tidegate.ir.expr import Schema, Value
from tidegate.types import formats
from tidegate.types.blobbed import OBJECT_KINDS, OBJECTS, open_object, packaged_form, store_object
from tidegate.types.builtin import native
from tidegate.types.form import Form, invalid, misfit, name_of, one, unsupported, wrong
from tidegate.types.values import KIND, Blobs, File, is_reference

_FORMATS = {
    "date-time": formats.LOOSE_INSTANT,
    "time": formats.TIME,
    "binary": "",
}


def is_model(annotation: Any) -> bool:
    """Say whether a class is a pydantic model or a pydantic dataclass."""
    if not isinstance(annotation, type) or "pydantic" not in sys.modules:
        return False
    return hasattr(annotation, "__pydantic_validator__") and hasattr(
        annotation, "__pydantic_fields__"
    )


def model_form(cls: Any, defs: dict[str, Schema]) -> Form:
    """Build the form of a model; the definitions that its schema refers to go into `defs`."""
    adapter, schema = _adapter(cls)
    objects = any(f'"{KIND}":"{k}"'.encode() in msgspec.json.encode(schema) for k in OBJECT_KINDS)
    inner = schema.pop("$defs", {})
    # The definitions move up; a name that is taken by another definition gets the model's name before it.
    renamed = {n: n if defs.get(n, s) == s else f"{cls.__name__}_{n}" for n, s in inner.items()}
    defs.update({renamed[n]: _rename(s, renamed) for n, s in inner.items()})
    schema = _rename(schema, renamed)
    if schema.keys() == {"$ref"}:
        schema = defs[schema["$ref"].removeprefix("#/$defs/")]

    def encode(value: Any, blobs: Blobs) -> Value:
        if not isinstance(value, cls):
            raise misfit(one(cls.__qualname__), value)
        return _dump(adapter, value, blobs)

    def decode(value: Value, blobs: Blobs) -> Any:
        if type(value) is not dict:
            raise misfit(f"an object ({cls.__qualname__})", value)
        return _load(adapter, value, blobs, objects=objects)

    return Form(
        schema=schema,
        encode=encode,
        decode=decode,
        takes=(cls,),
        gives=frozenset({dict}),
        python=True,
    )


def with_constraints(form: Form, annotation: Any) -> Form:
    """Build the form of a type with constraints, which pydantic checks on both sides."""
    adapter, schema = _adapter(annotation)
    if "$ref" in schema or "$defs" in schema:
        schema = form.schema

    def check(value: Any) -> Any:
        pydantic = import_module("pydantic")
        try:
            return adapter.validate_python(value)
        except pydantic.ValidationError as e:
            raise _faults(e) from None

    def encode(value: Any, blobs: Blobs) -> Value:
        # First the type, strictly, for pydantic would turn "5" into 5; then the constraints.
        form.encode(value, blobs)
        return form.encode(check(native(value)), blobs)

    def decode(value: Value, blobs: Blobs) -> Any:
        return check(form.decode(value, blobs))

    return msgspec.structs.replace(
        form, schema=form.schema | schema, encode=encode, decode=decode, python=True, rank=form.rank
    )


@lru_cache(maxsize=1)
def _generator() -> Any:
    """Return pydantic's schema generator, which knows arrays and tables besides."""
    parent = import_module("pydantic.json_schema").GenerateJsonSchema

    class Generator(parent):  # type: ignore[misc, valid-type]
        def is_instance_schema(self, schema: Any) -> Any:
            form = packaged_form(schema["cls"])
            return super().is_instance_schema(schema) if form is None else form.schema

    return Generator


def _adapter(annotation: Any) -> tuple[Any, Schema]:
    pydantic = import_module("pydantic")
    try:
        adapter = pydantic.TypeAdapter(annotation)
        schema = adapter.json_schema(mode="validation", schema_generator=_generator())
        return adapter, _exact(schema)
    except (pydantic.errors.PydanticUserError, TypeError, NameError) as e:
        reason = str(e).partition("\n")[0]
        raise unsupported(annotation, f"pydantic says: {reason}") from e


def _dump(adapter: Any, value: Any, blobs: Blobs) -> Value:
    try:
        return adapter.dump_python(
            value,
            mode="json",
            by_alias=True,
            round_trip=True,
            context=blobs,
            fallback=lambda part: _dump_object(part, blobs),
        )
    except InvalidValue:
        raise
    except ValueError as e:  # pydantic's own serialization errors are ValueErrors
        raise wrong(f"pydantic cannot store it: {e}") from e


def _dump_object(part: Any, blobs: Blobs) -> Value:
    stored = store_object(part, blobs)
    if stored is None:
        raise wrong(f"{name_of(part)} cannot be stored")
    return stored


def _load(adapter: Any, value: Value, blobs: Blobs, *, objects: bool) -> Any:
    pydantic = import_module("pydantic")
    try:
        if objects:
            return adapter.validate_python(_with_objects(value, blobs), context=blobs)
        return adapter.validate_json(msgspec.json.encode(value), context=blobs)
    except pydantic.ValidationError as e:
        raise _faults(e) from None


def _with_objects(value: Value, blobs: Blobs) -> Any:
    """Return a value in which arrays and tables stand instead of their references; pydantic cannot open them."""
    if isinstance(value, list):
        return [_with_objects(v, blobs) for v in value]
    if not isinstance(value, dict):
        return value
    if is_reference(value) and value.get("media") in OBJECTS:
        opened = open_object(value, blobs)
        # Files and datasets open what they are given themselves, when somebody asks.
        return value if isinstance(opened, File) else opened
    return {k: _with_objects(v, blobs) for k, v in value.items()}


def _faults(error: Any) -> InvalidValue:
    return invalid([Fault(tuple(e["loc"]), _reason(e["msg"])) for e in error.errors()])


def _reason(text: str) -> str:
    if text == "Field required":
        return "this field is missing"
    return text.removeprefix("Value error, ").removeprefix("Assertion failed, ")


def _exact(part: Any) -> Any:
    """Return pydantic's schema with the formats that its values really have."""
    if isinstance(part, list):
        return [_exact(p) for p in part]
    if not isinstance(part, dict):
        return part
    made = {k: v if k in {"default", "enum", "const"} else _exact(v) for k, v in part.items()}
    if made.get("type") == "string" and made.get("format") in _FORMATS:
        made["format"] = _FORMATS[made["format"]]
        if not made["format"]:
            del made["format"]
    return made


def _rename(part: Any, names: dict[str, str]) -> Any:
    if isinstance(part, list):
        return [_rename(p, names) for p in part]
    if not isinstance(part, dict):
        return part
    made = {k: _rename(v, names) for k, v in part.items()}
    target = part.get("$ref")
    if isinstance(target, str):
        name = target.removeprefix("#/$defs/")
        made["$ref"] = f"#/$defs/{names.get(name, name)}"
    return made
