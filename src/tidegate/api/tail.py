"""
One reader of the feed for all who watch it: each event is read and written down once, however many watch.

The last events are kept in a ring. Whoever watches has a place in the feed and nothing else: who is at the ring's end waits for more,
who is in it takes from it, who is behind it (or resumes) reads the store. So a slow watcher holds up nobody, and costs no buffer.
"""

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress

import msgspec
from msgspec import Struct

from tidegate.ports.journal import Key
from tidegate.service.access import Place, Principal, sees
from tidegate.service.service import Service
from tidegate.wire import FeedView

RING = 5_000
PAGE = 500
LONGEST = 600.0
"""Seconds after which a stream ends: whoever watches comes again, and is asked again who he is."""

BEAT = b": beat\n\n"
RETRY = b"retry: 1000\n\n"


class _Piece(Struct, frozen=True):
    view: FeedView
    text: bytes


class Tail:
    """Follows the feed of a service, from the first watcher on. After `heartbeat` seconds of silence a comment is sent."""

    def __init__(self, service: Service, heartbeat: float) -> None:
        self._service = service
        self._heartbeat = heartbeat
        self._ring: deque[_Piece] = deque(maxlen=RING)
        self._before = 0
        """The place after which the ring holds everything."""
        self._more = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self._signal = asyncio.Event()
        self._closed = False

    async def watch(
        self, after: int | None, execution: str, principal: Principal
    ) -> AsyncIterator[bytes]:
        """
        Return the events after a place, or from now on, as they are sent: of one execution, if its id is given, and only those that may be seen.

        Errors: `UnknownExecution`.
        """
        feed = self._service.feed
        key = await asyncio.to_thread(feed.key, execution, principal) if execution else None
        await self._begin()
        # The ring may be a moment behind; and who comes from a store that was made anew since has seen more than there is.
        last = await asyncio.to_thread(feed.last)
        place = last if after is None else min(after, last)
        return self._pieces(place, key, execution, principal)

    def close(self) -> None:
        """End every stream."""
        self._closed = True
        self._more.set()
        self._signal.set()

    @property
    def _end(self) -> int:
        return self._ring[-1].view.place if self._ring else self._before

    async def _pieces(
        self, place: int, key: Key | None, execution: str, principal: Principal
    ) -> AsyncIterator[bytes]:
        is_valid = self._service.tokens.is_valid
        yield RETRY
        clock = asyncio.get_running_loop().time
        sent, until = clock(), clock() + LONGEST
        while not self._closed and clock() < until and is_valid(principal):
            more, before = self._more, self._before
            if place < before:
                views = await asyncio.to_thread(self._service.feed.after, place, PAGE, key)
                found = [_piece(view) for view in views]
                # Nothing more of it stands before the ring, as that was when it was asked for.
                place = views[-1].place if views else before
            else:
                found = self._after(place)
                place = max(place, self._end)
            wanted = [
                each.text
                for each in found
                if (not execution or each.view.execution == execution)
                and sees(principal, Place(each.view.project, each.view.domain))
            ]
            if wanted:
                sent = clock()
                yield b"".join(wanted)
            elif not found:
                await _came(more, sent + self._heartbeat - clock())
            if clock() >= sent + self._heartbeat:
                sent = clock()
                yield BEAT

    def _after(self, place: int) -> list[_Piece]:
        ring = self._ring
        if not ring or ring[-1].view.place <= place:
            return []
        begin = bisect_right(ring, place, key=lambda each: each.view.place)
        return [ring[number] for number in range(begin, len(ring))]

    async def _begin(self) -> None:
        if self._reading is None:
            loop = asyncio.get_running_loop()
            last = await asyncio.to_thread(self._service.feed.last)
            if self._reading is None:
                self._before = last

                def wake() -> None:
                    loop.call_soon_threadsafe(self._signal.set)

                self._service.on_commit(wake)
                self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while not self._closed:
            self._signal.clear()
            views = await asyncio.to_thread(self._service.feed.after, self._end, PAGE)
            for view in views:
                if len(self._ring) == RING:
                    self._before = self._ring[0].view.place
                self._ring.append(_piece(view))
            if views:
                more, self._more = self._more, asyncio.Event()
                more.set()
            else:
                await self._signal.wait()


def _piece(view: FeedView) -> _Piece:
    text = b"id: %d\ndata: %b\n\n" % (view.place, msgspec.json.encode(view))
    return _Piece(view, text)


async def _came(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
