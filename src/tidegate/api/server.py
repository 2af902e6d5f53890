"""
The server: one event loop in the main thread, on our own sockets, until it is told to stop.

Rule 1: on a stop signal it drains: it continues to serve, except for launches, until nothing runs or the grace period is over. A second signal ends
        that. Long polls are kept open: released now, they would reconnect at once, and to this server.
Rule 2: then it accepts nothing more, releases everybody who waits, and lets requests in progress complete.
"""

import asyncio
import errno
import logging
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

import uvicorn
import uvloop
from msgspec import Struct

from tidegate.api.accept import attend_network
from tidegate.api.callers import Callers, raised_limit, sizes_for
from tidegate.api.log_limit import limit_log
from tidegate.api.protocol import Protocol, sweep
from tidegate.api.route import AsgiApp
from tidegate.api.settings import Settings
from tidegate.api.supervise import supervise
from tidegate.api.watchdog import LoopTurns, Turning, Watchdog
from tidegate.errors import InvalidValue, TidegateError
from tidegate.parts import Parts

BACKLOG = 2_048
IDLE = 75
"""Seconds after which an idle connection is closed."""

UNDER_WAY = 10
"""Seconds for requests in progress to complete once nothing more is accepted."""

SWITCH = 0.001
"""
Seconds after which a thread must yield Python's lock to a waiting one. An answer changes threads some four times, and beside a reader it may wait for as
long each time. Measured with a viewer's 32 connections on pages of 500, three times each on a shared machine: 11 to 18 ms at the median with Python's
default of 5 ms, 5 to 15 ms with this, 6 to 16 ms with 0.3 ms.
"""

THREADS = 16
"""Concurrent requests that read much; the others queue, and delay nobody else."""

HSTS = [("strict-transport-security", "max-age=31536000")]
"""HSTS: a browser that has been here by TLS uses only TLS for a year, which is what the browsers' preload list requires."""

NETWORK_DOORS = ("network-door", "network-door-twin")
"""The parts that accept: at the requested address, and at the other loopback address."""

log = logging.getLogger(__name__)


class CannotListen(TidegateError):
    """The address cannot be listened on."""

    code = "cannot_listen"
    status = 503


def find_family(host: str) -> socket.AddressFamily:
    """Return the family of the address that a name or an address stands for. Errors: `InvalidValue` if it cannot be resolved."""
    try:
        return socket.getaddrinfo(host or "0.0.0.0", None, type=socket.SOCK_STREAM)[0][0]  # noqa: S104 - what an empty one means
    except (OSError, UnicodeError):
        raise InvalidValue(
            f"--host {host}: unknown host name; give an address of this machine, such as 127.0.0.1 or ::1, or a name that has one"
        ) from None


