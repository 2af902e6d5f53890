"""
Whether a value reads back as it was stored: the same types all the way down, with equal leaves.

NaN is NaN, -0.0 is not 0.0, 1 is neither 1.0 nor true; a datetime has its zone. Widening by the declared type is allowed:
an int that a float holds exactly, a number of numpy. Files and tables are checked where they are stored.

Most forms need none of this, because they read back identically by construction.
It is for forms that run foreign code in between: pydantic models, constraints, constructors, tables.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, time
from decimal import Decimal
from functools import cached_property, lru_cache
from math import copysign
from operator import is_
from types import NoneType
from typing import Any, Final

from msgspec import Struct

from tidegate.errors import InvalidValue
from tidegate.types.builtin import native
from tidegate.types.form import inside, name_of, one, wrong
from tidegate.types.zones import same_zone

_PLAIN: Final = frozenset({str, int, bool, NoneType, bytes})
"""Types whose equal instances are identical."""
SINGLE: Final = _PLAIN | {float}
"""Immutable types that are stored unchanged."""
_NONE: Final[dict[str, Any]] = {}
_STORED: Final = "tidegate.types."
"""Modules of the classes of files and datasets, which are checked when they are stored."""


def check_alike(value: Any, back: Any) -> None:
    """Refuse a value that reads back differently. Raises `InvalidValue`, which says where."""
    kind = type(value)
    if kind is not type(back):
        if not _widened(value, back):
            raise _other(value, back)
    elif kind in _PLAIN:
        if value != back:
            raise _other(value, back)
    elif kind is float:
        if not _same_float(value, back):
            raise _other(value, back)
    elif value is not back:
        _check_inside(value, back)


def _check_inside(value: Any, back: Any) -> None:
    if _traits(type(value)).fields:
        check_fields(value, back)
        return
    if isinstance(value, list | tuple | dict):
        if len(value) != len(back):
            raise _other(value, back)
        mine = value if isinstance(value, dict) else dict(enumerate(value))
        other = back if isinstance(back, dict) else dict(enumerate(back))
        for (key, one_), (its, another) in zip(mine.items(), other.items(), strict=True):
            check_alike(key, its)
            _check_at(key, one_, another)
        if type(value) in {list, tuple, dict}:
            return
    if isinstance(value, set | frozenset):
        there = {each: each for each in back}
        for each in value:
            check_alike(each, there.get(each))
        same = len(there) == len(value)
    elif isinstance(value, datetime | time):
        # The fold: set where it has no meaning, it says nothing.
        told = value.tzinfo is not None and value.utcoffset() == back.utcoffset()
        same = value == back and (told or value.fold == back.fold)
        same = same and same_zone(value.tzinfo, back.tzinfo)
    elif isinstance(value, Decimal):
        same = str(value) == str(back)
    elif type(value).__module__.startswith(_STORED):
        return
    else:
        same = _same_object(value, back)
    if not same:
        raise _other(value, back)


def _same_object(value: Any, back: Any) -> bool:
    """Compare two objects as their class does, or else by their contents."""
    if not _traits(type(value)).identity:
        return _same_array(value, back) if hasattr(value, "dtype") else bool(value == back)
    check_fields(value, back)
    return bool(attributes(value))


def _same_array(value: Any, back: Any) -> bool:
    if value.dtype != back.dtype or value.shape != back.shape:
        return False
    if value.dtype == object:
        check_alike(value.tolist(), back.tolist())
        return True
    return bool(value.tobytes() == back.tobytes())


def check_fields(value: Any, back: Any) -> None:
    """Refuse an object if the one read back has different contents."""
    mine, other = getattr(value, "__dict__", _NONE), getattr(back, "__dict__", _NONE)
    traits = _traits(type(value))
    if not traits.model and not traits.slots and mine.keys() == other.keys():
        if all(map(is_, mine.values(), other.values())):
            return  # the very objects that the constructor was given
    elif traits.slots or mine.keys() != other.keys():
        mine, other = attributes(value), attributes(back)
    _check_named(mine, other)
    if traits.model:
        for part in ("__pydantic_extra__", "__pydantic_private__"):
            _check_named(getattr(value, part) or _NONE, getattr(back, part) or _NONE)


def _check_named(mine: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    for name, item in mine.items():
        if name not in other:
            raise inside(name, wrong("it would be lost: declare it as a field"))
        its = other[name]
        kind = type(item)
        if kind is not type(its) or item != its or not (kind in _PLAIN or (kind is float and item)):
            _check_at(name, item, its)
    for name in other.keys() - mine.keys():
        raise inside(name, wrong(f"it would come back as {name_of(other[name])}: set it"))


def attributes(value: Any) -> dict[str, Any]:
    """Return an object's contents, without cached properties."""
    cls = type(value)
    found = {
        name: item
        for name, item in getattr(value, "__dict__", _NONE).items()
        if name != "__orig_class__" and not isinstance(getattr(cls, name, None), cached_property)
    }
    return found | {
        name: getattr(value, name) for name in _traits(cls).slots if hasattr(value, name)
    }


class _Traits(Struct, frozen=True):
    """For a class: whether its objects are equal only to themselves, whether it declares fields, whether it is a model; its slots."""

    identity: bool
    fields: bool
    model: bool
    slots: tuple[str, ...]


def _look(cls: Any) -> _Traits:
    slots = (name for base in cls.__mro__ for name in getattr(base, "__slots__", ()))
    model = hasattr(cls, "model_fields")
    return _Traits(
        identity=cls.__eq__ is object.__eq__,
        fields=model or hasattr(cls, "__dataclass_fields__"),
        model=model,
        slots=tuple(name for name in slots if not name.startswith("__")),
    )


_traits: Final[Callable[[Any], _Traits]] = lru_cache(maxsize=1024)(_look)


def _check_at(step: Any, value: Any, back: Any) -> None:
    if value is back:
        return
    try:
        check_alike(value, back)
    except InvalidValue as e:
        raise inside(step if isinstance(step, str | int) else repr(step), e) from None


def _widened(value: Any, back: Any) -> bool:
    """Say whether a number was widened by its declared type, or is one of numpy."""
    plain = native(value)
    if type(back) is float and type(plain) in {int, float}:
        return _same_float(plain, back)
    return plain is not value and type(plain) is type(back) and bool(plain == back)


def _same_float(value: float, back: float) -> bool:
    if value == back:
        return bool(value) or type(value) is int or copysign(1, value) == copysign(1, back)
    return value != value and back != back  # noqa: PLR0124  NaN


def _other(value: Any, back: Any) -> InvalidValue:
    if type(value) is type(back):
        tell = repr if isinstance(value, datetime | time | Decimal) else name_of
        mine, other = tell(value), tell(back)
        told = (
            f"{mine} would be read back as {other}"
            if mine != other
            else f"{mine} would be read back as a different one"
        )
        return wrong(f"{told}: {_way(value)}")
    mine, other = type(value).__qualname__, type(back).__qualname__
    return wrong(
        f"{one(mine)} would be read back as {one(other)}: "
        f"declare {mine}, or a union with it, or make {one(other)} of it"
    )


def _way(value: Any) -> str:
    """Say what to do with a value that does not read back identically."""
    if isinstance(value, datetime | time) and value.tzinfo is not None:
        return "use .astimezone(UTC), and keep the name of the zone in a separate field"
    return "store it in a form that reads back unchanged"
