"""
How a reply is sent: at once, or piece by piece; with the headers common to all replies.

Our own protocol takes a complete reply in one call (the ASGI extension `WHOLE`): it knows that these headers are valid, and writes
once. Where it is not offered, a reply is sent as ASGI messages.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from tidegate.api.problems import MEDIA, document, headers_of
from tidegate.api.route import JSON, Scope, Send, encode
from tidegate.errors import TidegateError

WHOLE: Final = "tidegate.whole"
"""Scope key of the function that sends a complete reply: a status, the lines of the head, and the body."""

EVERY_REPLY: Final[tuple[tuple[bytes, bytes], ...]] = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
"""The headers of every reply, unless a route overrides them."""

_UNSOUND: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_NOTHING: Final[Mapping[str, Any]] = {}


class Out:
    """Where the reply to one request goes. `status` is 0 until it has started."""

    __slots__ = ("_send", "_whole", "status")

    def __init__(self, scope: Scope, send: Send) -> None:
        self._send = send
        self._whole = scope.get("extensions", _NOTHING).get(WHOLE)
        self.status = 0

    async def whole(
        self, status: int, body: bytes, media: str = JSON, headers: Mapping[str, str] | None = None
    ) -> None:
        """Send a complete reply."""
        self.status = status
        if self._whole is not None:
            await self._whole(status, head_lines(media, headers, len(body)), body)
            return
        listed = head(media, headers)
        if not headers or "content-length" not in headers:
            listed.append((b"content-length", b"%d" % len(body)))
        await self._send({"type": "http.response.start", "status": status, "headers": listed})
        await self._send({"type": "http.response.body", "body": body})

    async def problem(
        self, problem: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        """Send the document of an error as the complete reply."""
        await self.whole(problem["status"], encode(problem), MEDIA, headers)

    async def error(self, error: TidegateError) -> None:
        """Send one of our errors as the complete reply."""
        await self.problem(document(error), headers_of(error))

    async def begin(self, media: str, headers: Mapping[str, str], status: int = 200) -> None:
        """Start a reply that is sent in pieces."""
        self.status = status
        listed = head(media, headers)
        await self._send({"type": "http.response.start", "status": status, "headers": listed})

    async def piece(self, piece: bytes, *, last: bool = False) -> None:
        """Send a piece; returns when there is room for the next."""
        await self._send({"type": "http.response.body", "body": piece, "more_body": not last})


def head(media: str, headers: Mapping[str, str] | None = None) -> list[tuple[bytes, bytes]]:
    """Return the headers of a reply: the common ones, overridden and extended by these."""
    if not headers:
        return [*EVERY_REPLY, (b"content-type", media.encode())]
    own = {name.lower().encode(): value.encode("latin-1") for name, value in headers.items()}
    own.setdefault(b"content-type", media.encode())
    return [each for each in EVERY_REPLY if each[0] not in own] + list(own.items())


def head_lines(media: str, headers: Mapping[str, str] | None, size: int) -> bytes:
    """Return the headers of a complete reply as the lines that are sent."""
    if not headers:
        return b"%bcontent-length: %d\r\n" % (_usual_lines(media), size)
    listed = head(media, headers)
    for name, value in listed:
        assert not _UNSOUND.search(value), f"the header {name!r} has a control character"
    lines = lines_of(listed)
    return lines if "content-length" in headers else b"%bcontent-length: %d\r\n" % (lines, size)


@lru_cache(64)
def _usual_lines(media: str) -> bytes:
    return lines_of(head(media))


def lines_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return headers as the lines that are sent."""
    return b"".join([b"%b: %b\r\n" % each for each in headers])
