"""
Accepting connections of the local door in an event loop, and serving them as `protocol` serves every other.

Rule 1: only the user of this process may ask, root, and the owner of the store; anybody else is told so. It is the caller's user that counts: the system
        says who is at the other end, and decisions are recorded under that name.
Rule 2: no trouble with one connection ends the door. Without file descriptors it waits until there are some again; the connections wait with it.
"""

import asyncio
import errno
import logging
import os
import socket
import struct
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Final

from uvicorn.config import Config
from uvicorn.server import ServerState

from tidegate.api.protocol import Protocol, sweep
from tidegate.api.replies import Out
from tidegate.api.route import AsgiApp, Receive, Scope, Send
from tidegate.api.supervise import supervise
from tidegate.errors import Forbidden, Overloaded
from tidegate.parts import Part
from tidegate.service.access import ANONYMOUS, owner

MAX_LINES: Final = 256
"""Connections that are served. A command has one or two; this many are a script that has gone wild."""

TOLERATED: Final = 64
"""Connections on top that are told to try again; beyond, they are closed without a word."""

IDLE: Final = 5
"""Seconds after which a connection is closed on which nothing is asked. A command asks once, and hangs up."""

THREADS: Final = 16
"""Requests that are worked on in a thread at once; as many as a server has for the network."""

ASK: Final = "ask as its owner, as root, or over the network with a token"

SCARCE: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
LONGEST_PAUSE: Final = 1.0
"""Seconds between two attempts to accept while something is scarce: a command waits for five."""

log = logging.getLogger(__name__)


def run(
    listener: socket.socket,
    app: AsgiApp,
    part: Part,
    begun: Callable[[Callable[[], None]], None],
    users: Collection[int],
) -> None:
    """Accept in this thread, in a loop of its own. `begun` is told what ends that; it may be called in any thread. `users` may ask."""
    loop = asyncio.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(THREADS, "tidegate-read"))
    accepting = loop.create_task(accept(listener, app, part, users))

    def end() -> None:
        with suppress(RuntimeError):  # it has ended already
            loop.call_soon_threadsafe(accepting.cancel)

    begun(end)
    try:
        loop.run_until_complete(accepting)
    except asyncio.CancelledError:
        log.debug("the local door is closed")
    finally:
        # Threads that are at work notice at their next pause that their request is gone; nobody waits for them.
        loop.close()


async def attend(listener: socket.socket, app: AsgiApp, part: Part, users: Collection[int]) -> None:
    """Accept in the loop of a server, and again after whatever ended it."""
    await supervise(part, partial(accept, listener, app, part, users))


async def accept(listener: socket.socket, app: AsgiApp, part: Part, users: Collection[int]) -> None:
    """Accept what comes, and have it served by `app` if one of `users` asks, until this is cancelled; then hang up on everybody."""
    loop = asyncio.get_running_loop()
    lines = ServerState()
    serving, overloaded, closed = (_config(each) for each in (_quiet(app), _overloaded, _closed))
    sweeping = loop.create_task(sweep(lines.connections))
    try:
        while True:
            line = await _next(loop, listener, part)
            user, count = user_at(line), len(lines.connections)
            if count >= MAX_LINES + TOLERATED:
                line.close()
                continue
            config = closed if user not in users else serving if count < MAX_LINES else overloaded
            principal = ANONYMOUS if config is closed else owner(user)
            make = partial(Protocol, config, lines, {"principal": principal})
            try:
                await loop.connect_accepted_socket(make, line)
            except OSError:
                line.close()  # it has hung up meanwhile
    finally:
        for each in tuple(lines.connections):
            each.transport.abort()
        await asyncio.sleep(0)  # they notice: what is cancelled now is no fault of the application
        under_way = (sweeping, *lines.tasks)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def _next(
    loop: asyncio.AbstractEventLoop, listener: socket.socket, part: Part
) -> socket.socket:
    """Return the next connection."""
    while True:
        try:
            line, _ = await loop.sock_accept(listener)
        except ConnectionAbortedError:
            continue  # it has hung up already
        except OSError as error:
            if error.errno not in SCARCE:
                raise
            await asyncio.sleep(min(part.failed(error), LONGEST_PAUSE))
        else:
            part.works()
            return line


def user_at(line: socket.socket) -> int:
    """Return the number of the user at the other end of a connection."""
    credentials = getattr(socket, "SO_PEERCRED", None)
    if credentials is None:
        return os.geteuid()  # systems without it check the mode of the socket
    size = struct.calcsize("3I")
    _, user, _ = struct.unpack("3I", line.getsockopt(socket.SOL_SOCKET, credentials, size))
    return int(user)


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
    """Return the application without the traceback that uvicorn logs of a request which is cancelled as the door closes."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(asyncio.CancelledError):
            await app(scope, receive, send)

    return served


async def _closed(scope: Scope, receive: Receive, send: Send) -> None:
    del receive
    await Out(scope, send).error(Forbidden(f"the store belongs to another user than you: {ASK}"))


async def _overloaded(scope: Scope, receive: Receive, send: Send) -> None:
    del receive
    why = f"more than {MAX_LINES} commands at once; try again"
    await Out(scope, send).error(Overloaded(why, retry_after=1))
