"""A server of our protocol on a real socket, and the bytes that a client sends and reads."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import uvicorn
import uvloop
from uvicorn.server import ServerState

from tidegate.api import protocol
from tidegate.api.replies import Out

LONGEST = 30.0
"""Seconds after which something that was promised has not happened."""

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n"

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
"""What a server may run in; ours runs in uvloop, which has its own ways of ending a connection."""


def play(loop: str, scene: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Play a scene in a loop of this kind, and not forever."""
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        return runner.run(asyncio.wait_for(scene(), LONGEST))


async def echo(scope, receive, send):
    """Reply with the body that has come."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message.get("body", b"")
        more = message.get("more_body", False)
    await Out(scope, send).whole(200, body, "text/plain")


class Reply(NamedTuple):
    """What a client has read. Names of headers are in lower case; of one that is there twice both values count."""

    status: int
    headers: dict[str, str]
    body: bytes


class Line:
    """One connection of a client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, *pieces: bytes) -> None:
        self.writer.write(b"".join(pieces))

    async def reply(self, *, has_body: bool = True) -> Reply:
        """Read one reply, as long as it says it is."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode().removesuffix("\r\n\r\n").split("\r\n")
        headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(": ")
            name = name.lower()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        size = int(headers.get("content-length", 0)) if has_body else 0
        return Reply(int(first.split(" ")[1]), headers, await self.reader.readexactly(size))

    async def rest(self) -> bytes:
        """Read until the server has hung up, in whatever way."""
        return await all_of(self.reader)

    def cut(self) -> None:
        """Hang up at once, whatever was not read yet."""
        self.writer.transport.abort()


async def all_of(reader: asyncio.StreamReader) -> bytes:
    found = b""
    try:
        while piece := await reader.read(65_536):
            found += piece
    except ConnectionError:
        pass
    return found


class Served:
    """Where a server listens, and what it knows of its connections."""

    def __init__(self, address: tuple[str, int], state: ServerState) -> None:
        self.address = address
        self.state = state
        self.lines: list[Line] = []

    async def connect(self, room: int = 0) -> Line:
        """Connect; with `room`, as a client for whom the system keeps so few bytes that it has not read."""
        line = socket.socket()
        if room:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        line.setblocking(False)
        await asyncio.get_running_loop().sock_connect(line, self.address)
        self.lines.append(Line(*await asyncio.open_connection(sock=line, limit=room or 2**16)))
        return self.lines[-1]

    async def until_left(self) -> None:
        """Wait until the server has noticed that all connections are gone, and has ended what was asked on them."""
        while self.state.connections or self.state.tasks:  # noqa: ASYNC110 - sets tell nobody
            await asyncio.sleep(0.001)


@asynccontextmanager
async def listening(app: Callable[..., Awaitable[None]] = echo) -> AsyncIterator[Served]:
    state = ServerState()
    config = uvicorn.Config(app, lifespan="off", ws="none", log_config=None)
    config.load()
    loop = asyncio.get_running_loop()
    listener = socket.create_server(("127.0.0.1", 0))
    # Connections inherit it: what a client does not read fills this machine's buffers as soon as any other's.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
    address = listener.getsockname()
    server = await loop.create_server(lambda: protocol.Protocol(config, state, {}), sock=listener)
    sweeping = asyncio.create_task(protocol.sweep(state.connections))
    served = Served(address, state)
    try:
        yield served
    finally:
        for line in served.lines:
            line.cut()
        sweeping.cancel()
        server.close()
        for each in tuple(state.connections):
            each.transport.abort()