ABSENT = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""What a system reports for an address that it does not have: so nobody else listens there."""


def listen(host: str, port: int) -> socket.socket:
    """Bind the address. Errors: `CannotListen`; those of `find_family`."""
    family = find_family(host)
    try:
        taken = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise CannotListen(f"cannot listen on {host}: {error.strerror}", absent=True) from None
    try:
        # A port that was listened on a moment ago may be taken again; one that is listened on now may not.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host, port))
        taken.listen(BACKLOG)
    except OSError as error:
        taken.close()
        cure = (
            "this machine has no such address"
            if error.errno == errno.EADDRNOTAVAIL
            else "stop what listens there, or choose another with --port"
        )
        raise CannotListen(
            f"cannot listen on {host} port {port}: {(error.strerror or str(error)).lower()}; {cure}",
            absent=error.errno in ABSENT,
        ) from None
    taken.setblocking(False)
    return taken


TWINS = {"127.0.0.1": "::1", "::1": "127.0.0.1", "0.0.0.0": "::1"}  # noqa: S104 - what one listens on already
"""The addresses that `localhost` may stand for on one machine: programs try one, and then the other."""


def listen_twin(listening: socket.socket) -> socket.socket | None:
    """
    Bind the same port of the other loopback address, so that `localhost` reaches this server by both; None if this is not loopback, or there is no other.

    Errors: `CannotListen` if another program has it: then `localhost` must not be shown as our name.
    """
    host, port, *_ = listening.getsockname()
    if host not in TWINS:
        return None
    try:
        return listen(TWINS[host], port)
    except CannotListen as error:
        if error.details.get("absent"):
            return None
        raise


class Behind(Struct, frozen=True):
    """What stands behind a server, and follows its life."""

    parts: Parts
    grace: float
    """Seconds that attempts have to end once the server is told to stop."""
    ready: Callable[[], None]
    """Requests are answered from now on."""
    drain: Callable[[], "Future[None]"]
    """The server is told to stop; the future is done once nothing runs."""
    closing: Callable[[], None]
    """No more requests are accepted."""
    on_end: Callable[[Callable[[], None]], None]
    """Takes a callback for when the engine ends; without it there is nothing to serve."""
    turning: Turning
    """Returns since when the engine has been in its current turn."""
    beside: Callable[[], Coroutine[Any, Any, None]] | None = None
    """Runs in the same loop, for as long as it serves."""


def serve(
    app: AsgiApp, listening: Sequence[socket.socket], settings: Settings, behind: Behind
) -> None:
    """Serve until SIGTERM or SIGINT arrives, or the engine ends."""
    config = uvicorn.Config(
        app,
        interface="asgi3",
        loop="none",
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        headers=HSTS if settings.is_secure else None,
        # X-Forwarded-For is evaluated by the gatekeeper, which knows which part of it the client could have written.
        proxy_headers=False,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        timeout_keep_alive=IDLE,
        timeout_graceful_shutdown=UNDER_WAY,
        backlog=BACKLOG,
    )
    callers = Callers(sizes_for(raised_limit()))
    sys.setswitchinterval(SWITCH)
    limit_log()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(uvicorn.Server(config), listening, callers, behind))


def _open_doors(
    listening: Sequence[socket.socket],
    parts: Parts,
    attend: Callable[..., Coroutine[Any, Any, None]],
) -> Callable[[], Awaitable[None]]:
    """Accept at each of the sockets; return a function that ends it."""
    loop = asyncio.get_running_loop()
    doors = [parts.part(name) for name in NETWORK_DOORS[: len(listening)]]
    pairs = zip(listening, doors, strict=True)
    accepting = [loop.create_task(attend(each, part=part)) for each, part in pairs]

    async def close() -> None:
        for part, task in zip(doors, accepting, strict=True):
            part.stop()
            task.cancel()
        await asyncio.gather(*accepting, return_exceptions=True)

    return close


def _watched(turns: LoopTurns, behind: Behind) -> Watchdog:
    """Start watching the event loop and the engine's thread."""
    watchdog = Watchdog(behind.parts)
    watchdog.watch("event-loop", turns.turning)
    watchdog.watch("engine-turns", behind.turning)
    watchdog.begin()
    return watchdog


async def _serve(
    server: Any, listening: Sequence[socket.socket], callers: Callers, behind: Behind
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(THREADS, "tidegate-read"))
    drained = asyncio.Event()
    draining: list[asyncio.Task[None]] = []

    def leave() -> None:
        behind.closing()
        server.should_exit = True

    def soon(act: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(act)

    async def drain() -> None:
        try:
            behind.drain().add_done_callback(lambda _: soon(drained.set))
            with suppress(TimeoutError):
                async with asyncio.timeout(behind.grace):
                    await drained.wait()
        finally:
            leave()

    def stop() -> None:
        if server.should_exit:
            server.force_exit = True  # nothing is waited for from here on
        elif draining:
            drained.set()
        else:
            draining.append(loop.create_task(drain()))

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    (config := server.config).load()
    server.lifespan = config.lifespan_class(config)
    # We accept connections ourselves and count them before TLS; what remains of uvicorn's server is its clock and its shutdown.
    server.servers, server.started, state = [], True, server.server_state
    behind.on_end(lambda: soon(leave))
    sweeping = partial(sweep, state.connections)
    close_doors = _open_doors(
        listening,
        behind.parts,
        partial(attend_network, config=config, state=state, callers=callers),
    )
    others = [loop.create_task(supervise(behind.parts.part("connections"), sweeping))]
    if behind.beside is not None:
        others.append(loop.create_task(behind.beside()))
    turns = LoopTurns(threading.get_ident())
    others.append(loop.create_task(turns.run()))
    watchdog = _watched(turns, behind)
    behind.ready()
    await server.main_loop()
    watchdog.end()
    await close_doors()
    await server.shutdown(sockets=list(listening))
    for each in others:
        each.cancel()
    await asyncio.gather(*others, return_exceptions=True)
