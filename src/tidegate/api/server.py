"""
The server: one event loop in the main thread, on a socket of our own, until it is told to stop.

When it is told so, it accepts nothing more, lets go of everybody who waits for a change, and lets requests that are under way come to their end.
"""

import asyncio
import logging
import resource
import signal
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import uvicorn
import uvloop

from tidegate.api.protocol import MAX_CONNECTIONS, TOLERATED, Protocol, sweep
from tidegate.api.route import AsgiApp
from tidegate.api.settings import Settings
from tidegate.errors import TidegateError

BACKLOG = 2_048
IDLE = 75
"""Seconds after which a connection on which nothing is asked is closed."""

GRACE = 10
"""Seconds that requests under way have to come to their end when the server stops."""

THREADS = 16
"""How many requests that read much are carried out at once; the others wait for their turn, and hold up nobody else."""

log = logging.getLogger(__name__)


class CannotListen(TidegateError):
    """The address cannot be listened on."""

    code = "cannot_listen"
    status = 503


def listen(host: str, port: int) -> socket.socket:
    """Take the address. Errors: `CannotListen`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    try:
        # A port that was listened on a moment ago may be taken again; one that is listened on now may not.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host, port))
        taken.listen(BACKLOG)
    except OSError as error:
        taken.close()
        raise CannotListen(
            f"cannot listen on {host} port {port}: {(error.strerror or str(error)).lower()};"
            " stop what listens there, or choose another with --port"
        ) from None
    taken.setblocking(False)
    return taken


def serve(
    app: AsgiApp,
    listening: socket.socket,
    settings: Settings,
    *,
    ready: Callable[[], None],
    stopping: Callable[[], None],
) -> None:
    """
    Serve until SIGTERM or SIGINT comes.

    `ready` is called once requests are answered, `stopping` when no more are accepted.
    """
    config = uvicorn.Config(
        app,
        loop="none",
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        # What a proxy says of the address is for the gatekeeper, who knows which part of it the client could have written.
        proxy_headers=False,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        timeout_keep_alive=IDLE,
        timeout_graceful_shutdown=GRACE,
        backlog=BACKLOG,
    )
    # Each connection is an open file, and the usual limit is low for the sake of old programs.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + TOLERATED + 500
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(uvicorn.Server(config), listening, ready, stopping))


async def _serve(
    server: Any,
    listening: socket.socket,
    ready: Callable[[], None],
    stopping: Callable[[], None],
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(THREADS, "tidegate-read"))

    def stop() -> None:
        # The second time it is meant: nothing more is waited for.
        server.force_exit = server.should_exit
        server.should_exit = True
        stopping()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    config = server.config
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listening])
    sweeping = asyncio.create_task(sweep(server.server_state.connections))
    ready()
    await server.main_loop()
    await server.shutdown(sockets=[listening])
    sweeping.cancel()
