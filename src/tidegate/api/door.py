"""
The HTTP door: reads a request strictly, calls its route, and sends what comes back, or the error, as it is written down in `problems`.

Who asks is known before: the guard in front (`auth`) has put the `Principal` into the scope, or has refused.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import structs

from tidegate.api import strict
from tidegate.api.bodies import MAY_BE_EMPTY
from tidegate.api.carry import HungUp
from tidegate.api.pages import Pages
from tidegate.api.problems import head, internal, send_error, send_problem, send_whole
from tidegate.api.route import (
    JSON,
    MAX_JSON,
    Call,
    Content,
    Receive,
    Reply,
    Route,
    Scope,
    Send,
    Stream,
    Table,
)
from tidegate.errors import (
    BadRequest,
    Fault,
    InvalidValue,
    Overloaded,
    TidegateError,
    TooLarge,
    UnknownRoute,
    WrongMediaType,
    WrongMethod,
)
from tidegate.service.access import ANONYMOUS, authorize_route

API = "/api/"

MAX_QUERY = 8_192
"""Bytes of a query string."""

MAX_BUSY = 2_000
"""How many requests may be under way at once; more are refused, and can be sent again."""

MAX_WAITING = 3_000
"""How many may wait for a change at once, or follow what happens: they cost a connection each, and hold up nobody who does something."""

STUCK = 30.0
"""Seconds that a piece of a stream may take to be sent; whoever is slower is dropped."""

log = logging.getLogger(__name__)


class Door:
    """The routes, as an ASGI application. `desk` is handed to each; `counts` counts replies by route and status."""

    def __init__(
        self, table: Table, desk: Any, counts: "Counter[tuple[str, int]]", pages: Pages
    ) -> None:
        self._table = table
        self._pages = pages
        self._desk = desk
        self._counts = counts
        self._busy = 0
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        name, started, status = "none", False, 0

        async def noting(message: Mapping[str, Any]) -> None:
            nonlocal started, status
            if not started:
                started, status = True, message["status"]
            await send(dict(message))

        self._busy += 1
        try:
            if await self._page(scope, noting):
                return
            route, parts = self._find(scope)
            name = route.name
            self._check_load()
            await self._serve(route, parts, scope, receive, noting)
        except TidegateError as error:
            if not started:
                await send_error(noting, error)
        except HungUp:
            log.debug("%s: whoever asked has hung up", name)
        except Exception:
            # The outermost edge: a bug of ours in one request must not end the server.
            log.exception("%s could not be handled", name)
            if not started:
                await send_problem(noting, internal())
        finally:
            self._busy -= 1
        self._counts[name, status] += 1

    def _check_load(self) -> None:
        if self._busy > MAX_BUSY:
            why = f"more than {MAX_BUSY:,} requests are under way; try again in a second"
            raise Overloaded(why, retry_after=1)

    @contextmanager
    def _aside(self, *, waits: bool) -> Iterator[None]:
        """Count one that only waits apart from those that are worked on."""
        if not waits:
            yield
            return
        if self._waiting >= MAX_WAITING:
            why = f"{MAX_WAITING:,} wait for a change already; try again in a few seconds"
            raise Overloaded(why, retry_after=5)
        self._busy, self._waiting = self._busy - 1, self._waiting + 1
        try:
            yield
        finally:
            self._busy, self._waiting = self._busy + 1, self._waiting - 1

    async def _page(self, scope: Scope, send: Send) -> bool:
        """Send a page or a file of the UI, if that is what is asked for."""
        path = scope["path"]
        if path.startswith(API) or scope["method"] not in ("GET", "HEAD"):
            return False
        packed = "gzip" in _headers(scope).get("accept-encoding", "")
        reply = await asyncio.to_thread(self._pages.find, path, packed=packed)
        if reply is None:
            return False
        await send_whole(send, 200, reply.content(), media=reply.media, headers=reply.headers)
        return True

    def _find(self, scope: Scope) -> tuple[Route, dict[str, str]]:
        raw = scope.get("raw_path") or scope["path"].encode()
        path = raw.partition(b"?")[0]
        method = scope["method"]
        found = self._table.find("GET" if method == "HEAD" else method, path)
        if found is not None:
            return found
        if methods := self._table.methods(path):
            raise WrongMethod(
                f"{method[:20]} is not possible here; possible: {', '.join(methods)}",
                allow=methods,
            )
        raise UnknownRoute(f"there is nothing at {scope['path'][:200]!r}; see /api/openapi.json")

    async def _serve(
        self, route: Route, parts: Mapping[str, str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        principal = scope.get("state", {}).get("principal", ANONYMOUS)
        authorize_route(principal, route.action)
        headers = _headers(scope)
        via = principal.via or "api"
        body, chunks = await _body(route, headers, receive)
        call = Call(
            principal=structs.replace(principal, via=via),
            via=via,
            path=parts,
            query=_query(route, scope["query_string"]),
            body=body,
            headers=_wanted(route, headers),
            gone=lambda: _gone(receive),
            chunks=chunks,
        )
        with self._aside(waits=bool(getattr(call.query, "wait", 0))):
            reply = await route.handler(self._desk, call)
        if isinstance(reply, Reply):
            await send_whole(
                send, reply.status, reply.content(), media=reply.media, headers=reply.headers
            )
        elif scope["method"] == "HEAD":
            await send_whole(send, 200, b"", media=reply.media, headers=reply.headers)
        else:
            with self._aside(waits=True):
                await _stream(reply, receive, send)


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _wanted(route: Route, headers: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for header in route.headers:
        value = headers.get(header.name.lower(), "")
        if len(value) > header.longest:
            raise BadRequest(f"the header {header.name} is longer than {header.longest} characters")
        found[header.name] = value
    return found


def _query(route: Route, raw: bytes) -> Any:
    if route.query is None and not raw:
        return None
    if len(raw) > MAX_QUERY:
        raise BadRequest(f"the query is longer than {MAX_QUERY:,} bytes")
    try:
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100
        )
    except ValueError:
        raise BadRequest("the query is not UTF-8, percent-encoded") from None
    fields = {} if route.query is None else route.query.__annotations__
    given: dict[str, Any] = {}
    for name, value in pairs:
        if name not in fields:
            there = f"; there are: {', '.join(fields)}" if fields else ""
            why = f"there is no such parameter{there}"
            raise InvalidValue(f"{name[:80]!r}: {why}", [Fault((name[:80],), why)])
        if fault := _misspelt(name, fields[name], value):
            raise InvalidValue(f"{name!r} {fault}", [Fault((name,), fault)])
        if "list" in str(fields[name]):
            given.setdefault(name, []).append(value)
        elif name in given:
            raise InvalidValue(f"{name!r} is given twice", [Fault((name,), "is given twice")])
        else:
            given[name] = value
    if route.query is None:
        return None
    try:
        return msgspec.convert(given, route.query, strict=False)
    except msgspec.ValidationError as error:
        raise strict.misfit("the query", error) from None


def _misspelt(name: str, kind: Any, value: str) -> str:
    """Return what is wrong with how a parameter is written, where its type alone would let it pass."""
    if not value and name not in MAY_BE_EMPTY:
        return "is empty; leave it out to ask without it"
    if kind is bool and value not in ("true", "false"):
        return "must be true or false"
    return ""


async def _body(
    route: Route, headers: Mapping[str, str], receive: Receive
) -> tuple[Any, AsyncIterator[bytes] | None]:
    if route.body is None:
        return None, None
    content = route.body if isinstance(route.body, Content) else None
    if (
        content is None
        and "content-type" not in headers
        and headers.get("content-length", "0") == "0"
        and "transfer-encoding" not in headers
    ):
        # Nothing at all is an empty object, where that says enough.
        return strict.decode(b"{}", route.body), None
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    accepted = (JSON,) if content is None else content.media
    if media not in accepted:
        raise WrongMediaType(
            f"the body must be {' or '.join(accepted)}, and Content-Type must say so",
            accepted=list(accepted),
        )
    packed = headers.get("transfer-encoding", "chunked").lower() != "chunked"
    if packed or headers.get("content-encoding", "identity").lower() != "identity":
        raise WrongMediaType("the body must not be compressed")
    limit = MAX_JSON if content is None else content.limit
    said = headers.get("content-length", "0")
    if not said.isdecimal() or len(said) > 18 or int(said) > limit:
        raise _too_large(limit)
    chunks = _chunks(receive, limit)
    if content is not None and content.streamed:
        return None, chunks
    raw = b"".join([chunk async for chunk in chunks])
    return (raw if content is not None else strict.decode(raw, route.body)), None


async def _chunks(receive: Receive, limit: int) -> AsyncIterator[bytes]:
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HungUp
        chunk = message.get("body", b"")
        more = message.get("more_body", False)
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        yield chunk


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is larger than {limit:,} bytes", limit=limit)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _stream(stream: Stream, receive: Receive, send: Send) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": head(stream.media, stream.headers),
        }
    )
    pump = asyncio.ensure_future(_pump(stream, send))
    leaving = asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait({pump, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if pump.done():
            pump.result()
    finally:
        leaving.cancel()
        pump.cancel()
        await asyncio.wait({pump, leaving})


async def _pump(stream: Stream, send: Send) -> None:
    async for piece in stream.pieces:
        try:
            async with asyncio.timeout(STUCK):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except TimeoutError:
            log.info("a reader of a stream was too slow, and is dropped; it can resume")
            raise HungUp from None
    await send({"type": "http.response.body", "body": b""})
