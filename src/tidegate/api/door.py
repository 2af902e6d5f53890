"""
The HTTP door: reads a request strictly, calls its route, and sends the result, or the error as `problems` defines it.

The caller is already known: the guard in front (`auth`) has put the `Principal` into the scope, or has refused.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, lru_cache, partial
from time import monotonic
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from tidegate.api import strict
from tidegate.api.budgets import BURST, BUSY_OF_ONE, RATE, WAITING_OF_ONE, Buckets, Shares, cost_of
from tidegate.api.carry import HungUp, gone
from tidegate.api.packing import pack
from tidegate.api.pages import Pages
from tidegate.api.problems import internal
from tidegate.api.replies import Out
from tidegate.api.route import (
    JSON,
    MAY_BE_EMPTY,
    Call,
    Content,
    Message,
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
    RateLimited,
    TidegateError,
    TooLarge,
    UnknownRoute,
    WrongMediaType,
    WrongMethod,
)
from tidegate.service.access import ANONYMOUS, Principal
from tidegate.service.admission import enter
from tidegate.wire import misfit

MAX_QUERY = 8_192
"""Bytes of a query string."""

MAX_BUSY = 2_000
"""Concurrent requests; more are refused, and can be retried."""

MAX_WAITING = 3_000
"""Concurrent long polls and streams: they cost a connection each, and do not delay other requests."""

LARGE = 16 * 1024
"""Bytes of a body from which it is parsed off the event loop: below that, a hop to a thread costs more."""

NOTHING: Final[Mapping[str, Any]] = {}

STUCK = 30.0
"""Seconds for sending one piece of a stream; a slower client is dropped."""

log = logging.getLogger(__name__)


def _unnoted(_: Scope, __: TidegateError) -> None:
    pass


class Door:
    """The routes, as an ASGI application. `backend` is passed to each; `counts` counts replies by route and status, `refused` gets every error."""

    def __init__(
        self,
        table: Table,
        backend: Any,
        counts: "Counter[tuple[str, int]]",
        pages: Pages,
        refused: Callable[[Scope, TidegateError], None] = _unnoted,
    ) -> None:
        self._table = table
        self._pages = pages
        self._backend = backend
        self._counts = counts
        self._refused = refused
        self._busy = 0
        self._waiting = 0
        self._under_way = Shares("requests in progress", BUSY_OF_ONE)
        self._at_rest = Shares("long polls and streams", WAITING_OF_ONE)
        self._spent = Buckets(RATE, BURST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        name, out = "none", Out(scope, send)
        self._busy += 1
        try:
            if not _is_api(scope["path"]) and await self._page(scope, out):
                return
            route, parts = self._find(scope)
            name = route.name
            self._check_load()
            principal = _principal(scope)
            who = "" if principal.local else principal.name
            if who:
                self._under_way.begin(who)
            try:
                await self._serve(route, parts, principal, scope, receive, out)
            finally:
                if who:
                    self._under_way.end(who)
        except TidegateError as error:
            self._refused(scope, error)
            if not out.status:
                await out.error(error)
        except HungUp:
            log.debug("%s: the client has hung up", name)
        except Exception:
            # The outermost boundary: a bug of ours in one request must not end the server.
            log.exception("%s could not be handled", name)
            if not out.status:
                await out.problem(internal())
        finally:
            self._busy -= 1
        self._counts[name, out.status] += 1

    def _check_load(self) -> None:
        if self._busy > MAX_BUSY:
            why = f"{MAX_BUSY:,} requests are already in progress; try again in a second"
            raise Overloaded(why, retry_after=1)

    @contextmanager
    def _aside(self, principal: Principal) -> Iterator[None]:
        """Count a request that only waits separately from those in progress."""
        if self._waiting >= MAX_WAITING:
            why = f"{MAX_WAITING:,} long polls and streams are already open; try again in a few seconds"
            raise Overloaded(why, retry_after=5)
        who = "" if principal.local else principal.name
        if who:
            self._at_rest.begin(who)
            self._under_way.end(who)
        self._busy, self._waiting = self._busy - 1, self._waiting + 1
        try:
            yield
        finally:
            self._busy, self._waiting = self._busy + 1, self._waiting - 1
            if who:
                self._at_rest.end(who)
                self._under_way.go_on(who)

    async def _page(self, scope: Scope, out: Out) -> bool:
        """Send a page or a file of the UI, if the path is one."""
        path = scope["path"]
        if scope["method"] not in ("GET", "HEAD"):
            return False
        packed = b"gzip" in _headers(scope).get(b"accept-encoding", b"")
        reply = await asyncio.to_thread(self._pages.find, path, packed=packed)
        if reply is None:
            return False
        await out.whole(200, reply.content(), reply.media, reply.headers)
        return True

    def _find(self, scope: Scope) -> tuple[Route, dict[str, str]]:
        raw = scope.get("raw_path") or scope["path"].encode()
        path = raw.partition(b"?")[0]
        method = scope["method"]
        found = self._table.find("GET" if method == "HEAD" else method, path)
        if found is not None:
            return found
        if _is_api(scope["path"]):
            enter(_principal(scope), None)
        if methods := self._table.methods(path):
            raise WrongMethod(
                f"{method[:20]} is not allowed here; allowed: {', '.join(methods)}",
                allow=methods,
            )
        raise UnknownRoute(f"no route for {scope['path'][:200]!r}; see /api/openapi.json")

    def _charge(self, principal: Principal, query: Any, size: int) -> None:
        if principal.local or not principal.name:
            return
        if wait := self._spent.take(principal.name, monotonic(), cost_of(query, size)):
            why = "this token exceeds its request rate; smaller pages and fewer searches cost less"
            raise RateLimited(why, retry_after=wait)

    async def _serve(
        self,
        route: Route,
        parts: Mapping[str, str],
        principal: Principal,
        scope: Scope,
        receive: Receive,
        out: Out,
    ) -> None:
        enter(principal, route.action)
        headers = _headers(scope)
        longest = route.longest(local=principal.local)
        raw, chunks = await _body(route, headers, receive, longest)
        is_large = len(raw) > LARGE
        body: Any = raw
        if route.body is not None and not isinstance(route.body, Content):
            read = partial(strict.decode, raw, route.body)
            loop = asyncio.get_running_loop()
            body = await loop.run_in_executor(None, read) if is_large else read()
        sent = scope["query_string"]
        query = _query(route, sent) if sent or route.query is not None else None
        self._charge(principal, query, len(raw))
        call = Call(
            principal=principal,
            address=scope.get("state", NOTHING).get("address", ""),
            process=scope.get("state", NOTHING).get("process", 0),
            path=parts,
            query=query,
            body=body,
            headers=_wanted(route, headers),
            receive=receive,
            chunks=chunks,
            reads=route.method == "GET",
            is_large=is_large,
        )
        if getattr(call.query, "wait", 0):
            with self._aside(principal):
                reply = await route.handler(self._backend, call)
        else:
            reply = await route.handler(self._backend, call)
        if isinstance(reply, Reply):
            body, told = reply.content(call.written), reply.headers
            if call.reads and not call.process:
                body, told = await pack(reply, body, headers.get(b"accept-encoding", b""))
            await out.whole(reply.status, body, reply.media, told)
        elif scope["method"] == "HEAD":
            await out.whole(reply.status, b"", reply.media, reply.headers)
        else:
            with self._aside(principal):
                await _stream(reply, receive, out)


def _is_api(path: str) -> bool:
    """Whether a path is the API's, even for a reader that is lax about slashes and case."""
    if path.startswith("/api/"):
        return True
    first, _, rest = path.lower().lstrip("/").partition("/")
    return first == "api" or (first == "metrics" and not rest)


