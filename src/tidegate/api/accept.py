"""
Accepting connections in an event loop, at either door; `protocol` serves them all alike.

Rule 1: the local door serves only the user of this process, root, and the owner of the store; anybody else gets a refusal. The system reports
        the peer's user, and decisions are recorded under that name.
Rule 2: no fault of one connection closes a door. When file descriptors run out, it waits until some are free; pending connections wait with it.
Rule 3: the local door keeps some descriptors in reserve, so that a command (to revoke a token, say) is served even when there are no others.
"""

import asyncio
import errno
import logging
import os
import socket
import ssl
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Final, TypeAlias

from uvicorn.config import Config
from uvicorn.server import ServerState

from tidegate.api.callers import Caller, Callers
from tidegate.api.protocol import Protocol, sweep
from tidegate.api.replies import Out
from tidegate.api.route import AsgiApp, Receive, Scope, Send
from tidegate.api.supervise import supervise
from tidegate.errors import Forbidden, Overloaded
from tidegate.parts import Part
from tidegate.service.access import ANONYMOUS, owner

MAX_LINES: Final = 256
"""Connections served at once. A command has one or two; this many are a runaway script."""

TOLERATED: Final = 64
"""Connections beyond that which are told to retry; any further ones are closed silently."""

IDLE: Final = 5
"""Seconds after which an idle connection is closed. A command asks once and hangs up."""

THREADS: Final = 16
"""Requests handled in threads at once; as many as a server has for the network."""

Refusal: TypeAlias = Callable[[int, int], str]
"""Returns why a user, with a process, is refused; nothing if they may ask."""

SCARCE: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
LONGEST_PAUSE: Final = 1.0
"""Seconds between two attempts to accept while a resource is scarce: a command waits for five."""

AT_ONCE: Final = 64
"""Connections accepted in one turn of the loop: some two milliseconds of it."""

HANDSHAKE: Final = 10.0
"""Seconds for a TLS handshake: two round trips, even by satellite or over a bad mobile line."""

SPARE: Final = 8
"""Descriptors in reserve: a command needs one, and its request may open a few files."""

SPARE_AGAIN: Final = 5.0
"""Seconds until they are taken back: a command's request takes less."""

log = logging.getLogger(__name__)


class Spare:
    """Descriptors held open in reserve, to be released when there are no others."""

    def __init__(self) -> None:
        self._held: list[int] = []
        self._again = 0.0

    def take(self, now: float) -> None:
        """Take as many as are missing, unless some were needed a moment ago."""
        if now < self._again:
            return
        with suppress(OSError):
            while len(self._held) < SPARE:
                self._held.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))

    def give_if_needed(self, now: float) -> None:
        """Release all of them if there are no others: the current request needs some."""
        try:
            os.close(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
        except OSError:
            self.give(now)

    def give(self, now: float) -> bool:
        """Release all of them; return whether there were any."""
        given, self._held = self._held, []
        for each in given:
            os.close(each)
        self._again = now + SPARE_AGAIN
        return bool(given)


def run(
    listener: socket.socket,
    app: AsgiApp,
    part: Part,
    begun: Callable[[Callable[[], None]], None],
    refusal: Refusal,
) -> None:
    """Accept in this thread, in its own loop. `begun` gets a function that ends it, callable from any thread. `refusal` says who may not ask."""
    loop = asyncio.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(THREADS, "tidegate-read"))
    accepting = loop.create_task(accept(listener, app, part, refusal))

    def end() -> None:
        with suppress(RuntimeError):  # it has ended already
            loop.call_soon_threadsafe(accepting.cancel)

    begun(end)
    try:
        loop.run_until_complete(accepting)
    except asyncio.CancelledError:
        log.debug("the local door is closed")
    finally:
        # Threads at work notice at their next pause that their request is gone; nobody waits for them.
        loop.close()


async def attend(listener: socket.socket, app: AsgiApp, part: Part, refusal: Refusal) -> None:
    """Accept in the loop of a server, and restart after any failure."""
    await supervise(part, partial(accept, listener, app, part, refusal))


