"""
What a route is: a method and a path, who may ask, what comes in, what goes out, and the function between.

A route is data. The door is driven by it, and the OpenAPI document is made of it, so the two cannot disagree.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Literal, TypeAlias
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec import Struct, field

from tidegate.errors import TidegateError, UnknownRoute
from tidegate.service.access import Action, Principal

Method = Literal["GET", "POST", "PUT", "DELETE"]

JSON = "application/json"
BYTES = "application/octet-stream"

MAX_JSON = 1024 * 1024
"""Bytes of a body of JSON."""

Scope: TypeAlias = dict[str, Any]
Message: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
AsgiApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_encode = msgspec.json.Encoder().encode


class Call(Struct, frozen=True, kw_only=True):
    """One request, read and checked. `via` says through what it comes: api, ui, client or cli."""

    principal: Principal
    via: str
    path: Mapping[str, str]
    query: Any = None
    body: Any = None
    headers: Mapping[str, str] = {}
    gone: Callable[[], Awaitable[None]] | None = None
    """Returns when whoever asked has hung up."""
    chunks: AsyncIterator[bytes] | None = None
    """The body, if the route takes it as it comes."""

    @property
    def who(self) -> str:
        """Who asks."""
        return self.principal.name


class Reply(Struct, frozen=True):
    """What goes back: a view as JSON, or bytes."""

    view: Any = None
    status: int = 200
    headers: Mapping[str, str] = {}
    media: str = JSON

    def content(self) -> bytes:
        """Return the body."""
        return self.view if isinstance(self.view, bytes) else _encode(self.view)


class Stream(Struct, frozen=True):
    """What goes back piece by piece, for as long as it lasts and somebody listens."""

    pieces: AsyncIterator[bytes]
    media: str
    headers: Mapping[str, str] = {}


Handler: TypeAlias = Callable[[Any, Call], Awaitable[Reply | Stream]]


class Header(Struct, frozen=True):
    """A request header that a route looks at."""

    name: str
    description: str
    longest: int = 255
    schema: dict[str, str] = {}


class Content(Struct, frozen=True):
    """A body that is not JSON: its media types, and how long it may be in bytes."""

    media: tuple[str, ...] = (BYTES,)
    limit: int = MAX_JSON
    streamed: bool = False


class Route(Struct, frozen=True, kw_only=True):
    """
    One thing that can be asked for.

    In `path`, `{name}` stands for one segment, and `{name...}` for one or more. `query` and `body` are Structs; a `Content` is a body of bytes.
    `gives` says what comes back with which status; `refuses` which errors are to be expected beside those that every route can give.
    """

    method: Method
    path: str
    action: Action
    handler: Handler
    query: type[Struct] | None = None
    body: "type[Struct] | Content | None" = None
    headers: tuple[Header, ...] = ()
    gives: dict[int, Any] = field(default_factory=dict)
    refuses: tuple[type[TidegateError], ...] = ()
    tag: str = ""
    outside: bool = False
    """Whether it is left out of the OpenAPI document."""

    @property
    def name(self) -> str:
        """Return the name of the operation, which is that of the function."""
        return self.handler.__name__

    @property
    def params(self) -> list[str]:
        """Return the names of the parts of the path that stand for something."""
        return re.findall(r"\{(\w+)(?:\.\.\.)?\}", self.path)


class Table:
    """All routes, to be found by method and path."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self.routes = routes
        self._by_method: dict[str, list[tuple[re.Pattern[bytes], Route]]] = {}
        for route in routes:
            self._by_method.setdefault(route.method, []).append((_pattern(route.path), route))

    def find(self, method: str, path: bytes) -> tuple[Route, dict[str, str]] | None:
        """
        Return the route of a raw path, and what its parts stand for; None if there is none for this method.

        Errors: `UnknownRoute` if a part of the path is not UTF-8.
        """
        for pattern, route in self._by_method.get(method, ()):
            found = pattern.match(path)
            if found is not None:
                return route, {name: _decoded(raw) for name, raw in found.groupdict().items()}
        return None

    def methods(self, path: bytes) -> list[str]:
        """Return the methods that there are at a path; what can be got can be asked for its head."""
        found: list[str] = [method for method in self._by_method if self.find(method, path)]
        return [*found, "HEAD"] if "GET" in found else found


def _pattern(path: str) -> re.Pattern[bytes]:
    parts = re.split(r"(\{\w+(?:\.\.\.)?\})", path)
    text = "".join(
        re.escape(part)
        if not part.startswith("{")
        else f"(?P<{part[1:-4]}>.+)"
        if part.endswith("...}")
        else f"(?P<{part[1:-1]}>[^/]+)"
        for part in parts
    )
    return re.compile(text.encode() + rb"\Z", re.DOTALL)


def _decoded(raw: bytes) -> str:
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise UnknownRoute("the path is not UTF-8, percent-encoded") from None
