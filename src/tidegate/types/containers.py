"""The forms of lists, tuples, dicts and unions, built from the forms of their contents."""

import re
from collections.abc import Callable, Iterable
from itertools import combinations, repeat
from types import NoneType
from typing import Any, Final

from tidegate.errors import InvalidValue
from tidegate.ir.expr import Schema, Value
from tidegate.types.anything import ANY, plain
from tidegate.types.builtin import SCALARS
from tidegate.types.form import Form, changed, inside, misfit, unsupported, wrong
from tidegate.types.values import FileStore

_LIST: Final = frozenset({list})
_DICT: Final = frozenset({dict})
_WHOLE: Final = "^(0|-?[1-9][0-9]*)$"


Turn = Callable[[Any, FileStore], Any]


def list_form(item: Form, kind: type = list) -> Form:
    """Build the form of `list[T]` or, of kind tuple, of `tuple[T, ...]`."""

    def encode(value: Any, blobs: FileStore) -> Value:
        if type(value) is not kind:
            raise _another(value, kind, "a list")
        return _each(value, blobs, repeat(item.encode))

    def decode(value: Value, blobs: FileStore) -> Any:
        if type(value) is not list:
            raise misfit("a list", value)
        return kind(_each(value, blobs, repeat(item.decode)))

    return Form(
        schema={"type": "array", "items": item.schema},
        encode=encode,
        decode=decode,
        takes=(kind,),
        gives=_LIST,
        python=item.python,
        recursive=item.recursive,
    )


def tuple_form(items: tuple[Form, ...]) -> Form:
    """Build the form of `tuple[A, B]`: a list of exactly these."""
    count = len(items)
    encoders, decoders = [f.encode for f in items], [f.decode for f in items]

    def encode(value: Any, blobs: FileStore) -> Value:
        if type(value) is not tuple or len(value) != count:
            sized = isinstance(value, list | tuple) and len(value) != count
            what = f"a list of {count}"
            raise misfit(what, value) if sized else _another(value, tuple, what)
        return _each(value, blobs, encoders)

    def decode(value: Value, blobs: FileStore) -> Any:
        if type(value) is not list or len(value) != count:
            raise misfit(f"a list of {count}", value)
        return tuple(_each(value, blobs, decoders))

    schema: Schema = {"type": "array", "minItems": count, "maxItems": count}
    if items:
        schema["prefixItems"] = [f.schema for f in items]
    return Form(
        schema=schema,
        encode=encode,
        decode=decode,
        takes=(tuple,),
        gives=_LIST,
        python=any(f.python for f in items),
        recursive=any(f.recursive for f in items),
    )


def _another(value: Any, kind: type, what: str) -> InvalidValue:
    """Make the error for a value that is not of this class, but perhaps is written in the same way."""
    alike = (dict,) if kind is dict else (list, tuple)
    return changed(value, kind.__name__) if isinstance(value, alike) else misfit(what, value)


def _each(value: Any, blobs: FileStore, acts: Iterable[Turn]) -> list[Any]:
    made: list[Any] = []
    try:
        for one, act in zip(value, acts, strict=False):
            made.append(act(one, blobs))
    except InvalidValue as e:
        raise inside(len(made), e) from None  # how far it came says where the fault is
    return made


def dict_form(key: Form, item: Form) -> Form:
    """Build the form of `dict[K, V]`: keys other than strings are stored as their text."""
    write, read, names = key_form(key)
    encode_item, decode_item = item.encode, item.decode

    def encode(value: Any, blobs: FileStore) -> Value:
        if type(value) is not dict:
            raise _another(value, dict, "a dict")
        if item is ANY and not names:
            return plain(value, blobs)  # where some keys are reserved
        made: dict[str, Value] = {}
        k: Any = None
        try:
            for k, v in value.items():
                made[write(k, blobs)] = encode_item(v, blobs)
        except InvalidValue as e:
            raise inside(k if isinstance(k, str) else repr(k), e) from None
        if len(made) < len(value):
            raise wrong("two of its keys are written alike: make them distinct")
        return made

    def decode(value: Value, blobs: FileStore) -> Any:
        if type(value) is not dict:
            raise misfit("two of its keys are written in the same way: make them distinct", value)
        made = {}
        k = ""
        try:
            for k, v in value.items():
                made[read(k, blobs)] = decode_item(v, blobs)
        except InvalidValue as e:
            raise inside(k, e) from None
        return made

    schema: Schema = {"type": "object", "additionalProperties": item.schema or True}
    if names:
        schema["propertyNames"] = names
    return Form(
        schema=schema,
        encode=encode,
        decode=decode,
        takes=(dict,),
        gives=_DICT,
        python=item.python or key.python,
        recursive=item.recursive,
    )


