"""
The way to the other servers of a store: for each a line, on which requests that come while exchanges are under way go together in the next.

A request is sent again if no reply has come and the shard has another owner by now: its id or key makes that harmless.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from math import inf
from time import monotonic
from typing import Any, Final, TypeAlias

import httpcore
import msgspec
import uvloop
from msgspec import Struct

from tidegate.api.peers import HEAD, PATH, Passed, Replied, signed
from tidegate.api.route import encode
from tidegate.errors import CommitUnknown, NotHere, StoreError
from tidegate.parts import Part
from tidegate.ports.shares import Replica, StoreShares
from tidegate.remote.problems import error_in
from tidegate.service.access import Principal
from tidegate.service.replicas import Deciding, Tell
from tidegate.wire import Ask, Recover, Relaunch, view_of
from tidegate.wire.owning import unsafe

TOGETHER, TOGETHER_BYTES = 200, 1024 * 1024
"""Most requests of an exchange, and the bytes from which no more are added."""

SLOW: Final = (Recover, Relaunch)
"""Requests that may read whole histories, or import code: each has an exchange to itself, because that ends with the last of its requests."""

SLOW_UNDER_WAY: Final = 2
"""Exchanges of such requests with one server at once. Of the others there is one: the more wait for it, the more share the next."""

PATIENCE: Final = 20.0
"""Seconds for which an owner is looked for: two leases."""

LOOK: Final = 1.0
"""Seconds between two looks at who is alive."""

PAUSE: Final = 0.05
"""Seconds before an owner is looked for again."""

SAID_AFTER: Final = 2.0
"""Seconds after which it is logged that a server cannot be reached; one that has just ended is followed by another soon."""

TIMEOUT: Final = {"connect": 2.0, "read": 30.0, "write": 30.0, "pool": 30.0}
"""Seconds that the steps of an exchange may take."""

log = logging.getLogger(__name__)

_replies = msgspec.json.Decoder(list[Replied])


class _Unreached(Exception):
    """A server could not be connected to, and why: nothing was sent."""


class _Asked(Struct):
    """A request on its way: its bytes, and where its reply goes."""

    kind: type[Ask[Any]]
    shard: int
    body: bytes
    tell: Tell
    until: float
    guessed: bool


_Said: TypeAlias = Replied | _Unreached | None
"""A reply; or that there is none, and whether the request may have arrived."""


class _Waiting(Struct):
    """A request that waits for an exchange, and where its reply goes."""

    body: bytes
    ready: "asyncio.Future[_Said]"


class PeerLines:
    """The way to other servers (`service.replicas.Peers`): one thread with an event loop. `run` is to be called in it."""

    def __init__(self, shares: StoreShares, part: Part) -> None:
        self._shares = shares
        self._part = part
        self._secret = b""
        self._owners: dict[int, Replica] = {}
        self._alive: list[Replica] = []
        self._looked = -LOOK
        self._looking: asyncio.Future[None] | None = None
        self._lines: dict[tuple[str, bool], _Line] = {}
        self._failing: dict[str, float] = {}
        self._loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended: asyncio.Event = asyncio.Event()

    # -- from any thread --

    def ask(
        self, request: Ask[Any], principal: Principal, shard: int, tell: Tell, *, guessed: bool
    ) -> None:
        """Have the owner of a shard handle a request, and tell its view once, or an error; None if it is to be asked elsewhere."""
        assert isinstance(request, Deciding)
        body = encode(Passed(principal, request))
        asked = _Asked(type(request), shard, body, tell, monotonic() + PATIENCE, guessed)
        try:
            self._loop.call_soon_threadsafe(self._begin, asked)
        except RuntimeError:
            tell(_closed())

    def has_others(self) -> bool:
        """Return whether another server is alive that does not leave."""
        me = self._shares.name
        return any(each.name != me and not each.leaving for each in self._alive)

    def close(self) -> None:
        """Pass on nothing more."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._ended.set)

    def run(self) -> None:
        """Pass requests on until it is closed."""
        if self._loop.is_closed():  # it has failed before
            self._loop = uvloop.new_event_loop()
        try:
            self._loop.run_until_complete(self._run())
        finally:
            self._loop.close()

    # -- in the loop --

    async def _run(self) -> None:
        # Below httpx, which takes as long again for what is not needed here: redirects, cookies, credentials.
        async with httpcore.AsyncConnectionPool(max_connections=None) as self._client:
            while not self._ended.is_set():
                await self._look()
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK):
                        await self._ended.wait()
            for task in [*self._tasks]:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, asked: _Asked) -> None:
        task = self._loop.create_task(self._carry(asked))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, asked: _Asked) -> None:
        was_sent, why = False, ""
        try:
            while monotonic() < asked.until:
                owner = self._owners.get(asked.shard)
                is_own = owner is not None and owner.name == self._shares.name
                if is_own and self._shares.has(asked.shard):
                    asked.tell(None)
                    return
                pause = PAUSE
                if owner is not None and not is_own:
                    told = await self._send(owner, asked)
                    if isinstance(told, Replied) and self._settle(asked, told):
                        return
                    was_sent = was_sent or told is None
                    why = f" ({told})" if isinstance(told, _Unreached) else ""
                    pause = 5 * PAUSE if why else PAUSE
                await asyncio.sleep(pause)
                await self._look()
            why = f"no owner of shard {asked.shard} of the store has replied for {PATIENCE:.0f} s{why}"
            if was_sent:
                # One may have stored it before it fell silent.
                asked.tell(CommitUnknown(f"{why}, and whether it was stored is not known: look"))
            else:
                asked.tell(NotHere(f"{why}: nothing was stored; try again", retry_after=5))
        except asyncio.CancelledError:
            asked.tell(_closed())
            raise
        except Exception as error:  # noqa: BLE001 - who waits must be told
            asked.tell(error)

    async def _send(self, owner: Replica, asked: _Asked) -> _Said:
        """Have this server handle a request; None if it has not replied, and is no longer the owner."""
        which = owner.name, asked.kind in SLOW
        line = self._lines.get(which)
        if line is None:
            line = self._lines[which] = _Line(self, owner, is_slow=which[1])
        sent = asyncio.ensure_future(line.send(asked))
        while True:
            await asyncio.wait({sent}, timeout=LOOK)
            if sent.done():
                return sent.result()
            if self._owners.get(asked.shard, owner).name != owner.name or monotonic() > asked.until:
                # It stands still, and somebody else has taken over, or soon will.
                sent.cancel()
                return None

    def _settle(self, asked: _Asked, told: Replied) -> bool:
        """Give a reply to the caller; return whether that was the end of it."""
        if told.status == 200:
            asked.tell(msgspec.json.decode(told.body, type=view_of(asked.kind)))
            return True
        error = error_in(bytes(told.body)) or NotHere("another server replied with nothing known")
        if isinstance(error, NotHere):
            if asked.guessed:
                asked.tell(None)
            return asked.guessed
        asked.tell(error)
        return True

    async def _look(self) -> None:
        """Look who is alive, and who owns what; several who want that look once."""
        if self._looking is None:
            self._looking = asyncio.ensure_future(self._look_now())
        await asyncio.shield(self._looking)

    async def _look_now(self) -> None:
        try:
            found = await self._loop.run_in_executor(None, self._shares.replicas)
            self._secret = self._secret or await self._loop.run_in_executor(
                None, self._shares.secret
            )
        except StoreError as error:
            self._part.failed(error, quietly=True)
        else:
            self._part.works()
            self._alive = found
            self._owners = {shard: each for each in found for shard in each.shards}
            living = {each.name for each in found}
            self._lines = {at: line for at, line in self._lines.items() if at[0] in living}
        finally:
            self._looking = None

    async def exchange(self, owner: Replica, bodies: Sequence[bytes]) -> list[Replied] | None:
        """Pass requests on to a server; None if it does not reply, or does not believe this one. Errors: `_Unreached`."""
        if why := unsafe(owner.address):
            log.warning("%s is not asked: %s", owner.address, why)
            return None
        body = b"[%b]" % b",".join(bodies)
        head = signed(self._secret, owner.name, self._shares.now(), body)
        try:
            reply = await self._client.request(
                "POST",
                f"{owner.address}{PATH}",
                headers=[(HEAD, head)],
                content=body,
                extensions={"timeout": TIMEOUT},
            )
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            why = f"{owner.address}: {str(error) or 'it does not answer'}"
            if self._failing.setdefault(owner.name, monotonic()) + SAID_AFTER < monotonic():
                self._failing[owner.name] = inf
                log.warning("another server of the store cannot be reached at %s", why)
            raise _Unreached(why) from error
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            log.debug("%s does not reply: %r", owner.address, error)
            return None
        if reply.status != 200 or not reply.content:
            log.warning("%s did not take what was passed on to it: %d", owner.address, reply.status)
            return None
        self._failing.pop(owner.name, None)
        return _replies.decode(reply.content)


