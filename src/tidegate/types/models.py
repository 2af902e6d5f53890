"""
The forms of pydantic types: models, pydantic dataclasses, and constraints such as `Annotated[int, Gt(0)]`.

Pydantic is loaded when the first such type is met, and not before: importing the package must stay light.
"""

import sys
from importlib import import_module
from types import NoneType
from typing import Any

import msgspec

from tidegate.errors import Fault, InvalidValue
from tidegate.ir.expr import Schema, Value
from tidegate.types import formats
from tidegate.types.alike import check_alike
from tidegate.types.builtin import native
from tidegate.types.form import Form, another, invalid, misfit, unsupported, wrong
from tidegate.types.refs import rewritten
from tidegate.types.sure import sure_model
from tidegate.types.values import FileStore

_FORMATS = {
    "date-time": formats.LOOSE_INSTANT,
    "time": formats.TIME,
    "binary": "",
}

_KINDS: dict[str, frozenset[type]] = {
    "array": frozenset({list}),
    "object": frozenset({dict}),
    "string": frozenset({str}),
    "integer": frozenset({int}),
    "number": frozenset({int, float}),
    "boolean": frozenset({bool}),
    "null": frozenset({NoneType}),
}
"""A schema's type name -> the classes of the stored values."""


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
    sure = sure_model(cls)
    is_root = bool(getattr(cls, "__pydantic_root_model__", False))
    gives = _kinds(schema) if is_root else frozenset({dict})
    inner = schema.pop("$defs", {})
    # The definitions move up; a name that is taken by another definition gets the model's name as a prefix.
    renamed = {n: n if defs.get(n, s) == s else f"{cls.__name__}_{n}" for n, s in inner.items()}
    defs.update({renamed[n]: _renamed(s, renamed) for n, s in inner.items()})
    schema = _renamed(schema, renamed)
    if schema.keys() == {"$ref"}:
        schema = defs[schema["$ref"].removeprefix("#/$defs/")]

    def encode(value: Any, blobs: FileStore) -> Value:
        if type(value) is not cls:
            raise another(value, cls)
        stored = _dump(adapter, value, blobs)
        if sure is None or not sure(value):
            _check(adapter, value, stored, blobs)
        return stored

    def decode(value: Value, blobs: FileStore) -> Any:
        if type(value) not in gives:
            raise misfit(cls.__qualname__ if is_root else f"an object ({cls.__qualname__})", value)
        return _load(adapter, value, blobs)

    return Form(
        schema=schema,
        encode=encode,
        decode=decode,
        takes=(cls,),
        gives=gives,
        python=True,
    )


def _kinds(schema: Schema) -> frozenset[type]:
    """Return the classes of the stored values of a model that is a single value, not an object (`RootModel`); all of them, if its schema does not say."""
    while (ref := str(schema.get("$ref", ""))).startswith("#/$defs/") and "$defs" in schema:
        schema = {**schema["$defs"][ref.removeprefix("#/$defs/")], "$defs": schema["$defs"]}
    kind = schema.get("type")
    return _KINDS[kind] if isinstance(kind, str) else frozenset().union(*_KINDS.values())


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

    def encode(value: Any, blobs: FileStore) -> Value:
        # First the type, strictly, because pydantic would turn "5" into 5; then the constraints.
        stored = form.encode(value, blobs)
        check_alike(value, check(native(value)))
        return stored

    def decode(value: Value, blobs: FileStore) -> Any:
        return check(form.decode(value, blobs))

    return msgspec.structs.replace(
        form, schema=form.schema | schema, encode=encode, decode=decode, python=True, rank=form.rank
    )


def _adapter(annotation: Any) -> tuple[Any, Schema]:
    pydantic = import_module("pydantic")
    try:
        adapter = pydantic.TypeAdapter(annotation)
        return adapter, rewritten(adapter.json_schema(mode="validation"), _exact)
    except (pydantic.errors.PydanticUserError, TypeError, NameError) as e:
        reason = str(e).partition("\n")[0]
        raise unsupported(annotation, f"pydantic says: {reason}") from e


def _dump(adapter: Any, value: Any, blobs: FileStore) -> Value:
    try:
        return adapter.dump_python(
            value, mode="json", by_alias=True, round_trip=True, context=blobs
        )
    except InvalidValue:
        raise
    except ValueError as e:  # pydantic's own serialization errors are ValueErrors
        raise wrong(f"pydantic cannot store it: {e}") from e


def _check(adapter: Any, value: Any, stored: Value, blobs: FileStore) -> None:
    """Refuse a value that pydantic reads back differently."""
    try:
        back = _load(adapter, stored, blobs)
    except InvalidValue as e:
        raise invalid(
            [Fault(f.path, f"it could not be read back: {f.reason}") for f in e.faults]
        ) from None
    check_alike(value, back)


def _load(adapter: Any, value: Value, blobs: FileStore) -> Any:
    pydantic = import_module("pydantic")
    try:
        return adapter.validate_json(msgspec.json.encode(value), context=blobs)
    except pydantic.ValidationError as e:
        raise _faults(e) from None


def _faults(error: Any) -> InvalidValue:
    return invalid([Fault(tuple(e["loc"]), _reason(e["msg"])) for e in error.errors()])


def _reason(text: str) -> str:
    if text == "Field required":
        return "this field is missing"
    return text.removeprefix("Value error, ").removeprefix("Assertion failed, ")


def _exact(schema: Schema) -> Schema:
    """Return a pydantic schema with the format that its values really have."""
    known = _FORMATS.get(schema.get("format", ""))
    if known is None or schema.get("type") != "string":
        return schema
    kept = {k: v for k, v in schema.items() if k != "format"}
    return kept | ({"format": known} if known else {})


def _renamed(part: Any, names: dict[str, str]) -> Any:
    def rename(schema: Schema) -> Schema:
        name = schema.get("$ref", "").removeprefix("#/$defs/")
        return schema | {"$ref": f"#/$defs/{names[name]}"} if name in names else schema

    return rewritten(part, rename)
