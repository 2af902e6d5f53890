"""
Terminals of the store's owner: they join, take work, report on it, and leave. Bodies are MessagePack (see `ports.terminals`).

None of this is in the OpenAPI document, or reachable with a token: only through the local socket, or signed with the key of a store on Postgres.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta, Struct

from tidegate.api.backend import Backend
from tidegate.api.carry import HungUp, gone
from tidegate.api.route import (
    BYTES,
    MAX_FILE,
    MAX_LOCAL,
    MAX_NAMES_SENT,
    Call,
    Content,
    Handler,
    Header,
    Reply,
    Route,
)
from tidegate.api.routes.blobs import kept
from tidegate.bundles.archive import packed_again
from tidegate.errors import BadRequest, CodeError, UnknownBundle, UnknownTerminal
from tidegate.ports.terminals import Handed, Join, Said, Terminals
from tidegate.service.access import Action
from tidegate.wire import Stored

SECRET: Final = Header("Tidegate-Terminal", "The secret of the terminal.")

MAX_SAID: Final = 4 * MAX_LOCAL
"""Bytes of one report of a terminal: the longest frame that is accepted from a worker has the same limit."""

S = TypeVar("S", bound=Struct)


class Taking(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many seconds a terminal waits for work."""

    wait: Annotated[float, Meta(ge=0, le=60)] = 0.0


async def join(backend: Backend, call: Call) -> Reply:
    """Let a terminal serve an execution."""
    wanted = _read(call.body, Join)
    return _packed(await asyncio.to_thread(_terminals(backend).join, wanted, call.process))


async def take(backend: Backend, call: Call) -> Reply:
    """Return a terminal's work as soon as there is some, or when the wait is over."""
    terminals, secret = _terminals(backend), call.headers[SECRET.name]
    loop = asyncio.get_running_loop()
    until = loop.time() + call.query.wait
    leaving = asyncio.ensure_future(gone(call.receive))
    tasks = {leaving}
    try:
        while True:
            news = asyncio.Event()
            # A terminal that has hung up must not be given work, which would be lost.
            if leaving.done():
                raise HungUp
            found = terminals.take(secret, _waker(loop, news))
            rest = until - loop.time()
            if found != Handed() or rest <= 0:
                return _packed(found)
            tasks = {leaving, asyncio.ensure_future(_told(news))}
            await asyncio.wait(tasks, timeout=rest, return_when=asyncio.FIRST_COMPLETED)
            for each in tasks - {leaving}:
                each.cancel()
    finally:
        for each in tasks:
            each.cancel()


async def _told(news: asyncio.Event) -> None:
    await news.wait()


async def say(backend: Backend, call: Call) -> Reply:
    """Accept outcomes of attempts, their output and decks, and answers."""
    said = _read(call.body, Said)
    await asyncio.to_thread(_terminals(backend).say, call.headers[SECRET.name], said)
    return _packed(Handed())


async def put_file(backend: Backend, call: Call) -> Reply:
    """Store a file of an attempt; return its digest."""
    terminals, secret = _terminals(backend), call.headers[SECRET.name]
    return Reply(Stored(await kept(call, lambda pieces, _: terminals.store(secret, pieces))), 201)


async def leave(backend: Backend, call: Call) -> Reply:
    """Release a terminal."""
    await asyncio.to_thread(_terminals(backend).leave, call.headers[SECRET.name])
    return _packed(Handed())


async def get_code(backend: Backend, call: Call) -> Reply:
    """Return a source tree, as it was packed, for a terminal on another machine."""
    digest = call.path["digest"]
    return Reply(await asyncio.to_thread(_packed_again, backend, digest), media=BYTES)


def _packed_again(backend: Backend, digest: str) -> bytes:
    bundles = backend.service.bundles
    if not bundles.has(digest):
        raise UnknownBundle(f"no bundle with the digest {digest} is stored")
    return packed_again(bundles.tree(digest)).body


def _terminals(backend: Backend) -> Terminals:
    found = backend.service.terminals
    if found is None:
        raise UnknownTerminal("no terminal can serve executions of this store")
    return found


def _waker(loop: asyncio.AbstractEventLoop, news: asyncio.Event) -> Callable[[], None]:
    def wake() -> None:
        with suppress(RuntimeError):  # the event loop is closed
            loop.call_soon_threadsafe(news.set)

    return wake


def _read(body: bytes, kind: type[S]) -> S:
    try:
        return msgspec.msgpack.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise BadRequest(f"the body is not a {kind.__name__} in MessagePack: {error}") from None


def _packed(view: Struct) -> Reply:
    return Reply(msgspec.msgpack.encode(view), media=BYTES)


TAG = "terminals"


def _route(path: str, handler: Handler, **more: Any) -> Route:
    return Route(
        method="POST",
        path=f"/api/v1/terminals{path}",
        action=Action.SERVE_EXECUTION,
        handler=handler,
        refuses=(UnknownTerminal,),
        tag=TAG,
        outside=True,
        **more,
    )


ROUTES = (
    _route("", join, body=Content(limit=MAX_NAMES_SENT), gives={200: Content()}),
    _route("/take", take, query=Taking, headers=(SECRET,), gives={200: Content()}),
    _route("/say", say, body=Content(limit=MAX_SAID), headers=(SECRET,), gives={200: Content()}),
    _route(
        "/files",
        put_file,
        body=Content(limit=MAX_FILE, streamed=True),
        headers=(SECRET,),
        gives={201: Stored},
    ),
    _route("/leave", leave, headers=(SECRET,), gives={200: Content()}),
    Route(
        method="GET",
        path="/api/v1/terminals/code/{digest}",
        action=Action.SERVE_EXECUTION,
        handler=get_code,
        gives={200: Content()},
        refuses=(UnknownBundle, CodeError),
        tag=TAG,
        outside=True,
    ),
)
