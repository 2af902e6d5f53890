"""
Which bytes of a content are asked for (RFC 9110, section 14).

One range is served. Several in one request, other units and what cannot be read get the whole content, as the standard allows: nobody is
refused for asking in a way that is not known here.
"""

import re
from typing import Final

from tidegate.errors import RangeMissed

_ONE: Final = re.compile(r"bytes\s*=\s*([0-9]{0,18})\s*-\s*([0-9]{0,18})\s*\Z", re.IGNORECASE)


def span_of(asked: str, unless: str, size: int, tag: str) -> range | None:
    """
    Return the bytes that a `Range` asks for; None for all of them.

    `unless` is `If-Range`: another version than `tag` gets the whole. Errors: `RangeMissed`, if the content has no such byte.
    """
    found = _ONE.match(asked)
    if found is None or unless not in ("", tag):
        return None
    first, last = found.groups()
    if first:
        start, stop = int(first), int(last) + 1 if last else size
        if stop <= start and last:
            return None
    elif last:
        start, stop = max(0, size - int(last)), size
    else:
        return None
    if start >= size or start >= stop:
        raise RangeMissed(f"there are {size:,} bytes, and none of the range", size=size)
    return range(start, min(stop, size))
