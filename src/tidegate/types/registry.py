"""
From a Python type to its codec: the JSON Schema of its values, and how they are stored and read.

A codec is made once per type. A type that cannot be stored is refused here, when the workflow is compiled.
"""

import collections.abc
import enum
import typing
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Final, get_args, get_origin

import msgspec
from msgspec import Struct

from tidegate.errors import InvalidValue, UnsupportedType
from tidegate.ir.expr import Schema, Value
from tidegate.types.anything import ANY
from tidegate.types.blobbed import PATHS, packaged_form, pickle_form
from tidegate.types.builtin import SCALARS, enum_form, literal_form, write_int
from tidegate.types.containers import dict_form, list_form, tuple_form, union_form
from tidegate.types.form import MAX_DEPTH, Form, inside, unsupported, wrong
from tidegate.types.generics import class_of, title_of
from tidegate.types.models import is_model, model_form, with_constraints
from tidegate.types.records import record_form
from tidegate.types.refs import closed
from tidegate.types.values import PICKLED, FileStore, NoFiles, Pickled

INLINE_MAX: Final = 1024 * 1024
"""Largest stored value, in bytes; anything larger belongs into a blob."""

_SCALAR_STORED: Final = frozenset({int, float, bool, NoneType})
_SHORT: Final = INLINE_MAX // 8
_LEAVES: Final[dict[Any, Form]] = {**SCALARS, **PATHS, Any: ANY}
_USE: Final = "use a dataclass, a pydantic model, File, or Pickled[...] if only tasks ever see it"
_INSTEAD: Final[dict[str, str]] = {
    "pathlib.Path": "use File or Directory, which carry the content along",
    "pathlib.PurePath": "use File or Directory, which carry the content along",
    "pathlib.PosixPath": "use File or Directory, which carry the content along",
    "pandas.Series": "use a DataFrame, or Pickled[...] if only tasks ever see it",
    "builtins.complex": "use a dataclass of two floats",
    "builtins.object": "use Any",
    "builtins.range": "use list[int]",
    "builtins.set": "use list, because JSON has no sets",
    "builtins.frozenset": "use list, because JSON has no sets",
    "builtins.bytearray": "use bytes",
    "collections.OrderedDict": "use dict, which keeps its order",
    "collections.defaultdict": "use dict",
    "collections.Counter": "use dict[str, int]",
    "collections.deque": "use list",
    "collections.abc.Set": "use list, because JSON has no sets",
    "collections.abc.Iterator": "use list",
    "collections.abc.Generator": "use list",
}

_TYPES_OF_TYPES: Final = frozenset({"typing", "types", "typing_extensions"})

_pack: Final = msgspec.msgpack.Encoder().encode


class Codec(Struct, frozen=True, eq=False):
    """
    How values of one Python type are stored.

    `schema` is the JSON Schema (2020-12) of the stored values, self-contained.
    `needs_python`: the schema does not express all of it, so an answer must be decoded to be fully checked.
    """

    annotation: Any
    schema: Schema
    needs_python: bool
    _form: Form

    def encode(self, value: Any, blobs: FileStore) -> Value:
        """Turn a Python object into a stored value. Raises `InvalidValue`, with faults, if it does not match."""
        try:
            stored = self._form.encode(value, blobs)
        except RecursionError:
            raise wrong(f"nested more than {MAX_DEPTH} deep, or within itself") from None
        kind = type(stored)
        if kind in _SCALAR_STORED or (kind is str and len(stored) < _SHORT):
            return stored
        if self._form.recursive:
            check_depth(stored)
        try:
            size = len(_pack(stored))
        except OverflowError:
            _check_size_of_ints(stored)
            raise
        except UnicodeEncodeError:
            raise wrong("a text in it is not valid Unicode: store it as bytes") from None
        if size > INLINE_MAX:
            raise wrong(
                f"the value takes {size:,} bytes, more than the {INLINE_MAX:,} that may be stored "
                "inline: return a File, bytes or an array instead"
            )
        return stored

    def decode(self, value: Value, blobs: FileStore) -> Any:
        """Turn a stored value into the Python object. Raises `InvalidValue`, with faults, if it does not match."""
        return self._form.decode(value, blobs)