class _Line:
    """The requests for one server: those that come while exchanges are under way go together in the next."""

    def __init__(self, lines: PeerLines, owner: Replica, *, is_slow: bool) -> None:
        self._lines = lines
        self._owner = owner
        self._together = 1 if is_slow else TOGETHER
        self._at_once = SLOW_UNDER_WAY if is_slow else 1
        self._waiting: list[_Waiting] = []
        self._busy = 0

    async def send(self, asked: _Asked) -> _Said:
        """Pass a request on."""
        ready: asyncio.Future[_Said] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(asked.body, ready))
        if self._busy < self._at_once:
            self._busy += 1
            asyncio.ensure_future(self._exchange())  # noqa: RUF006 - it settles what was waiting
        return await ready

    async def _exchange(self) -> None:
        try:
            await asyncio.sleep(0)  # what comes in this turn of the loop goes along
            while self._waiting:
                together = self._next()
                replies: Sequence[_Said] = [None] * len(together)
                try:
                    replies = (
                        await self._lines.exchange(self._owner, [each.body for each in together])
                        or replies
                    )
                except _Unreached as error:
                    replies = [error] * len(together)
                except Exception:
                    # Whatever it was, nobody must wait without limit: the requests are sent again.
                    log.exception("an exchange with %s has failed", self._owner.address)
                for each, reply in zip(together, replies, strict=True):
                    if not each.ready.done():
                        each.ready.set_result(reply)
        finally:
            self._busy -= 1

    def _next(self) -> list[_Waiting]:
        """Take what goes in the next exchange."""
        size, count = 0, 0
        for each in self._waiting[: self._together]:
            if count and size >= TOGETHER_BYTES:
                break
            size, count = size + len(each.body), count + 1
        together, self._waiting = self._waiting[:count], self._waiting[count:]
        return together


def _closed() -> NotHere:
    return NotHere("this server is ending; ask another one", retry_after=1)
