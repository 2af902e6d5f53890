"""
The doors of simulated hosts: the real service, which asks the owner of a shard, and the real way to other servers, over a network of ours.

A client asks any host (`Door.ask`). What its service waits for is waited for in virtual time, and so is what the event loop of `PeerLines` does.
Between hosts requests and replies are lost now and then; a host that is stopped takes a connection, and says nothing.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any, Self

import httpcore

from tidegate.api.passing import PeerLines
from tidegate.api.peers import PeerDoor
from tidegate.api.route import encode
from tidegate.engine.loop import Engine
from tidegate.ports.artifacts import Artifacts
from tidegate.service.access import Principal
from tidegate.service.service import Service
from tidegate.service.steps import carry_out
from tidegate.stores.postgres.store import PostgresStore
from tidegate.wire import Ask, check

from .timeline import LATE, SECOND, Machine, Timeline, Waiter

LOST = 0.03
"""How many of the exchanges between hosts get no reply; half of them have arrived."""

PORT = 8_000


class Loop:
    """An event loop in virtual time, run by a strand of a host: what asyncio and our code ask of one."""

    def __init__(self, timeline: Timeline, machine: Machine) -> None:
        self._timeline = timeline
        self._machine = machine
        self._ready: deque[asyncio.Handle] = deque()
        self._idle: Waiter | None = None
        self._closed = False
        self._me: Any = self

    def time(self) -> float:
        machine = self._machine
        return (self._timeline.now * machine.rate + machine.offset) / SECOND

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:
        if self._closed:
            raise RuntimeError("the loop is closed")
        handle = asyncio.Handle(callback, args, self._me, context)
        self._come(handle)
        return handle

    call_soon_threadsafe = call_soon

    def call_later(
        self, delay: float, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(self.time() + delay, callback, args, self._me, context)
        after = max(0, round(delay / self._machine.rate * SECOND))
        self._timeline.at(after, lambda: self._come(handle), self._machine)
        return handle

    def call_at(
        self, when: float, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        return self.call_later(when - self.time(), callback, *args, context=context)

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self._me)

    def create_task(self, coro: Any, **named: Any) -> "asyncio.Task[Any]":
        return asyncio.Task(coro, loop=self._me, **named)

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> "asyncio.Future[Any]":
        """Call a function on a strand of its own."""
        future = self.create_future()

        def settle(said: Any) -> None:
            if not future.done():
                (future.set_exception if isinstance(said, Exception) else future.set_result)(said)

        def run() -> None:
            try:
                said: Any = func(*args)
            except Exception as error:  # noqa: BLE001 - it is raised where the result is awaited
                said = error
            if not self._closed:
                self.call_soon(settle, said)

        self._timeline.spawn(self._machine, run)
        return future

    def run_until_complete(self, future: Any) -> Any:
        task = self.create_task(future)
        task.add_done_callback(lambda _: None)
        while not task.done():
            if not self._ready:
                self._idle = Waiter(self._timeline)
                self._idle.wait()
                self._idle = None
            while self._ready:
                handle = self._ready.popleft()
                if not handle.cancelled():
                    before = asyncio._get_running_loop()
                    asyncio._set_running_loop(self._me)
                    try:
                        handle._run()
                    finally:
                        asyncio._set_running_loop(before)
        return task.result()

    def _come(self, handle: asyncio.Handle) -> None:
        self._ready.append(handle)
        if self._idle is not None:
            self._idle.done(None)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        pass

    def call_exception_handler(self, context: Any) -> None:
        error = context.get("exception")
        if error is not None and not self._machine.dead:
            self._timeline.faults.append(f"an event loop has failed: {error!r}")

    def get_debug(self) -> bool:
        return False

    def is_closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        self._closed = True


class Lock:
    """A `threading.Lock` of strands."""

    timeline: Timeline

    def __init__(self) -> None:
        self._held = False
        self._waiting: deque[Waiter] | None = None

    def acquire(self, timeout: float = -1) -> bool:
        until = None if timeout < 0 else self.timeline.monotonic() + timeout
        while self._held:
            seconds = None if until is None else max(0.0, until - self.timeline.monotonic())
            waiter = Waiter(self.timeline)
            self._waiting = self._waiting or deque()
            self._waiting.append(waiter)
            if waiter.wait(seconds) is LATE and self._held:
                return False
        self._held = True
        return True

    def release(self) -> None:
        self._held = False
        waiting, self._waiting = self._waiting, None
        for each in waiting or ():
            each.done(None)

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class Door:
    """What answers at one host: `service` is its service, `lines` its way to others."""

    def __init__(self, network: "Network", host: Machine, store: PostgresStore, engine: Engine, crew: Any) -> None:  # fmt: skip
        self._timeline = network.timeline
        self.host = host
        nothing: Any = None  # no request that is made has files
        artifacts = Artifacts(nothing, nothing, nothing, nothing)
        self.service = Service(store, engine, crew, artifacts, store.shares)
        loop: Any = Loop(network.timeline, host)
        self.loop = loop
        client = Client(network, self)
        part = self.service.parts.part("peers")
        self.lines = PeerLines(store.shares, part, lambda: self.loop, lambda: client)
        self.service.replicas.peers = self.lines
        backend: Any = self
        self._peers = PeerDoor(backend, store.shares)
        self._timeline.spawn(host, self.lines.run)

    def ask(self, request: Ask[Any]) -> Any:
        """Handle a request of a client. On a strand of the host."""
        return self.service.handle(request)

    async def take_over(self, request: Ask[Any], principal: Principal) -> bytes:
        """Handle what another host passes on, as `api.backend` does, in a thread."""
        steps = self.service.steps(check(request), principal, passed_on=True)
        view = await self.loop.run_in_executor(None, carry_out, steps)
        return encode(view)

    def arrives(self, headers: Any, body: bytes, tell: Callable[[int, bytes], None]) -> None:
        """Take an exchange from the network."""

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        status, content = 0, b""

        async def send(message: Any) -> None:
            nonlocal status, content
            status = message.get("status", status)
            content += message.get("body", b"")

        async def handle() -> None:
            announced = self._peers.proven(headers)
            if announced is None:
                tell(404, b"")
                return
            await self._peers({}, receive, send, announced)
            tell(status, content)

        if not self.loop.is_closed():
            self.loop.call_soon(lambda: self.loop.create_task(handle()))

    def close(self) -> None:
        self.service.close()
        self.lines.close()


class Network:
    """What is between hosts: the door at each place."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.doors: dict[str, Door] = {}
        self._under_way: dict[Machine, list[Callable[[], None]]] = {}

    def address(self, place: str) -> str:
        return f"http://127.0.0.1:{PORT + ord(place)}"

    def at(self, url: str) -> Door | None:
        """Return the door that listens at an address."""
        port = int(url.split(":")[2].split("/", maxsplit=1)[0])
        door = self.doors.get(chr(port - PORT))
        return None if door is None or door.host.dead else door

    def goes(self, host: Machine, on_death: Callable[[], None]) -> None:
        self._under_way.setdefault(host, []).append(on_death)

    def dies(self, host: Machine) -> None:
        """Tell those who wait for a reply of this host that there is none."""
        for on_death in self._under_way.pop(host, ()):
            self.timeline.at(1_000, on_death)


