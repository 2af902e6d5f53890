"""JSON that a person typed or keeps in a file, read strictly: an object with a duplicate key is refused."""

import json
from collections import Counter
from contextlib import suppress
from typing import Any

import msgspec

from tidegate.ir.expr import Value
from tidegate.types.form import MAX_DEPTH, wrong


def read_json(text: str) -> Value:
    """
    Return the one JSON value in a text.

    Raises `ValueError`, saying where, if the text is not JSON; `InvalidValue` if an object has a duplicate key or it is nested too deep.
    """
    try:
        value: Value = msgspec.json.decode(text)
        if "{" in text:
            _keys.decode(text)
    except msgspec.DecodeError as error:
        raise ValueError(_why(text, error)) from None
    except UnicodeEncodeError:
        raise ValueError("it is not valid Unicode") from None
    except RecursionError:
        raise wrong(f"JSON is nested more than {MAX_DEPTH} deep") from None
    return value


def _why(text: str, error: msgspec.DecodeError) -> str:
    """Say why a text is not JSON; for half of a surrogate pair the fast parser reports that the data was truncated."""
    if "\\ud" in text.lower():
        with suppress(ValueError, RecursionError):
            _keys.decode(text)
            return "it is not valid Unicode: it has half of a surrogate pair"
    return str(error)


def _pairs(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        times = Counter(name for name, _ in pairs)
        twice = next(name for name in times if times[name] > 1)
        raise wrong(f"JSON has the key {twice[:80]!r} twice in one object")


# Looks at the keys only, because the fast parser takes the last of two; its result is discarded.
_keys = json.JSONDecoder(object_pairs_hook=_pairs, parse_int=len, parse_float=len)
