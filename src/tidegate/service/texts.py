"""The texts that come with a request: each must be Unicode that can be stored, and no longer than it may be."""

from functools import cache
from typing import Final

from tidegate.errors import InvalidValue
from tidegate.wire import Request

SHORT: Final = 255
"""Longest name of a person, of a way in, of a key, of a project, in characters."""

LONG: Final = 10_000
"""Longest comment or reason, and longest path of a signal, in characters."""

_SHORT_ONES: Final = frozenset({"who", "via", "key", "project", "domain", "version"})


def check_texts(request: Request) -> None:
    """Raise `InvalidValue`, naming the field, if a text of a request cannot be stored."""
    for field, longest in _texts_of(type(request)):
        value = getattr(request, field)
        if isinstance(value, str):
            if len(value) > longest or not value.isascii():
                _check(field, value, longest)
        elif isinstance(value, list):
            for text in value:
                if isinstance(text, str):
                    _check(field, text, longest)


@cache
def _texts_of(kind: type[Request]) -> tuple[tuple[str, int], ...]:
    """Return the fields that may hold texts, and how long each may be."""
    return tuple(
        (field, SHORT if field in _SHORT_ONES else LONG) for field in kind.__struct_fields__
    )


def _check(field: str, text: str, longest: int) -> None:
    if len(text) > longest:
        raise InvalidValue(f"{field} has {len(text):,} characters; {longest:,} are allowed")
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidValue(
            f"{field} is not valid Unicode: a lone surrogate at position {error.start}"
        ) from None
