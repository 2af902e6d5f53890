"""The forms of lists, tuples, sets, dicts and unions, built from the forms of what is in them."""

import re
from collections.abc import Callable
from itertools import combinations
from math import isfinite
from types import NoneType
from typing import Any, Final

import msgspec

from tidegate.errors import InvalidValue
from tidegate.ir.expr import Schema, Value
from tidegate.types.anything import ANY, plain
from tidegate.types.builtin import INT_MAX, INT_MIN, SCALARS
from tidegate.types.form import Form, inside, misfit, unsupported, wrong
from tidegate.types.values import Blobs

_LIST: Final = frozenset({list})
_DICT: Final = frozenset({dict})
_SIZED: Final = (list, tuple)
_WHOLE: Final = "^(0|-?[1-9][0-9]*)$"


def list_form(item: Form, title: str = "a list") -> Form:
    """Build the form of `list[T]`."""
    encode_each, decode_each = each(item, title)
    if item is ANY:
        encode_each = _untyped(list, encode_each)
    return Form(
        schema={"type": "array", "items": item.schema},
        encode=_copying(item, encode_each),
        decode=_copying(item, decode_each),
        takes=(list,),
        gives=_LIST,
        python=item.python,
        recursive=item.recursive,
    )


Loop = Callable[[Any, Blobs], list[Any]]


def each(item: Form, title: str) -> tuple[Loop, Loop]:
    """Return the two functions that turn every item of a list or tuple."""

    def loop(turn: Callable[[Any, Blobs], Any]) -> Loop:
        def run(value: Any, blobs: Blobs) -> list[Any]:
            if not isinstance(value, _SIZED):
                raise misfit(title, value)
            made: list[Any] = []
            try:
                for one in value:
                    made.append(turn(one, blobs))  # noqa: PERF401  its length says where a fault is
            except InvalidValue as e:
                raise inside(len(made), e) from None
            return made

        return run

    return loop(item.encode), loop(item.decode)


def _copying(item: Form, slow: Loop) -> Loop:
    """Return a faster way for a list whose items are stored as they are, else the slow one."""
    checks: dict[type, Callable[[list[Any]], bool]] = {
        # A sum of floats is finite only if each of them is; if finite ones overflow, the slow way finds out.
        float: lambda items: isfinite(sum(items)),
        int: lambda items: min(items) >= INT_MIN and max(items) <= INT_MAX,
        str: lambda items: "".join(items).isascii(),
        bool: lambda _items: True,
    }
    scalar = next((s for s in checks if SCALARS[s] is item), None)
    if scalar is None:
        return slow
    check, only = checks[scalar], {scalar}

    def fast(value: Any, blobs: Blobs) -> list[Any]:
        # The types of all items are compared at once, in C.
        if type(value) is list and set(map(type, value)) == only and check(value):
            return value.copy()
        return slow(value, blobs)

    return fast


def _untyped(kind: type, other: Callable[[Any, Blobs], Any]) -> Callable[[Any, Blobs], Any]:
    """Return how a container of anything is stored: as one untyped value, so that reserved keys are seen."""

    def encode(value: Any, blobs: Blobs) -> Value:
        return plain(value, blobs) if type(value) is kind else other(value, blobs)

    return encode


def set_form(item: Form, kind: type) -> Form:
    """Build the form of `set[T]` or `frozenset[T]`: a list in a fixed order."""
    _, decode_each = each(item, "a list without repeats")

    def encode(value: Any, blobs: Blobs) -> Value:
        if not isinstance(value, set | frozenset):
            raise misfit("a set", value)
        return sorted((item.encode(one, blobs) for one in value), key=msgspec.json.encode)

    def decode(value: Value, blobs: Blobs) -> Any:
        try:
            made = kind(decode_each(value, blobs))
        except TypeError:
            raise wrong("the items of a set must be hashable") from None
        if len(made) != len(value):
            raise wrong("an item is repeated")
        return made

    return Form(
        schema={"type": "array", "items": item.schema, "uniqueItems": True},
        encode=encode,
        decode=decode,
        takes=(kind,),
        gives=_LIST,
        python=item.python,
        recursive=item.recursive,
    )


def variadic_form(item: Form) -> Form:
    """Build the form of `tuple[T, ...]`."""
    encode_each, decode_each = each(item, "a list")

    def decode(value: Value, blobs: Blobs) -> Any:
        return tuple(decode_each(value, blobs))

    return Form(
        schema={"type": "array", "items": item.schema},
        encode=encode_each,
        decode=decode,
        takes=(tuple,),
        gives=_LIST,
        python=item.python,
        recursive=item.recursive,
    )