class Client:
    """What `httpcore.AsyncConnectionPool` is to `PeerLines`."""

    def __init__(self, network: Network, door: Door) -> None:
        self._network = network
        self._door = door

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def request(
        self, method: str, url: str, *, headers: Any, content: bytes, extensions: Any
    ) -> SimpleNamespace:
        network, mine = self._network, self._door
        timeline, rng = network.timeline, network.timeline.rng
        other = network.at(url)
        if other is None:
            raise httpcore.ConnectError("connection refused")
        reply: asyncio.Future[Any] = mine.loop.create_future()

        def settle(said: Any) -> None:
            if not reply.done():
                (reply.set_exception if isinstance(said, Exception) else reply.set_result)(said)

        def come(said: Any) -> None:
            if not mine.loop.is_closed():
                mine.loop.call_soon(settle, said)

        def back(said: Any, after: int = 0) -> None:
            timeline.at(after + rng.randint(100, 2_000), lambda: come(said), mine.host)

        fate = rng.random()

        def tell(status: int, body: bytes) -> None:
            lost = LOST / 2 < fate < LOST
            back(
                httpcore.ReadError("connection reset")
                if lost
                else SimpleNamespace(status=status, content=body)
            )

        network.goes(other.host, lambda: come(httpcore.ReadError("connection reset")))
        if fate < LOST / 2:
            back(httpcore.ReadError("connection reset"))
        else:
            arrives = partial(other.arrives, headers, content, tell)
            timeline.at(rng.randint(100, 2_000), arrives, other.host)
        try:
            async with asyncio.timeout(extensions["timeout"]["read"]):
                found: SimpleNamespace = await reply
        except TimeoutError:
            raise httpcore.ReadTimeout("timed out") from None
        return found