async def accept(listener: socket.socket, app: AsgiApp, part: Part, refusal: Refusal) -> None:
    """Accept connections and serve them with `app` unless there is a `refusal`, until this is cancelled; then hang up on everybody."""
    loop = asyncio.get_running_loop()
    lines = ServerState()
    serving, overloaded = (_config(each) for each in (_quiet(app), _overloaded))
    sweeping = loop.create_task(sweep(lines.connections))
    spare = Spare()
    try:
        while True:
            spare.take(loop.time())
            for line in await _arrivals(loop, listener, part, lambda: spare.give(loop.time())):
                count = len(lines.connections)
                if count >= MAX_LINES + TOLERATED:
                    line.close()
                    continue
                spare.give_if_needed(loop.time())
                user, process = peer_of(line)
                config, principal = serving if count < MAX_LINES else overloaded, owner(user)
                if why := refusal(user, process):
                    config, principal = _config(_closed(why)), ANONYMOUS
                make = partial(
                    Protocol, config, lines, {"principal": principal, "process": process}
                )
                try:
                    await loop.connect_accepted_socket(make, line)
                except OSError:
                    line.close()  # it has hung up meanwhile
    finally:
        spare.give(0.0)
        for each in tuple(lines.connections):
            each.transport.abort()
        await asyncio.sleep(
            0
        )  # they notice: a cancellation here is not a failure of the application
        under_way = (sweeping, *lines.tasks)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def attend_network(
    listener: socket.socket, config: Config, state: ServerState, callers: Callers, part: Part
) -> None:
    """Accept connections from the network, and restart after any failure."""
    await supervise(part, partial(accept_network, listener, config, state, callers, part))


async def accept_network(
    listener: socket.socket, config: Config, state: ServerState, callers: Callers, part: Part
) -> None:
    """Accept connections from the network and serve them, after the TLS handshake if there is one."""
    loop = asyncio.get_running_loop()
    opening: set[asyncio.Task[None]] = set()

    def relieve() -> bool:
        callers.drop_oldest()
        return False

    while True:
        for each in await _arrivals(loop, listener, part, relieve):
            with suppress(OSError):
                # A reply is written in one piece, and must not wait for the client to acknowledge the previous one.
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            caller = callers.open(each)
            make = partial(Protocol, config, state, {}, caller=caller)
            task = loop.create_task(_open(loop, make, each, caller, config.ssl))
            opening.add(task)
            task.add_done_callback(opening.discard)
        # All data received so far is read before more connections are accepted.
        await asyncio.sleep(0)


async def _open(
    loop: asyncio.AbstractEventLoop,
    make: Callable[[], Protocol],
    accepted: socket.socket,
    caller: Caller,
    secured: ssl.SSLContext | None,
) -> None:
    longest = None if secured is None else HANDSHAKE
    try:
        await loop.connect_accepted_socket(
            make, accepted, ssl=secured, ssl_handshake_timeout=longest
        )
    except OSError:  # it has hung up, does not speak TLS, or was too slow
        caller.closed()
        accepted.close()


async def _arrivals(
    loop: asyncio.AbstractEventLoop,
    listener: socket.socket,
    part: Part,
    relieve: Callable[[], bool],
) -> list[socket.socket]:
    """Return the next connections, at most `AT_ONCE`. `relieve` is called when there are no descriptors, and returns whether some are free now."""
    while True:
        found: list[socket.socket] = []
        try:
            while len(found) < AT_ONCE:
                line, _ = listener.accept()
                line.setblocking(False)
                found.append(line)
        except (BlockingIOError, ConnectionAbortedError):
            pass
        except OSError as error:
            if error.errno not in SCARCE:
                raise
            if not found:
                pause = min(part.failed(error), LONGEST_PAUSE)
                if not relieve():
                    await asyncio.sleep(pause)
                continue
        if found:
            part.works()
            return found
        await _readable(loop, listener)


async def _readable(loop: asyncio.AbstractEventLoop, listener: socket.socket) -> None:
    ready = loop.create_future()
    loop.add_reader(listener, _settle, ready)
    try:
        await ready
    finally:
        loop.remove_reader(listener)


def _settle(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)


def peer_of(line: socket.socket) -> tuple[int, int]:
    """Return the user id and process id of the peer; 0 for a process outside this namespace."""
    credentials = getattr(socket, "SO_PEERCRED", None)
    if credentials is None:
        return os.geteuid(), 0  # systems without it check the mode of the socket
    size = struct.calcsize("3i")
    process, user, _ = struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, credentials, size))
    return int(user), int(process)


def _config(app: AsgiApp) -> Config:
    return Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=IDLE,
    )


def _quiet(app: AsgiApp) -> AsgiApp:
    """Return the application without the traceback that uvicorn logs for requests cancelled as the door closes."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(asyncio.CancelledError):
            await app(scope, receive, send)

    return served


def _closed(why: str) -> AsgiApp:
    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        await Out(scope, send).error(Forbidden(why))

    return served


async def _overloaded(scope: Scope, receive: Receive, send: Send) -> None:
    del receive
    why = f"more than {MAX_LINES} commands at once; try again"
    await Out(scope, send).error(Overloaded(why, retry_after=1))
