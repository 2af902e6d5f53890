"""The forms of dataclasses, NamedTuples and TypedDicts: objects without fields beyond those of the class."""

import dataclasses
import typing
from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Struct

from tidegate.errors import Fault, InvalidValue, UnsupportedType
from tidegate.ir.expr import Schema, Value
from tidegate.types.alike import SINGLE, attributes, check_alike, check_fields
from tidegate.types.form import (
    Form,
    Make,
    another,
    inside,
    invalid,
    misfit,
    type_name,
    unsupported,
    wrong,
)
from tidegate.types.generics import class_of, field_types, title_of
from tidegate.types.values import FileStore, NoFiles

_OBJECT: Final = frozenset({dict})
_QUALIFIERS: Final = (typing.Required, typing.NotRequired)


class _Field(Struct, frozen=True):
    """A field of a record: its form, whether a value may lack it, and whether the constructor takes it."""

    name: str
    form: Form
    optional: bool = False
    in_constructor: bool = True
    default: Any = dataclasses.MISSING


def record_form(annotation: Any, make: Make) -> Form:
    """Build the form of a dataclass, a NamedTuple or a TypedDict; a generic one with its type arguments."""
    cls, hints = class_of(annotation), field_types(annotation)
    if typing.is_typeddict(cls):
        form = _typed_dict(cls, hints, make)
    elif dataclasses.is_dataclass(cls):
        form = _dataclass(cls, hints, make)
    else:
        form = _named_tuple(cls, hints, make)
    return msgspec.structs.replace(form, schema=form.schema | {"title": title_of(annotation)})


def _make_field(cls: Any, name: str, annotation: Any, make: Make) -> Form:
    try:
        return make(annotation)
    except UnsupportedType as e:
        raise UnsupportedType(f"field {name!r} of {type_name(cls)}: {e}") from e


def _dataclass(cls: Any, hints: dict[str, Any], make: Make) -> Form:
    missing = dataclasses.MISSING
    if any(isinstance(h, dataclasses.InitVar) for h in hints.values()):
        raise unsupported(cls, "it has an InitVar, which is not kept: make it a field")
    fields = []
    for f in dataclasses.fields(cls):
        default = f.default if f.default_factory is missing else f.default_factory()
        optional = default is not missing or not f.init
        form = _make_field(cls, f.name, hints[f.name], make)
        fields.append(_Field(f.name, form, optional, f.init, default))
    build = _builder(cls) if all(f.in_constructor for f in fields) else _late_builder(cls, fields)
    return _record(cls, fields, build, python=hasattr(cls, "__post_init__"))


def _constructed(cls: Any, fields: list[_Field]) -> bool:
    """Say whether the author's code runs between the fields of a value and the object made from them."""
    made = getattr(cls, "__init__" if dataclasses.is_dataclass(cls) else "__new__")
    # Python writes the constructors of dataclasses and NamedTuples itself, as text.
    written = getattr(made, "__code__", None)
    frozen = getattr(getattr(cls, "__dataclass_params__", None), "frozen", False)
    return (
        hasattr(cls, "__post_init__")
        or written is None
        or written.co_filename != "<string>"
        or (cls.__setattr__ is not object.__setattr__ and not frozen)
        or any(isinstance(getattr(cls, f.name, None), property) for f in fields)
    )


def _builder(cls: Any) -> Callable[[dict[str, Any]], Any]:
    def build(values: dict[str, Any]) -> Any:
        try:
            return cls(**values)
        except (ValueError, TypeError, AssertionError) as e:
            raise wrong(f"{cls.__qualname__} refused it: {e}") from e

    return build


def _late_builder(cls: Any, fields: list[_Field]) -> Callable[[dict[str, Any]], Any]:
    """Return a builder for a class with fields that its constructor does not accept."""
    late = {f.name for f in fields if not f.in_constructor}
    build = _builder(cls)

    def build_late(values: dict[str, Any]) -> Any:
        made = build({k: v for k, v in values.items() if k not in late})
        for name in late & values.keys():
            object.__setattr__(made, name, values[name])  # the class may be frozen
        return made

    return build_late


