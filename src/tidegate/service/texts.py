"""The texts that come with a request: each must be Unicode that can be stored, and no longer than it may be."""

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
    for field in request.__struct_fields__:
        value = getattr(request, field)
        for text in value if isinstance(value, list) else (value,):
            if isinstance(text, str):
                _check(field, text)


def _check(field: str, text: str) -> None:
    longest = SHORT if field in _SHORT_ONES else LONG
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