def check_depth(value: Value) -> None:
    """Refuse a stored value that is nested too deep."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise wrong(f"nested more than {MAX_DEPTH} deep")


def _check_size_of_ints(value: Value) -> None:
    """Refuse the first int that is too large, because pydantic accepts them."""
    if isinstance(value, int) and not isinstance(value, bool):
        write_int(value, NoFiles())
    elif isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            try:
                _check_size_of_ints(item)
            except InvalidValue as e:
                raise inside(key, e) from None


def codec(annotation: Any, *, where: str = "") -> Codec:
    """
    Return the codec of a type; `where` says in an error whose type it is (`parameter 'x' of task 'm:f'`).

    Forward references must have been resolved. Raises `UnsupportedType`.
    """
    try:
        if not _hashable(annotation):
            return _made(annotation)
        # To Python `int | str` equals `str | int`; here the order is that of the declaration.
        return _cached(annotation, "" if isinstance(annotation, type) else repr(annotation))
    except UnsupportedType as e:
        raise UnsupportedType(f"{where}: {e}") if where else e from None


def _hashable(annotation: Any) -> bool:
    """Say whether an annotation is hashable; metadata in an `Annotated` may not be."""
    try:
        hash(annotation)
    except TypeError:
        return False
    return True


@lru_cache(maxsize=4096)
def _cached(annotation: Any, _spelled: str) -> Codec:
    return _made(annotation)


def _made(annotation: Any) -> Codec:
    forms = _Forms()
    form = forms.make(annotation)
    return Codec(annotation, forms.complete(form.schema), form.python, form)


class _Forms:
    """The forms being built for one codec, with the definitions that their schemas refer to."""

    def __init__(self) -> None:
        self._known: dict[Any, Form] = {}
        self._open: dict[Any, str] = {}
        self._names: dict[Any, str] = {}
        self._defs: dict[str, Schema] = {}

    def complete(self, schema: Schema) -> Schema:
        """Return a schema with all definitions it refers to."""
        return closed(schema, self._defs)

    def make(self, annotation: Any) -> Form:
        """Build the form of a type."""
        if annotation is None:
            return SCALARS[NoneType]
        if _hashable(annotation) and annotation in _LEAVES:
            return _LEAVES[annotation]
        return self._named(annotation) if is_named(annotation) else self._generic(annotation)

    def _named(self, cls: Any) -> Form:
        """Build the form of a class with fields, which may refer to itself."""
        if cls in self._known:
            return self._known[cls]
        name = self._name(cls)
        kind = class_of(cls)
        reference = {"$ref": f"#/$defs/{name}"}
        if cls in self._open:
            return Form(
                schema=reference,
                encode=lambda value, blobs: self._known[cls].encode(value, blobs),  # noqa: PLW0108  known later
                decode=lambda value, blobs: self._known[cls].decode(value, blobs),  # noqa: PLW0108
                takes=(kind,),
                gives=frozenset({dict}),
                recursive=True,
            )
        self._open[cls] = name
        form = model_form(cls, self._defs) if is_model(cls) else record_form(cls, self.make)
        self._defs[name] = form.schema
        self._known[cls] = msgspec.structs.replace(form, schema=reference)
        return self._known[cls]

    def _name(self, cls: Any) -> str:
        if cls not in self._names:
            taken = self._names.values()
            plain = "".join(c if c.isalnum() else "_" for c in title_of(cls))
            tries = (plain if n == 1 else f"{plain}_{n}" for n in range(1, len(taken) + 2))
            self._names[cls] = next(t for t in tries if t not in taken and t not in self._defs)
        return self._names[cls]

    def _generic(self, annotation: Any) -> Form:
        origin, args = get_origin(annotation) or annotation, get_args(annotation)
        if origin is typing.Annotated:
            return self._annotated(annotation, args)
        if origin in (typing.Union, UnionType):
            return union_form(tuple(self.make(a) for a in args))
        if origin is typing.Literal:
            return literal_form(args)
        if origin in (list, collections.abc.Sequence, collections.abc.Iterable):
            return list_form(self.make(args[0] if args else Any))
        if origin in (dict, collections.abc.Mapping):
            key, item = args or (str, Any)
            return dict_form(self.make(key), self.make(item))
        if origin is tuple:
            if annotation in (tuple, typing.Tuple):  # noqa: UP006 - as older code writes it
                return list_form(ANY, tuple)
            if len(args) == 2 and args[1] is Ellipsis:
                return list_form(self.make(args[0]), tuple)
            return tuple_form(tuple(self.make(a) for a in args))
        if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
            return enum_form(annotation)
        if isinstance(annotation, typing.NewType):
            return self.make(annotation.__supertype__)
        packaged = packaged_form(origin)
        if packaged is not None:
            return packaged
        raise self._refusal(annotation)

    def _annotated(self, annotation: Any, args: tuple[Any, ...]) -> Form:
        if any(a is PICKLED or a is Pickled for a in args[1:]):
            return pickle_form(args[0])
        form = self.make(args[0])
        checked = any(
            type(a).__module__.startswith(("annotated_types", "pydantic")) for a in args[1:]
        )
        return with_constraints(form, annotation) if checked else form

    def _refusal(self, annotation: Any) -> UnsupportedType:
        if isinstance(annotation, str | typing.ForwardRef):
            return unsupported(
                annotation, "the name cannot be resolved: define it at the top of a module"
            )
        if isinstance(annotation, typing.TypeVar):
            return unsupported(annotation, "it stands for many types: name one")
        kind = get_origin(annotation) or annotation
        if not isinstance(kind, type) and type(kind).__module__ not in _TYPES_OF_TYPES:
            return unsupported(annotation, "it is a value, not a type")
        name = f"{getattr(kind, '__module__', '')}.{getattr(kind, '__qualname__', '')}"
        return unsupported(annotation, _INSTEAD.get(name, _USE))


def is_named(annotation: Any) -> bool:
    """Say whether a type is a class with named fields, possibly generic with its arguments."""
    kind = class_of(annotation)
    if typing.is_typeddict(kind) or is_model(annotation):
        return True
    if not isinstance(kind, type):
        return False
    fields = hasattr(kind, "__dataclass_fields__")
    return fields or (issubclass(kind, tuple) and hasattr(kind, "_fields"))
