"""
The way to the other servers of a store: for each a line, on which requests that come while exchanges are under way go together in the next.

A request is sent again if no reply has come and the shard has another owner by now: its id or key makes that harmless.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial
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
from tidegate.wire import Ask, GetLogs, LogList, Recover, Relaunch, view_of
from tidegate.wire.owning import unsafe

TOGETHER, TOGETHER_BYTES = 200, 1024 * 1024
"""Most requests of an exchange, and the bytes from which no more are added."""

SLOW: Final = (Recover, Relaunch)
"""Requests that may read whole histories, or import code: each has an exchange to itself, because that ends with the last of its requests."""

SLOW_UNDER_WAY: Final = 2
"""Exchanges of such requests with one server at once. Of the others there is one: the more wait for it, the more share the next."""

LINGER: Final = 0.004
"""Longest pause in seconds between two exchanges, for requests that come meanwhile."""

READS: Final = 3.0
"""Seconds in which a server must have replied to what others can do without."""

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

CONNECT: Final = partial(httpcore.AsyncConnectionPool, max_connections=None)
"""Makes a client. Below httpx, which takes as long again for what is not needed here: redirects, cookies, credentials."""

log = logging.getLogger(__name__)

_replies = msgspec.json.Decoder(list[Replied])


class _Unreached(Exception):
    """A server could not be connected to, and why: nothing was sent."""


class _Asked(Struct, eq=False):
    """A request on its way: its bytes, and where its reply goes."""

    kind: type[Ask[Any]]
    shard: int
    body: bytes
    tell: Tell
    until: float
    guessed: bool
    was_sent: bool = False
    """Whether a server may have stored it that has not replied."""
    why: str = ""
    """Why the owner could not be reached the last time."""


_Said: TypeAlias = Replied | _Unreached | None
"""A reply; or that there is none, and whether the request may have arrived."""


class PeerLines:
    """
    The way to other servers (`service.replicas.Peers`): one thread with an event loop. `run` is to be called in it.

    A request costs no task and no timer: it waits in its line, and what stands still is looked for once a second.
    """

    def __init__(
        self,
        shares: StoreShares,
        part: Part,
        new_loop: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop,
        connect: Callable[[], AbstractAsyncContextManager[Any]] = CONNECT,
    ) -> None:
        self._shares = shares
        self._part = part
        self._secret = b""
        self._owners: dict[int, Replica] = {}
        self._alive: list[Replica] = []
        self._looking: asyncio.Future[None] | None = None
        self._ended = asyncio.Event()
        self._lines: dict[tuple[str, bool], _Line] = {}
        self._failing: dict[str, float] = {}
        self._new_loop, self._connect = new_loop, connect
        self._loop = new_loop()
        # Dicts, because their order is that in which they came.
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._is_closed = False
        self._come: deque[_Asked] = deque()
        self._woken = False
        self._open: dict[_Asked, None] = {}

    # -- from any thread --

    def ask(
        self, request: Ask[Any], principal: Principal, shard: int, tell: Tell, *, guessed: bool
    ) -> None:
        """Have the owner of a shard handle a request, and tell its view once, or an error; None if it is to be asked elsewhere."""
        assert isinstance(request, Deciding)
        body = encode(Passed(principal, request))
        self._come.append(_Asked(type(request), shard, body, tell, monotonic() + PATIENCE, guessed))
        if self._woken:
            return  # what has come by then goes along
        self._woken = True
        try:
            self._loop.call_soon_threadsafe(self._begin)
        except RuntimeError:
            self._end()

    def ask_each(self, wanted: Mapping[str, GetLogs], principal: Principal, tell: Tell) -> None:
        """Have each of these servers, by address, handle a request, and tell once what each has replied; nothing if this server ends."""

        async def read() -> None:
            asked = (self._read(at, request, principal) for at, request in wanted.items())
            tell(dict(zip(wanted, await asyncio.gather(*asked), strict=True)))

        # While there is no loop, all are silent.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(lambda: self.task(read()))

    def all_servers(self) -> tuple[str, list[str]]:
        """Return the address of this server, and those of all others that are alive."""
        me, alive = self._shares.name, self._alive
        own = next((each.address for each in alive if each.name == me), "")
        return own, [each.address for each in alive if each.name != me]

    def has_others(self) -> bool:
        """Return whether another server is alive that does not leave."""
        me = self._shares.name
        return any(each.name != me and not each.leaving for each in self._alive)

    def close(self) -> None:
        """Pass on nothing more."""
        self._is_closed = True
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._ended.set)

    def run(self) -> None:
        """Pass requests on until it is closed."""
        if self._loop.is_closed():  # it has failed before
            self._loop = self._new_loop()
        self._ended = asyncio.Event()
        self._lines, self._tasks, self._looking = {}, {}, None
        try:
            self._loop.run_until_complete(self._run())
        finally:
            self._loop.close()
            self._end()

    def _end(self) -> None:
        """Tell everybody who waits that nothing is passed on from now on."""
        # First, so that what comes later finds the loop closed, or is met below.
        self._woken = False
        while self._come:
            with suppress(IndexError):  # two threads may do this
                self._open[self._come.popleft()] = None
        for line in self._lines.values():
            line.leave()
        for asked in [*self._open]:
            self._finish(asked, _closed(asked))

    # -- in the loop --

    async def _run(self) -> None:
        async with self._connect() as self._client:
            self._begin()
            while not self._is_closed:
                await self._look()
                for line in [*self._lines.values()]:
                    line.recall()
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK):
                        await self._ended.wait()
            for task in [*self._tasks]:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self) -> None:
        # First, so that later requests wake the loop again.
        self._woken = False
        while self._come:
            asked = self._come.popleft()
            self._open[asked] = None
            self.carry(asked)

    def task(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this beside the rest."""
        task = self._loop.create_task(work)
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)

    def carry(self, asked: _Asked) -> None:
        """Give a request to the owner of its shard; look for that if there is none."""
        owner = self._owners.get(asked.shard)
        is_own = owner is not None and owner.name == self._shares.name
        if monotonic() >= asked.until:
            self._finish(asked, _unheard(asked))
        elif is_own and self._shares.has(asked.shard):
            self._finish(asked, None)
        elif owner is None or is_own:
            self.task(self._carry_later(asked, PAUSE))
        else:
            which = owner.name, asked.kind in SLOW
            line = self._lines.get(which)
            if line is None:
                line = self._lines[which] = _Line(self, owner, is_slow=which[1])
            line.send(asked)

    async def _carry_later(self, asked: _Asked, pause: float) -> None:
        try:
            await asyncio.sleep(pause)
            await self._look()
            self.carry(asked)
        except Exception as error:  # noqa: BLE001 - who waits must be told
            self._finish(asked, error)

    def settle(self, asked: _Asked, said: _Said) -> None:
        """Tell the caller what a server has said; if that was not the owner, or it has said nothing, look for the owner again."""
        if isinstance(said, Replied):
            try:
                result = _result(asked, said)
            except Exception as error:  # noqa: BLE001 - who waits must be told
                result = error
            if not isinstance(result, NotHere):
                self._finish(asked, result)
                return
            if asked.guessed:
                self._finish(asked, None)
                return
        asked.was_sent = asked.was_sent or said is None
        asked.why = f" ({said})" if isinstance(said, _Unreached) else ""
        self.task(self._carry_later(asked, 5 * PAUSE if asked.why else PAUSE))

    async def _read(
        self, address: str, request: GetLogs, principal: Principal
    ) -> LogList | Exception:
        """Return what a server replies, or why it has not. It is an exchange of its own: a server that does not know the request refuses only that."""
        owner = next((each for each in self._alive if each.address == address), None)
        said: Sequence[Replied] | None = None
        try:
            async with asyncio.timeout(READS):
                if owner is not None:
                    said = await self.exchange(owner, [encode(Passed(principal, request))])
            if said and said[0].status == 200:
                return msgspec.json.decode(said[0].body, type=LogList)
        except _Unreached as error:
            return NotHere(str(error))
        except TimeoutError:
            pass
        except Exception as error:  # noqa: BLE001 - the others' replies count all the same
            return error
        found = error_in(bytes(said[0].body)) if said else None
        return found or NotHere("it does not reply")

    def _finish(self, asked: _Asked, result: Any) -> None:
        if asked in self._open:
            del self._open[asked]
            asked.tell(result)

    def is_elsewhere(self, asked: _Asked, owner: Replica) -> bool:
        """Return whether a request is not to wait for this server any longer: somebody else has taken over, or soon will."""
        return self._owners.get(asked.shard, owner).name != owner.name or monotonic() >= asked.until

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
            for which in [at for at, line in self._lines.items() if not line.busy]:
                if which[0] not in living:
                    del self._lines[which]
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
        told = _replies.decode(reply.content)
        assert len(told) == len(bodies), f"{len(told)} replies to {len(bodies)} requests"
        return told