def key_form(key: Form) -> tuple[Callable[..., str], Callable[..., Any], Schema]:
    """Return how a key is written and read, and the schema of its text."""
    if key is ANY:
        key = SCALARS[str]
    if key is SCALARS[str]:
        return key.encode, key.decode, {}
    if key.gives == {str}:
        return key.encode, key.decode, key.schema
    if key is SCALARS[int]:

        def read_int(text: str, blobs: FileStore) -> Any:
            if re.fullmatch(_WHOLE.strip("^$"), text, re.ASCII) is None or len(text) > 20:
                raise misfit("a whole number as key", text)
            return key.decode(int(text), blobs)

        return lambda k, blobs: str(key.encode(k, blobs)), read_int, {"pattern": _WHOLE}
    raise unsupported(
        "a dict with such keys", "use text, whole numbers, dates or enums of text as keys"
    )


def union_form(members: tuple[Form, ...]) -> Form:
    """
    Build the form of a union.

    A value is stored by the first member that certainly means its class, else by the first that accepts it, and read
    by the first that can read it. If that is another one, the value would change its type: it is refused.
    """
    if len(members) == 2 and NoneType in members[1].takes + members[0].takes:
        return _optional_form(members[1 if NoneType in members[0].takes else 0])
    ordered = sorted(members, key=lambda f: f.rank)
    ambiguous = any(not a.gives.isdisjoint(b.gives) for a, b in combinations(members, 2))

    def encode(value: Any, blobs: FileStore) -> Value:
        sure = [f for f in ordered if type(value) in f.takes]
        errors: list[InvalidValue] = []
        for form in sure + [f for f in ordered if f not in sure]:
            try:
                stored = form.encode(value, blobs)
            except InvalidValue as e:
                errors.append(e)
                continue
            if ambiguous and _reader(ordered, stored, blobs)[0] is not form:
                raise wrong(
                    f"{_quote(value)} would be read back as another type of the union: "
                    "make the types distinct, for instance with a Literal field"
                )
            return stored
        raise errors[0] if len(sure) == 1 else misfit(expected, value)

    def decode(value: Value, blobs: FileStore) -> Any:
        form, made = _reader(ordered, value, blobs)
        if form is not None:
            return made
        likely = [f for f in ordered if type(value) in f.gives]
        if len(likely) == 1:
            return likely[0].decode(value, blobs)  # for its error, which says more
        raise misfit(expected, value)

    expected = "one of the types of the union"
    return Form(
        schema={"anyOf": [f.schema for f in members]},
        encode=encode,
        decode=decode,
        takes=tuple(cls for f in members for cls in f.takes),
        gives=frozenset().union(*(f.gives for f in members)),
        rank=max(f.rank for f in members),
        python=any(f.python for f in members),
        recursive=any(f.recursive for f in members),
    )


def _quote(value: object) -> str:
    return repr(value) if isinstance(value, str) else f"a {type(value).__qualname__}"


def _reader(ordered: list[Form], value: Value, blobs: FileStore) -> tuple[Form | None, Any]:
    """Find the member that reads a value: first those that store values of its class."""
    sure = [f for f in ordered if type(value) in f.gives]
    for form in sure + [f for f in ordered if f not in sure]:
        try:
            return form, form.decode(value, blobs)
        except InvalidValue:
            continue
    return None, None


def _optional_form(member: Form) -> Form:
    inner_encode, inner_decode = member.encode, member.decode

    def encode(value: Any, blobs: FileStore) -> Value:
        return None if value is None else inner_encode(value, blobs)

    def decode(value: Value, blobs: FileStore) -> Any:
        return None if value is None else inner_decode(value, blobs)

    return Form(
        schema={"anyOf": [member.schema, {"type": "null"}]} if member.schema else {},
        encode=encode,
        decode=decode,
        takes=(*member.takes, NoneType),
        gives=member.gives | {NoneType},
        rank=member.rank,
        python=member.python,
        recursive=member.recursive,
    )
