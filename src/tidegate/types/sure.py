"""
Pydantic models whose values certainly read back identically: inspecting their classes proves it, and no reading back is needed.

That holds if none of the code between the fields and the JSON is the author's (validators, serializers, aliases, private
attributes), and each field has a type that pydantic writes and reads exactly. For all other models, and for values of
subclasses, this proves nothing: they are read back and compared.
"""

import enum
import types
import typing
from collections.abc import Callable
from datetime import UTC, date, datetime
from math import isfinite
from typing import Any, Final, TypeAlias, get_args, get_origin
from uuid import UUID

Test: TypeAlias = Callable[[Any], bool]

_HARMLESS: Final = frozenset(
    {"title", "frozen", "validate_assignment", "arbitrary_types_allowed", "use_attribute_docstrings", "json_schema_extra", "from_attributes"}
)  # fmt: skip
"""Settings of a model that change nothing about how its values are written and read."""
_DECORATORS: Final = (
    "validators", "field_validators", "root_validators", "field_serializers", "model_serializers", "model_validators",
)  # fmt: skip
_CODE: Final = ("__pydantic_custom_init__", "__pydantic_root_model__", "__private_attributes__")


def sure_model(cls: Any) -> Test | None:
    """Return a test for whether a value of a model certainly reads back identically; None if that cannot be proved."""
    try:
        return _model(cls, {})
    except LookupError:
        return None


def _float(value: Any) -> bool:
    return type(value) is float and isfinite(value)


def _datetime(value: Any) -> bool:
    return (
        type(value) is datetime and (value.tzinfo is None or value.tzinfo is UTC) and not value.fold
    )


def _exactly(*kinds: type) -> Test:
    allowed = frozenset(kinds)
    return lambda value: type(value) in allowed


_PLAIN: Final = frozenset({str, int, bool, date, UUID, types.NoneType})
_LEAVES: Final[dict[Any, Test]] = {
    **{kind: _exactly(kind) for kind in _PLAIN},
    None: _exactly(types.NoneType),
    float: _float,
    datetime: _datetime,
}


def _of(annotation: Any, known: dict[Any, Test]) -> Test:
    """Return the test of a type. Raises `LookupError` for one without that guarantee."""
    if annotation in known:
        return known[annotation]
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is None:
        return _class(annotation, known)
    if origin is list and args:
        item = _of(args[0], known)
        return lambda value: type(value) is list and all(map(item, value))
    if origin is dict and args[0] is str:
        entry, key = _of(args[1], known), _exactly(str)
        return lambda value: (
            type(value) is dict and all(map(key, value)) and all(map(entry, value.values()))
        )
    if origin is typing.Literal and all(type(member) is str for member in args):
        return lambda value: type(value) is str and value in args
    members = [a for a in args if a is not types.NoneType]
    if origin in (typing.Union, types.UnionType) and len(members) == 1:
        inner = _of(members[0], known)
        return lambda value: value is None or inner(value)
    raise LookupError(annotation)


def _class(cls: Any, known: dict[Any, Test]) -> Test:
    if cls in _LEAVES:
        return _LEAVES[cls]
    if isinstance(cls, enum.EnumType) and all(
        type(member.value) is str for member in list[enum.Enum](cls)
    ):
        return _exactly(cls)
    if hasattr(cls, "__pydantic_fields__"):
        return _model(cls, known)
    raise LookupError(cls)


def _model(cls: Any, known: dict[Any, Test]) -> Test:
    decorators = getattr(cls, "__pydantic_decorators__", None)  # of pydantic's own dataclasses, too
    own = {"__get_pydantic_core_schema__", "model_post_init"} & {
        name
        for base in cls.__mro__
        if not base.__module__.startswith("pydantic")
        for name in vars(base)
    }
    if (
        decorators is None
        or not hasattr(cls, "model_config")
        or own
        or any(getattr(cls, name) for name in _CODE)
        or any(getattr(decorators, kind, None) for kind in _DECORATORS)
        or not cls.model_config.keys() <= _HARMLESS
    ):
        raise LookupError(cls)
    plain: list[tuple[str, frozenset[type]]] = []
    others: list[tuple[str, Test]] = []

    def test(value: Any) -> bool:
        if type(value) is not cls:
            return False
        has = value.__dict__
        for name, kinds in plain:
            if name not in has or type(has[name]) not in kinds:
                return False
        for name, fits in others:
            if name not in has or not fits(has[name]):
                return False
        return len(has) == len(plain) + len(others)

    known[cls] = test
    for name, field in cls.__pydantic_fields__.items():
        fits = _field(field, known)
        kinds = frozenset(get_args(field.annotation) or (field.annotation,))
        if kinds <= _PLAIN:
            plain.append((name, kinds))
        else:
            others.append((name, fits))
    return test


def _field(field: Any, known: dict[Any, Test]) -> Test:
    if (
        field.metadata
        or field.exclude
        or field.alias
        or field.validation_alias
        or field.serialization_alias
        or field.discriminator
    ):
        raise LookupError(field)
    return _of(field.annotation, known)
