"""
The field types of a generic class: `Box[int]` has an int where `Box` says `T`.

Each class in the hierarchy has its own type variables, and a subclass binds those of its base.
"""

import typing
from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from tidegate.errors import UnsupportedType
from tidegate.types.form import type_name


def class_of(annotation: Any) -> Any:
    """Return the class of a parametrized type: `Box` of `Box[int]`."""
    return get_origin(annotation) or annotation


def title_of(annotation: Any) -> str:
    """Name a class for people, with its parameters: `Box[int]`."""
    held = ", ".join(
        title_of(a) if isinstance(class_of(a), type) else str(a) for a in get_args(annotation)
    )
    name: str = class_of(annotation).__name__
    return f"{name}[{held}]" if held else name


def field_types(annotation: Any) -> dict[str, Any]:
    """Return the types of the fields of a class, by name. Raises `UnsupportedType` for a name that is not defined."""
    cls = class_of(annotation)
    try:
        hints = get_type_hints(cls, include_extras=True)
    except NameError as e:
        raise UnsupportedType(
            f"a field of {type_name(cls)} names a type that cannot be found ({e}): "
            "define it at the top of a module"
        ) from e
    meant: dict[Any, Mapping[Any, Any]] = {}
    _collect(annotation, meant)
    return {name: _filled(hint, meant[_owner(cls, name)]) for name, hint in hints.items()}


def _owner(cls: Any, name: str) -> Any:
    """Return the class in the hierarchy that declares a field."""
    if typing.is_typeddict(cls):
        return cls  # it has no bases here: Python copies the fields
    return next((c for c in cls.__mro__ if name in vars(c).get("__annotations__", ())), cls)


def _collect(annotation: Any, meant: dict[Any, Mapping[Any, Any]]) -> None:
    """Record what each class in the hierarchy means by its type variables."""
    cls = class_of(annotation)
    own = dict(zip(getattr(cls, "__parameters__", ()), get_args(annotation), strict=False))
    below: dict[Any, Any] = {}
    for base in vars(cls).get("__orig_bases__", getattr(cls, "__bases__", ())):
        if class_of(base) is not typing.Generic and isinstance(class_of(base), type):
            filled = _filled(base, own)
            _collect(filled, meant)
            below |= meant[class_of(base)]
    meant[cls] = {**below, **own} if typing.is_typeddict(cls) else own


def _filled(hint: Any, meant: Mapping[Any, Any]) -> Any:
    """Return a type with its type variables substituted."""
    if isinstance(hint, TypeVar):
        return meant.get(hint, hint)
    wanted = () if isinstance(hint, type) else getattr(hint, "__parameters__", ())
    return hint[tuple(meant.get(each, each) for each in wanted)] if meant and wanted else hint
