"""
One reader of the feed for all subscribers: each event is read and encoded once, however many there are.

The last events are kept in a ring, bounded in bytes. A subscriber is only a cursor: one inside the ring takes
the following events from it, and one outside (it resumes, or is slow) reads the store. So a slow subscriber delays nobody, and needs
no buffer. Cursors are opaque: they can be looked up in the ring, but not compared.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from functools import partial

import msgspec
from msgspec import Struct

from tidegate.api.supervise import supervise
from tidegate.errors import StoreError
from tidegate.ports.changes import Cursor
from tidegate.ports.journal import Key
from tidegate.service.access import Namespace, Principal, sees
from tidegate.service.service import Service
from tidegate.wire import FeedView

RING = 16 * 1024 * 1024
"""Bytes of events that are kept: some 30,000. A subscriber that was away for longer reads the store."""

AROUND = 500
"""Bytes of an event in the ring beside its text."""

PAGE = 500
"""Events that are read, or sent, at once."""

PIECE = 64 * 1024
"""Bytes that are sent at once: as much as a connection takes before it applies backpressure."""

PAUSE = 1.0
"""Seconds until a stream retries a failed read."""
LONGEST = 600.0
"""Seconds after which a stream ends: the client reconnects, and its credentials are checked again."""

BEAT = b": beat\n\n"
RETRY = b"retry: 1000\n\n"


class _Piece(Struct, frozen=True):
    """An encoded event, and who may receive it."""

    cursor: Cursor
    execution: str
    where: Namespace
    text: bytes


class _Ring:
    """
    The last pieces, numbered in order of arrival.

    `end` is the number that the next one will get, and `mark` the cursor after the last one.
    """

    def __init__(self, mark: Cursor) -> None:
        self._pieces: deque[_Piece] = deque()
        self._numbers: dict[Cursor, int] = {mark: 0}
        self._before = mark
        self._weight = 0
        self.end = 0
        self.mark = mark

    def add(self, piece: _Piece) -> None:
        """Keep one more piece; the oldest are evicted when there is no room."""
        self._pieces.append(piece)
        self._weight += AROUND + len(piece.text)
        self.end += 1
        self.mark = piece.cursor
        self._numbers[piece.cursor] = self.end
        while self._weight > RING:
            oldest = self._pieces.popleft()
            self._weight -= AROUND + len(oldest.text)
            del self._numbers[self._before]
            self._before = oldest.cursor

    def number(self, cursor: Cursor) -> int | None:
        """Return the number of the first piece after a cursor; None if that is not known here."""
        return self._numbers.get(cursor)

    def since(self, number: int, most: int) -> list[_Piece]:
        """Return up to `limit` pieces from a number on."""
        # By index, because most subscribers are near the end and need not scan the rest.
        begin = number - (self.end - len(self._pieces))
        end = min(begin + most, len(self._pieces))
        return [self._pieces[index] for index in range(begin, end)]

    @property
    def weight(self) -> int:
        """Bytes of what is kept."""
        return self._weight


class Tail:
    """Follows the feed of a service, from the first subscriber on. After `heartbeat` seconds of silence a comment is sent."""

    def __init__(self, service: Service, heartbeat: float) -> None:
        self._service = service
        self._heartbeat = heartbeat
        self._ring: _Ring | None = None
        self._more = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self._part = service.parts.part("feed")
        self._signal = asyncio.Event()
        self._closed = False

    async def watch(
        self, after: str | None, execution: str, principal: Principal
    ) -> AsyncIterator[bytes]:
        """
        Return the events after a cursor, or from now on, encoded: of one execution, if its id is given, and only those that the caller may see.

        Errors: `UnknownExecution`; `InvalidValue` for an invalid cursor.
        """
        feed = self._service.feed
        key = await asyncio.to_thread(feed.key, execution, principal) if execution else None
        ring = await self._begin()
        if after is None:
            cursor = await asyncio.to_thread(feed.latest)
        else:
            cursor = await asyncio.to_thread(feed.resume, after)
        return self._pieces(ring, cursor, key, execution, principal)

    def close(self) -> None:
        """End every stream."""
        self._part.stop()
        self._closed = True
        self._more.set()
        self._signal.set()

    async def _pieces(
        self, ring: _Ring, cursor: Cursor, key: Key | None, execution: str, principal: Principal
    ) -> AsyncIterator[bytes]:
        is_valid = self._service.sessions.is_valid
        yield RETRY
        clock = asyncio.get_running_loop().time
        lasts = min(LONGEST, self._service.sessions.seconds_left(principal))
        sent, until = clock(), clock() + lasts
        while not self._closed and clock() < until and is_valid(principal):
            more = self._more
            number = ring.number(cursor)
            if number is None:
                try:
                    found, cursor = await self._stored(ring, cursor, key)
                except StoreError:  # reported by the part that reads for all
                    found, more = [], asyncio.Event()
                    await _came(more, PAUSE)
                    more.set()
            else:
                found = ring.since(number, PAGE)
                cursor = found[-1].cursor if found else cursor
            wanted = [
                each.text
                for each in found
                if (not execution or each.execution == execution) and sees(principal, each.where)
            ]
            if wanted:
                sent = clock()
                for some in _together(wanted):
                    yield some
            elif not found:
                await _came(more, min(sent + self._heartbeat, until) - clock())
            if clock() >= sent + self._heartbeat:
                sent = clock()
                yield BEAT

    async def _stored(
        self, ring: _Ring, cursor: Cursor, key: Key | None
    ) -> tuple[list[_Piece], Cursor]:
        """Return what the store has after a cursor that is not in the ring, and the cursor after that."""
        feed, mark = self._service.feed, ring.mark
        views = await asyncio.to_thread(feed.after, cursor, PAGE, key)
        if views:
            return [_piece(view) for view in views], Cursor(views[-1].cursor)
        # Everything was read, up to `mark`. But the cursor may also be ahead of the ring, which will then reach it later.
        is_ahead = bool(await asyncio.to_thread(feed.after, mark, 1, key))
        return [], cursor if is_ahead else mark

    async def _begin(self) -> _Ring:
        if self._ring is None:
            loop = asyncio.get_running_loop()
            latest = await asyncio.to_thread(self._service.feed.latest)
            if self._ring is None:
                self._ring = _Ring(latest)

                def wake() -> None:
                    loop.call_soon_threadsafe(self._signal.set)

                self._service.on_commit(wake, "feed-signal")
                reading = supervise(self._part, partial(self._read, self._ring))
                self._reading = asyncio.create_task(reading)
        return self._ring

    async def _read(self, ring: _Ring) -> None:
        while not self._closed:
            self._signal.clear()
            views = await asyncio.to_thread(self._service.feed.after, ring.mark, PAGE)
            self._part.works()
            for view in views:
                ring.add(_piece(view))
            if views:
                more, self._more = self._more, asyncio.Event()
                more.set()
            else:
                await self._signal.wait()


def _piece(view: FeedView) -> _Piece:
    text = b"id: %b\ndata: %b\n\n" % (view.cursor.encode(), msgspec.json.encode(view))
    return _Piece(Cursor(view.cursor), view.execution, Namespace(view.project, view.domain), text)


def _together(texts: list[bytes]) -> Iterator[bytes]:
    """Yield texts in pieces of some `PIECE` bytes: a slow client holds one of them, and the ring holds the rest anyway."""
    some, size = [], 0
    for text in texts:
        some.append(text)
        size += len(text)
        if size >= PIECE:
            yield b"".join(some)
            some, size = [], 0
    if some:
        yield b"".join(some)


async def _came(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