def tuple_form(items: tuple[Form, ...]) -> Form:
    """Build the form of `tuple[A, B]`: a list of exactly these."""
    count = len(items)
    expected = f"a list of {count}"

    def turn(value: Any, blobs: Blobs, turns: list[Callable[[Any, Blobs], Any]]) -> list[Any]:
        if not isinstance(value, _SIZED) or len(value) != count:
            raise misfit(expected, value)
        made: list[Any] = []
        try:
            for one, act in zip(value, turns, strict=True):
                made.append(act(one, blobs))
        except InvalidValue as e:
            raise inside(len(made), e) from None
        return made

    encoders = [f.encode for f in items]
    decoders = [f.decode for f in items]
    schema: Schema = {"type": "array", "minItems": count, "maxItems": count}
    if items:
        schema["prefixItems"] = [f.schema for f in items]
    return Form(
        schema=schema,
        encode=lambda value, blobs: turn(value, blobs, encoders),
        decode=lambda value, blobs: tuple(turn(value, blobs, decoders)),
        takes=(tuple,),
        gives=_LIST,
        python=any(f.python for f in items),
        recursive=any(f.recursive for f in items),
    )


def dict_form(key: Form, item: Form) -> Form:
    """Build the form of `dict[K, V]`: keys that are not text are stored as the text they are written as."""
    write, read, names = key_form(key)
    encode_item, decode_item = item.encode, item.decode

    def encode(value: Any, blobs: Blobs) -> Value:
        if not isinstance(value, dict):
            raise misfit("a dict", value)
        made: dict[str, Value] = {}
        k: Any = None
        try:
            for k, v in value.items():
                made[write(k, blobs)] = encode_item(v, blobs)
        except InvalidValue as e:
            raise inside(k if isinstance(k, str) else repr(k), e) from None
        return made

    def decode(value: Value, blobs: Blobs) -> Any:
        if type(value) is not dict:
            raise misfit("an object", value)
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
    whole = item is ANY and not names
    return Form(
        schema=schema,
        encode=_untyped(dict, encode) if whole else encode,
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

        def read_int(text: str, blobs: Blobs) -> Any:
            if re.fullmatch(_WHOLE.strip("^$"), text, re.ASCII) is None or len(text) > 20:
                raise misfit("a whole number as key", text)
            return key.decode(int(text), blobs)

        return lambda k, blobs: str(key.encode(k, blobs)), read_int, {"pattern": _WHOLE}
    options = [False, True] if key is SCALARS[bool] else key.schema.get("enum")
    if options is None:
        raise unsupported(
            "a dict with such keys", "use text, whole numbers, dates or enums as keys"
        )
    stored = {key_text(o): o for o in options}

    def read(text: str, blobs: Blobs) -> Any:
        if text not in stored:
            raise misfit(f"one of: {', '.join(stored)}", text)
        return key.decode(stored[text], blobs)

    return lambda k, blobs: key_text(key.encode(k, blobs)), read, {"enum": list(stored)}


def key_text(value: Value) -> str:
    """Write a plain value as the key of an object."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def union_form(members: tuple[Form, ...]) -> Form:
    """
    Build the form of a union.

    A value is stored by the first member that surely means its class, else by the first that takes it, and read
    by the first that reads it. If that is another one, the value would change its type on the way: it is refused.
    """
    if len(members) == 2 and NoneType in members[1].takes + members[0].takes:
        return _optional_form(members[1 if NoneType in members[0].takes else 0])
    ordered = sorted(members, key=lambda f: f.rank)
    ambiguous = any(not a.gives.isdisjoint(b.gives) for a, b in combinations(members, 2))

    def encode(value: Any, blobs: Blobs) -> Value:
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

    def decode(value: Value, blobs: Blobs) -> Any:
        form, made = _reader(ordered, value, blobs)
        if form is not None:
            return made
        likely = [f for f in ordered if type(value) in f.gives]
        if len(likely) == 1:
            return likely[0].decode(value, blobs)  # for its error, which says more
        raise misfit(expected, value)

    expected = "one of the types of the union"
    return Form(
        schema=_union_schema(members),
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


def _reader(ordered: list[Form], value: Value, blobs: Blobs) -> tuple[Form | None, Any]:
    """Find the member that reads a value: first those that store values of its class."""
    sure = [f for f in ordered if type(value) in f.gives]
    for form in sure + [f for f in ordered if f not in sure]:
        try:
            return form, form.decode(value, blobs)
        except InvalidValue:
            continue
    return None, None


def _union_schema(members: tuple[Form, ...]) -> Schema:
    return {"anyOf": [f.schema for f in members]}


def _optional_form(member: Form) -> Form:
    inner_encode, inner_decode = member.encode, member.decode

    def encode(value: Any, blobs: Blobs) -> Value:
        return None if value is None else inner_encode(value, blobs)

    def decode(value: Value, blobs: Blobs) -> Any:
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
