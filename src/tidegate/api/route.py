"""
What a route is: a method and a path, the right it needs, its input and output, and the function in between.

A route is data. The door runs from it, and the OpenAPI document is generated from it, so the two cannot disagree. Most routes pass a request of `wire`
to the service, and are made from its binding (`asking`).
"""

import inspect
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import cached_property
from typing import Any, TypeAlias
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec import Struct, field, structs

from tidegate.errors import TidegateError, UnknownRoute
from tidegate.service.access import Action, Principal
from tidegate.service.admission import action_of
from tidegate.wire import read, view_of
from tidegate.wire.bindings import BINDINGS, Binding, Method

JSON = "application/json"
BYTES = "application/octet-stream"

MAX_JSON = 1024 * 1024
"""Bytes of a body of values over the network: the size limit of one value."""

MAX_WORDS = 128 * 1024
"""Bytes of a body of text: a comment of 10,000 characters, each escaped as twelve bytes, and some more."""

MAX_NAMES_SENT = 16 * 1024
"""Bytes of a body of names and digests."""

MAX_LOCAL = 64 * 1024 * 1024
"""Bytes of a body from the owner of the store, who could write them into it anyway."""

MAX_FILE = 1024**4
"""Bytes of a file from the owner of the store: more than a disk holds."""

MAY_BE_EMPTY = frozenset({"cursor"})
"""Parameters that may be sent empty; all others are omitted instead. The `next` of the last page is empty, and a loop starts with an empty one."""

Scope: TypeAlias = dict[str, Any]
Message: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
AsgiApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

encode = msgspec.json.Encoder().encode
"""Encode a view as JSON."""


class Written(Struct):
    """A view encoded off the event loop, and its bytes."""

    view: Any = None
    body: bytes = b""


class Call(Struct, frozen=True, kw_only=True):
    """One request, parsed and checked. `address` is the client's, for sign-in routes."""

    principal: Principal
    address: str = ""
    path: Mapping[str, str]
    query: Any = None
    body: Any = None
    headers: Mapping[str, str] = {}
    receive: Receive
    """Receives what else arrives on this connection, which can only be that the client has hung up."""
    chunks: AsyncIterator[bytes] | None = None
    """The body, if the route streams it."""
    reads: bool = False
    """Whether it changes nothing."""
    process: int = 0
    """The process at the other end, at the local door; 0 if that is not known."""
    is_large: bool = False
    """Whether the body is too large to be parsed in the event loop."""
    written: Written = field(default_factory=Written)
    """The part that is encoded already."""


class Reply(Struct, frozen=True):
    """The result: a view as JSON, or bytes."""

    view: Any = None
    status: int = 200
    headers: Mapping[str, str] = {}
    media: str = JSON

    def content(self, written: Written | None = None) -> bytes:
        """Return the body, which may have been encoded already."""
        if isinstance(self.view, bytes):
            return self.view
        if written is not None and written.body and written.view is self.view:
            return written.body
        return encode(self.view)


class Stream(Struct, frozen=True):
    """A result sent piece by piece, for as long as it lasts and the client listens."""

    pieces: AsyncIterator[bytes]
    media: str
    headers: Mapping[str, str] = {}
    status: int = 200


Handler: TypeAlias = Callable[[Any, Call], Awaitable[Reply | Stream]]


class Header(Struct, frozen=True, dict=True):
    """A request header that a route reads."""

    name: str
    description: str
    longest: int = 255
    schema: dict[str, str] = {}

    @cached_property
    def key(self) -> bytes:
        """Its name as it appears in a request."""
        return self.name.lower().encode()


class Content(Struct, frozen=True):
    """A body that is not JSON: its media types, and its limit in bytes."""

    media: tuple[str, ...] = (BYTES,)
    limit: int = MAX_JSON
    streamed: bool = False


class Route(Struct, frozen=True, kw_only=True):
    """
    One operation. The door admits nobody to `handler` who may not perform `action` anywhere.

    In `path`, `{name}` stands for one segment, and `{name...}` for one or more. `query` and `body` are Structs; a `Content` is a body of bytes.
    `gives` lists the results with their statuses; `refuses` the errors to expect beside those that every route can give.
    """

    method: Method
    path: str
    action: Action
    handler: Handler
    query: type[Struct] | None = None
    body: "type[Struct] | Content | None" = None
    headers: tuple[Header, ...] = ()
    limit: int = 0
    """Bytes of a JSON body; each route that takes one states it."""
    gives: dict[int, Any] = field(default_factory=dict)
    refuses: tuple[type[TidegateError], ...] = ()
    tag: str = ""
    binding: Binding | None = None
    outside: bool = False
    """Whether it is omitted from the OpenAPI document."""

    @property
    def name(self) -> str:
        """Return the name of the operation: that of the binding, else of the function."""
        return self.handler.__name__ if self.binding is None else self.binding.name

    @property
    def doc(self) -> str:
        """Return its description."""
        if self.binding is None:
            return inspect.getdoc(self.handler) or ""
        return self.binding.words

    def longest(self, *, local: bool) -> int:
        """Return how many bytes a body may have; `local`: it comes from the owner of the store."""
        if isinstance(self.body, Content):
            return MAX_FILE if local and self.body.streamed else self.body.limit
        return MAX_LOCAL if local and self.limit >= MAX_JSON else self.limit

    @property
    def params(self) -> list[str]:
        """Return the names of the path's parameters."""
        return re.findall(r"\{(\w+)(?:\.\.\.)?\}", self.path)


