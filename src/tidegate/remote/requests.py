"""
Requests of `wire` as HTTP calls: built from the table of bindings, sent by a transport, and the reply decoded as the view.

There are two transports: `transport` for a server anywhere, `local` for the process that owns a store on this machine. All requests go through `ask`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast
from urllib.parse import quote, unquote, urlencode

import msgspec
from msgspec import Struct, structs

from tidegate.wire import Ask, DeckView, GetDeck, check, view_of
from tidegate.wire.bindings import Binding, binding_of

V = TypeVar("V")

BYTES = "application/octet-stream"
HEX = 64
"""Digits of a SHA-256."""


class HttpCall(Struct, frozen=True, kw_only=True):
    """
    One call. `body` is encoded as JSON, `content` sent unchanged; `wait` is the seconds that the server is asked to wait before it replies.

    `repeatable`: repeating it has no further effect.
    """

    method: str
    path: str
    query: dict[str, Any] = {}
    body: Any = None
    content: bytes | None = None
    file: Path | None = None
    """A body that is sent piece by piece; on this machine only."""
    headers: dict[str, str] = {}
    wait: float = 0.0
    repeatable: bool = True


class HttpReply(Protocol):
    """The reply of a successful call."""

    @property
    def content(self) -> bytes:
        """Return the body."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the headers, by lower-case name."""
        ...


class Transport(Protocol):
    """Sends calls to a server. May be used from any thread."""

    def reply(self, call: HttpCall, /) -> HttpReply:
        """Send a call, and return its reply. Errors: those of the server, raised again."""
        ...


def ask(transport: Transport, request: Ask[V]) -> V:
    """Send a request, and return its view. Errors: `InvalidValue`, before anything is sent; those of the service, and of the transport."""
    check(request)
    reply = transport.reply(call_of(request))
    if isinstance(request, GetDeck):
        return cast("V", _deck(request, reply))
    return msgspec.json.decode(reply.content, type=view_of(type(request)))


def call_of(request: Ask[Any]) -> HttpCall:
    """Return the call of a request, without the caller's identity: the server knows it by the token or the socket."""
    binding = binding_of(request)
    by = binding.idempotent_by
    sent = {name: getattr(request, each) for each, name in _sent(binding, request)}
    return HttpCall(
        method=binding.method,
        path=_path(binding, request),
        query={} if binding.has_body else sent,
        body=sent if binding.has_body else None,
        headers={
            name: text for each, name in binding.headers.items() if (text := getattr(request, each))
        },
        wait=getattr(request, "wait", 0.0),
        repeatable=not by or bool(getattr(request, by)),
    )


def target_of(call: HttpCall) -> str:
    """Return the path of a call with its query."""
    pairs = [
        (name, str(value).lower() if isinstance(value, bool) else value)
        for name, given in call.query.items()
        for value in (given if isinstance(given, list) else [given])
        if value not in ("", None)
    ]
    return f"{call.path}?{urlencode(pairs)}" if pairs else call.path


def content_of(call: HttpCall) -> tuple[bytes, dict[str, str]]:
    """Return the body of a call, and its headers."""
    if call.content is not None:
        return call.content, {"content-type": BYTES, **call.headers}
    if call.body is not None:
        return msgspec.json.encode(call.body), {**call.headers, "content-type": "application/json"}
    return b"", call.headers


def _sent(binding: Binding, request: Ask[Any]) -> list[tuple[str, str]]:
    """Return the fields to send, with their names there: those that differ from their defaults."""
    usual = {each.name: each for each in structs.fields(request) if not each.required}
    return [
        (each, name)
        for each, name in binding.rest.items()
        if each not in usual or not _is_default(usual[each], getattr(request, each))
    ]


def _is_default(field: structs.FieldInfo, value: Any) -> bool:
    if field.default_factory is not msgspec.NODEFAULT:
        return bool(value == field.default_factory())
    return value is field.default or value == field.default


def _path(binding: Binding, request: Ask[Any]) -> str:
    path = binding.path
    for each in binding.in_path:
        part = _part(getattr(request, each))
        path = path.replace(f"{{{each}}}", part).replace(f"{{{each}...}}", part)
    return path


def _part(name: str) -> str:
    """Return a name as one segment of a path. A dot alone would lead elsewhere."""
    quoted = quote(name, safe="")
    return quoted.replace(".", "%2E") if not quoted.strip(".") else quoted


def _deck(request: GetDeck, reply: HttpReply) -> DeckView:
    # It is sent as an HTML page, for browsers.
    recorded = reply.headers.get("x-tidegate-deck", "")
    return DeckView(
        node=unquote(reply.headers.get("x-tidegate-node", request.node)),
        name=request.node,
        attempt=int(reply.headers.get("x-tidegate-attempt", request.attempt)),
        html=reply.content.decode(errors="replace"),
        digest=recorded if len(recorded) == HEX else "",
        live=recorded == "live",
    )