def _principal(scope: Scope) -> Principal:
    found: Principal = scope.get("state", NOTHING).get("principal", ANONYMOUS)
    return found


def _headers(scope: Scope) -> Mapping[bytes, bytes]:
    found: Mapping[bytes, bytes] | None = scope.get("state", NOTHING).get("headers")
    return dict(scope["headers"]) if found is None else found


def _text(value: bytes) -> str:
    """Return what a header says: UTF-8, as most clients send it, or else Latin-1, as which every byte can be read."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _wanted(route: Route, headers: Mapping[bytes, bytes]) -> dict[str, str]:
    found = {}
    for header in route.headers:
        value = _text(headers.get(header.key, b""))
        if len(value) > header.longest:
            raise BadRequest(f"the header {header.name} is longer than {header.longest} characters")
        found[header.name] = value
    return found


class _Parameters(Struct, frozen=True):
    """The parameters of a query: which exist, which may be repeated, and which are boolean."""

    names: tuple[str, ...]
    lists: frozenset[str]
    switches: frozenset[str]


@cache
def _parameters(query: type[Struct] | None) -> _Parameters:
    if query is None:
        return _Parameters((), frozenset(), frozenset())
    fields = msgspec.inspect.type_info(query).fields  # type: ignore[attr-defined]  # a Struct's
    kinds = {field.name: frozenset(_kinds(field.type)) for field in fields}
    lists = (name for name, found in kinds.items() if found & _LISTS)
    switches = (name for name, found in kinds.items() if msgspec.inspect.BoolType in found)
    return _Parameters(tuple(kinds), frozenset(lists), frozenset(switches))


_LISTS: Final = frozenset(
    {
        msgspec.inspect.ListType,
        msgspec.inspect.SetType,
        msgspec.inspect.FrozenSetType,
        msgspec.inspect.VarTupleType,
    }
)


def _kinds(kind: msgspec.inspect.Type) -> Iterator[type[msgspec.inspect.Type]]:
    """Yield the alternatives of a declared type, without annotations."""
    if isinstance(kind, msgspec.inspect.Metadata):
        yield from _kinds(kind.type)
    elif isinstance(kind, msgspec.inspect.UnionType):
        for each in kind.types:
            yield from _kinds(each)
    else:
        yield type(kind)


def _query(route: Route, raw: bytes) -> Any:
    if len(raw) > MAX_QUERY:
        raise BadRequest(f"the query is longer than {MAX_QUERY:,} bytes")
    try:
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100
        )
    except ValueError:
        raise BadRequest("the query is not percent-encoded UTF-8") from None
    known = _parameters(route.query)
    given: dict[str, Any] = {}
    for name, value in pairs:
        if name not in known.names:
            there = f"; the parameters are: {', '.join(known.names)}" if known.names else ""
            why = f"unknown parameter{there}"
            raise InvalidValue(f"{name[:80]!r}: {why}", [Fault((name[:80],), why)])
        if fault := _misspelt(name, value, known):
            raise InvalidValue(f"{name!r} {fault}", [Fault((name,), fault)])
        if name in known.lists:
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
        raise misfit("the query", route.query, given, error, strict=False) from None


def _misspelt(name: str, value: str, known: _Parameters) -> str:
    """Return what is wrong with the spelling of a parameter that its type alone would accept."""
    if not value and name not in MAY_BE_EMPTY:
        return "is empty; omit it instead"
    if name in known.switches and value not in ("true", "false"):
        return "must be true or false"
    return ""


async def _body(
    route: Route, headers: Mapping[bytes, bytes], receive: Receive, limit: int
) -> tuple[bytes, AsyncIterator[bytes] | None]:
    """Return the body, in full or as a stream."""
    if route.body is None:
        return b"", None
    content = route.body if isinstance(route.body, Content) else None
    said = headers.get(b"content-length", b"0")
    kind = headers.get(b"content-type", b"")
    coding = headers.get(b"transfer-encoding")
    if content is None and not kind and said == b"0" and coding is None:
        # No body at all is an empty object, if that is enough.
        return b"{}", None
    accepted = (JSON,) if content is None else content.media
    if _media(kind) not in accepted:
        raise WrongMediaType(
            f"the body must be {' or '.join(accepted)}, declared in Content-Type",
            accepted=list(accepted),
        )
    packed = coding is not None and coding.lower() != b"chunked"
    if packed or headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise WrongMediaType("the body must not be compressed")
    if not said.isdigit() or len(said) > 18 or int(said) > limit:
        raise _too_large(limit)
    if content is not None and content.streamed:
        return b"", _chunks(receive, limit)
    return await _whole(receive, limit), None


@lru_cache(64)
def _media(kind: bytes) -> str:
    """Return the media type of a Content-Type header."""
    return kind.decode("latin-1").partition(";")[0].strip().lower()


async def _whole(receive: Receive, limit: int) -> bytes:
    message = await receive()
    if not message.get("more_body") and "body" in message:
        whole: bytes = message["body"]
        if len(whole) > limit:
            raise _too_large(limit)
        return whole
    return b"".join([piece async for piece in _chunks(receive, limit, message)])


async def _chunks(
    receive: Receive, limit: int, message: Message | None = None
) -> AsyncIterator[bytes]:
    """Yield the body as it arrives; `message` is the first piece, if it is there already."""
    size, more = 0, True
    while more:
        message = message or await receive()
        if message["type"] == "http.disconnect":
            raise HungUp
        chunk, more = message.get("body", b""), message.get("more_body", False)
        message = None
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        yield chunk


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is larger than {limit:,} bytes", limit=limit)


async def _stream(stream: Stream, receive: Receive, out: Out) -> None:
    await out.begin(stream.media, stream.headers, stream.status)
    pump = asyncio.ensure_future(_pump(stream, out))
    leaving = asyncio.ensure_future(gone(receive))
    try:
        await asyncio.wait({pump, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if pump.done():
            pump.result()
    finally:
        leaving.cancel()
        pump.cancel()
        await asyncio.wait({pump, leaving})


async def _pump(stream: Stream, out: Out) -> None:
    async for piece in stream.pieces:
        try:
            async with asyncio.timeout(STUCK):
                await out.piece(piece)
        except TimeoutError:
            log.info("a stream's client was too slow and was dropped; it can resume")
            raise HungUp from None
    await out.piece(b"", last=True)