def _record(
    cls: Any, fields: list[_Field], build: Callable[[dict[str, Any]], Any], *, python: bool = False
) -> Form:
    encoders = [(f.name, f.form.encode) for f in fields]
    names = {f.name for f in fields}
    count = 0 if issubclass(cls, tuple) else len(fields)
    read = _reader(cls.__qualname__, fields)
    constructed = _constructed(cls, fields)
    check = check_alike if issubclass(cls, tuple) else check_fields

    def encode(value: Any, blobs: FileStore) -> Value:
        if type(value) is not cls:
            raise another(value, cls)
        made = {}
        name = ""
        try:
            for name, turn in encoders:
                made[name] = turn(getattr(value, name), blobs)
        except InvalidValue as e:
            raise inside(name, e) from None
        except AttributeError:
            raise inside(name, wrong("this field was never set")) from None
        if constructed:
            given = {name: getattr(value, name) for name in names}
            # A constructor may change a list that it is given; scalars are safe from it.
            single = SINGLE.issuperset(map(type, given.values()))
            check(value, build(given if single else read(made, blobs)))
        elif len(getattr(value, "__dict__", ())) > count:
            _check_fields_only(value, names)
        return made

    return Form(
        schema=_schema(cls, fields),
        encode=encode,
        decode=lambda value, blobs: build(read(value, blobs)),
        takes=(cls,),
        gives=_OBJECT,
        python=python or any(f.form.python for f in fields),
        recursive=any(f.form.recursive for f in fields),
    )


def _check_fields_only(value: Any, names: set[str]) -> None:
    for name in attributes(value).keys() - names:
        raise inside(
            name,
            wrong(
                f"it would be lost, because {type(value).__qualname__} has no such field: declare it"
            ),
        )


def _reader(title: str, fields: list[_Field]) -> Callable[[Value, FileStore], dict[str, Any]]:
    decoders = {f.name: f.form.decode for f in fields}
    required = [f.name for f in fields if not f.optional]

    def read(value: Value, blobs: FileStore) -> dict[str, Any]:
        if type(value) is not dict:
            raise misfit(f"an object ({title})", value)
        faults = [Fault((name,), "this field is missing") for name in required if name not in value]
        made = {}
        for name, item in value.items():
            turn = decoders.get(name)
            if turn is None:
                faults.append(Fault((name,), f"{title} has no such field"))
                continue
            try:
                made[name] = turn(item, blobs)
            except InvalidValue as e:
                faults.extend(inside(name, e).faults)
        if faults:
            raise invalid(faults)
        return made

    return read


def _schema(cls: Any, fields: list[_Field]) -> Schema:
    properties = {}
    for f in fields:
        properties[f.name] = dict(f.form.schema)
        if f.default is not dataclasses.MISSING:
            try:
                properties[f.name]["default"] = f.form.encode(f.default, NoFiles())
            except InvalidValue:
                continue  # a default that cannot be shown is still there when the value is built
    schema: Schema = {"title": cls.__name__, "type": "object", "properties": properties}
    described = (cls.__doc__ or "").strip()
    if described and not described.startswith(f"{cls.__name__}(") and cls.__doc__ != dict.__doc__:
        schema["description"] = described.partition("\n\n")[0].replace("\n", " ")
    required = [f.name for f in fields if not f.optional]
    if required:
        schema["required"] = required
    return schema | {"additionalProperties": False}


def _named_tuple(cls: Any, hints: dict[str, Any], make: Make) -> Form:
    fields = []
    for name in cls._fields:
        form = _make_field(cls, name, hints.get(name, Any), make)
        defaults = cls._field_defaults
        fields.append(
            _Field(name, form, name in defaults, default=defaults.get(name, dataclasses.MISSING))
        )
    return _record(cls, fields, _builder(cls))


def _typed_dict(cls: Any, hints: dict[str, Any], make: Make) -> Form:
    fields = []
    for name, hint in hints.items():
        annotation, optional = hint, name not in cls.__required_keys__
        # With annotations as strings, Python itself evaluates these too late for `__required_keys__`.
        while typing.get_origin(annotation) in _QUALIFIERS:
            optional = typing.get_origin(annotation) is typing.NotRequired
            annotation = typing.get_args(annotation)[0]
        form = _make_field(cls, name, annotation, make)
        fields.append(_Field(name, form, optional))
    # A TypedDict is a dict on both sides, so it is written as it is read, with the other functions.
    writers = [_Field(f.name, _turned(f.form), f.optional) for f in fields]
    return Form(
        schema=_schema(cls, fields),
        encode=_reader(cls.__name__, writers),
        decode=_reader(cls.__name__, fields),
        gives=_OBJECT,
        python=any(f.form.python for f in fields),
        recursive=any(f.form.recursive for f in fields),
    )


def _turned(form: Form) -> Form:
    return Form(schema=form.schema, encode=form.decode, decode=form.encode)