def asking(
    name: str,
    tag: str,
    *refuses: type[TidegateError],
    limit: int = 0,
    gives: dict[int, Any] | None = None,
    reply: Callable[[Any], Reply] = Reply,
    outside: bool = False,
) -> Route:
    """Return the route of a binding: it builds the request, has it handled, and sends the view as `reply` says."""
    binding = next(each for each in BINDINGS if each.name == name)
    kind, takes_body = binding.request, binding.has_body
    action = action_of(kind)
    assert action is not None, f"no policy allows {kind.__name__}"
    rest = tuple(binding.rest.items())
    title = name.title().replace("_", "") + ("Body" if takes_body else "Query")
    body_or_query = part(title, binding.words, kind, binding.rest)
    headers = tuple((each, _header(kind, each, called)) for each, called in binding.headers.items())

    async def handle(backend: Any, call: Call) -> Reply:
        given = {**call.path, **binding.fixed}
        sent = call.body if takes_body else call.query
        for each, called in rest:
            given[each] = getattr(sent, called)
        for each, header in headers:
            given[each] = call.headers[header.name]
        return reply(await backend.ask(call, read(kind, given)))

    return Route(
        method=binding.method,
        path=binding.path,
        action=action,
        handler=handle,
        query=body_or_query if rest and not takes_body else None,
        body=body_or_query if takes_body else None,
        headers=tuple(header for _, header in headers),
        limit=limit,
        gives=gives or {200: view_of(kind)},
        refuses=refuses,
        tag=tag,
        binding=binding,
        outside=outside,
    )


def _header(kind: type[Struct], each: str, name: str) -> Header:
    """Return the header that carries a field."""
    declared = next(field.type for field in structs.fields(kind) if field.name == each)
    (schema,), _ = msgspec.json.schema_components([declared])
    return Header(name, schema["description"], schema["maxLength"], {"pattern": schema["pattern"]})


def part(title: str, doc: str, kind: type[Struct], names: Mapping[str, str]) -> type[Struct]:
    """Return a struct of some fields of another one, under these names."""
    known = {each.name: each for each in structs.fields(kind)}
    fields: list[Any] = []
    for each, name in names.items():
        info = known[each]
        if info.required:
            fields.append((name, info.type))
        elif info.default_factory is not msgspec.NODEFAULT:
            fields.append((name, info.type, field(default_factory=info.default_factory)))
        else:
            fields.append((name, info.type, info.default))
    return msgspec.defstruct(
        title,
        fields,
        namespace={"__doc__": doc},
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )


class Table:
    """All routes, found by method and path: one regular expression per method, with an alternative per route."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self.routes = routes
        self._methods: dict[str, tuple[re.Pattern[bytes], dict[int, _Found]]] = {}
        for method in dict.fromkeys(route.method for route in routes):
            of_method = [route for route in routes if route.method == method]
            pattern = re.compile("|".join(_pattern(r.path) for r in of_method).encode(), re.DOTALL)
            found: dict[int, _Found] = {}
            number = 1
            for route in of_method:
                names = tuple(enumerate(route.params, number + 1))
                found[number] = (route, names)
                number += 1 + len(names)
            self._methods[method] = (pattern, found)

    def find(self, method: str, path: bytes) -> tuple[Route, dict[str, str]] | None:
        """
        Return the route of a raw path, and its path parameters; None if there is none for this method.

        Errors: `UnknownRoute` if a part of the path is not UTF-8.
        """
        of_method = self._methods.get(method)
        match = None if of_method is None else of_method[0].match(path)
        if of_method is None or match is None or match.lastindex is None:
            return None
        # The group of the whole alternative is closed last.
        route, names = of_method[1][match.lastindex]
        return route, {name: _decoded(match[number]) for number, name in names}

    def methods(self, path: bytes) -> list[str]:
        """Return the methods of a path; what supports GET supports HEAD."""
        found: list[str] = [method for method in self._methods if self.find(method, path)]
        return [*found, "HEAD"] if "GET" in found else found


_Found: TypeAlias = tuple[Route, tuple[tuple[int, str], ...]]
"""A route, and the group number of each name in its path."""


def _pattern(path: str) -> str:
    parts = re.split(r"(\{\w+(?:\.\.\.)?\})", path)
    text = "".join(
        re.escape(part)
        if not part.startswith("{")
        else "(.+)"
        if part.endswith("...}")
        else "([^/]+)"
        for part in parts
    )
    return rf"({text}\Z)"


def _decoded(raw: bytes) -> str:
    try:
        return (unquote_to_bytes(raw) if b"%" in raw else raw).decode()
    except UnicodeDecodeError:
        raise UnknownRoute("the path is not percent-encoded UTF-8") from None