class _Line:
    """The requests for one server: those that come while exchanges are under way go together in the next."""

    def __init__(self, lines: PeerLines, owner: Replica, *, is_slow: bool) -> None:
        self._lines = lines
        self._owner = owner
        self._together = 1 if is_slow else TOGETHER
        self._at_once = SLOW_UNDER_WAY if is_slow else 1
        self._waiting: list[_Asked] = []
        self._under_way: dict[_Asked, None] = {}
        self.busy = 0
        """Exchanges under way."""

    def send(self, asked: _Asked) -> None:
        """Pass a request on; `PeerLines.settle` is told what becomes of it."""
        self._waiting.append(asked)
        if self.busy < self._at_once:
            self.busy += 1
            self._lines.task(self._exchange())

    def recall(self) -> None:
        """Take back what is not to wait for this server any longer: it stands still."""
        for asked in [*self._under_way]:
            if self._lines.is_elsewhere(asked, self._owner):
                del self._under_way[asked]
                self._lines.settle(asked, None)
        waiting, self._waiting = self._waiting, []
        for asked in waiting:
            if self._lines.is_elsewhere(asked, self._owner):
                self._lines.carry(asked)
            else:
                self._waiting.append(asked)

    def leave(self) -> None:
        """Whether what is under way is stored will not be known."""
        for asked in self._under_way:
            asked.was_sent = True

    async def _exchange(self) -> None:
        try:
            await asyncio.sleep(0)  # what comes in this turn of the loop goes along
            while self._waiting:
                began = monotonic()
                together = self._next()
                self._under_way.update(dict.fromkeys(together))
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
                for asked, said in zip(together, replies, strict=True):
                    if asked in self._under_way:
                        del self._under_way[asked]
                        self._lines.settle(asked, said)
                if self._waiting:
                    # Where much is to be passed on, exchanges cost more than what is in them: as long as one took, what comes waits for the next.
                    await asyncio.sleep(min(monotonic() - began, LINGER))
        finally:
            self.busy -= 1

    def _next(self) -> list[_Asked]:
        """Take what goes in the next exchange."""
        size, count = 0, 0
        for each in self._waiting[: self._together]:
            if count and size >= TOGETHER_BYTES:
                break
            size, count = size + len(each.body), count + 1
        together, self._waiting = self._waiting[:count], self._waiting[count:]
        return together


def _result(asked: _Asked, told: Replied) -> Any:
    """Return the view of a reply, or its error."""
    if told.status == 200:
        return msgspec.json.decode(told.body, type=view_of(asked.kind))
    return error_in(bytes(told.body)) or NotHere("another server replied with nothing known")


def _unheard(asked: _Asked) -> StoreError:
    """Return what to say when no owner has replied."""
    why = (
        f"no owner of shard {asked.shard} of the store has replied for {PATIENCE:.0f} s{asked.why}"
    )
    if asked.was_sent:
        # One may have stored it before it fell silent.
        return CommitUnknown(f"{why}, and whether it was stored is not known: look")
    return NotHere(f"{why}: nothing was stored; try again", retry_after=5)


def _closed(asked: _Asked) -> StoreError:
    if asked.was_sent:
        return CommitUnknown(
            "this server is ending, and whether another one has stored it is not known: look"
        )
    return NotHere("this server is ending; ask another one", retry_after=1)
