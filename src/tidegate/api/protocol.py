"""
HTTP/1.1 on one connection, as uvicorn speaks it, with an end to all that may go on for ever.

Rule 1: a head has at most `MAX_HEAD` bytes, and `HEAD_TIME` to come; a body may come slowly, but not at a crawl, and so may a reply be read.
Rule 2: whatever is refused here is refused as a problem document, as everywhere else, and is no line in the log: strangers could fill it.
Rule 3: no other protocol is spoken. Who offers one (Java's client offers HTTP/2 with every first request) is heard as if he had not.
"""

import asyncio
from functools import partial
from typing import Any, Final, cast

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from tidegate.api.callers import CALLER, Caller
from tidegate.api.problems import MEDIA, document, headers_of
from tidegate.api.replies import WHOLE, head_lines, lines_of
from tidegate.api.route import encode
from tidegate.errors import BadRequest, HeadTooLarge, Overloaded, TidegateError, TooSlow

MAX_HEAD: Final = 64 * 1024
"""Bytes of a request's line and headers."""

HEAD_TIME: Final = 20.0
"""Seconds in which the head of a request must have come, from its first byte on; and the first byte of a connection's first request."""

BODY_TIME: Final = 30.0
SLOWEST: Final = 2_000
"""A body must have come in `BODY_TIME` seconds, and one more for each so many bytes that have come."""

READ_TIME: Final = 30.0
"""Seconds in which a client must take what waits to be sent to it, and one more for each `SLOWEST` bytes that it has taken."""

MAX_WASTED: Final = 4 * 1024 * 1024
"""Bytes that come after the reply that refuses them; a client that reads has noticed by then."""

LINGER: Final = 2.0
"""Seconds in which who is refused may read why: to hang up while more comes in would take the words from him."""

SWEEP: Final = 2.0
"""Seconds between two looks at all connections."""

MOST_AHEAD: Final = 8
"""Requests that may come on a connection before the reply to an earlier one. Of the smallest, thousands fit into what is read at once; each takes a KiB, and 60 us of the loop."""

OFFERS: Final = frozenset({b"connection", b"upgrade", b"http2-settings"})
"""The headers with which another protocol is offered."""


class Protocol(HttpToolsProtocol):
    """One connection."""

    cycle: Any

    def __init__(self, *args: Any, caller: Caller | None = None, **named: Any) -> None:
        super().__init__(*args, **named)
        self._caller = caller

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        self._since: float | None = self.loop.time()
        """When what is awaited began to come: the head, then the body; None while nothing is awaited, or only the next request."""
        self._size = 0
        self._came = 0
        self._in_body = False
        self._refused = False
        self._wasted = 0
        self._under_way: Any = None
        """The cycle of the request that is worked on; uvicorn's `cycle` is that of the one that was read last."""
        self._idle: float | None = None
        """Since when the connection is kept for a next request."""
        self._unread: tuple[float, int] | None = None
        """Since when something waits for the client to read, and how many bytes that were."""
        self._usual_of: Any = None
        self._usual = b""
        """uvicorn's own headers as lines: the date, which is another list each second."""
        super().connection_made(transport)
        if self._caller is not None:
            self._caller.made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the request under way that its client has left: uvicorn tells only the one that was read last."""
        if self._under_way is not None and not self._under_way.response_complete:
            self._under_way.disconnected = True
            self._under_way.message_event.set()
        if self._caller is not None:
            self._caller.lost()
        super().connection_lost(exc)
        # They hold each other, and would be left to the collector: some hundred megabytes, if many ask much and hang up.
        for cycle, _ in self.pipeline:
            cycle.scope["extensions"].clear()
        self.pipeline.clear()

    def data_received(self, data: bytes) -> None:
        """Take what has come, unless it is of no use any more."""
        if self._refused:
            self._waste(len(data))
            return
        self._idle = None
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._decline(data[offer.args[0] :])
            return
        except httptools.HttpParserError:
            if len(self.pipeline) >= MOST_AHEAD:
                self._refuse(_too_far_ahead())
            else:
                self._refuse(_head_too_large() if self._size > MAX_HEAD else _unreadable())
            return
        if self._since is None:
            if self.cycle is None or self.cycle.response_complete:
                # Line ends between requests are no request, and must not keep a connection open.
                self._since = self.loop.time()
        elif not self._in_body:
            # The parser collects a header that does not end for as long as it comes.
            self._came += len(data)
            if self._came > MAX_HEAD:
                self._refuse(_head_too_large())

    def on_message_begin(self) -> None:
        """Begin to count, unless too much was asked already that has no reply."""
        if len(self.pipeline) >= MOST_AHEAD:
            raise _too_far_ahead()
        super().on_message_begin()
        self._since, self._size, self._in_body = self.loop.time(), 0, False
        self._came = self._wasted = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, as long as all of them are not too much."""
        self._size += len(name) + len(value) + len(b": \r\n")
        if self._size > MAX_HEAD:
            raise _head_too_large()
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_url(self, url: bytes) -> None:
        """Take a part of the address, as long as it is not too much."""
        self._size += len(url)
        if self._size > MAX_HEAD:
            raise _head_too_large()
        super().on_url(url)

    def on_headers_complete(self) -> None:
        """Hand the request over, unless it offers another protocol, and is read again without."""
        self._since, self._size, self._in_body = self.loop.time(), 0, True
        if self.parser.should_upgrade():
            return
        super().on_headers_complete()
        # The task of the request is made, and has not begun.
        offered: dict[str, Any] = {WHOLE: partial(self._send_whole, self.cycle)}
        if self._caller is not None:
            offered[CALLER] = self._caller
        cast("Any", self.scope)["extensions"] = offered

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._under_way = cycle
        super()._start_asgi_task(cycle, app)

    async def _send_whole(self, cycle: Any, status: int, head: bytes, body: bytes) -> None:
        """Send a whole reply, as uvicorn's `send` does in two messages: it looks at each header again, and writes twice."""
        # Done once; and the scope would hold itself by it, and be left to the collector.
        cycle.scope["extensions"].clear()
        if self.flow.write_paused and not cycle.disconnected:
            await self.flow.drain()
        if cycle.disconnected:
            return
        assert not cycle.response_started, "a request has one reply"
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        if self._usual_of is not cycle.default_headers:
            self._usual_of, self._usual = cycle.default_headers, lines_of(cycle.default_headers)
        last = b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n"
        body = b"" if cycle.scope["method"] == "HEAD" else body
        self.transport.write(b"".join((STATUS_LINE[status], self._usual, head, last, body)))
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()

    def on_response_complete(self) -> None:
        """Go on with what was asked next, or keep the connection for a while: uvicorn sets a timer, here `sweep` looks."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._idle = self.loop.time()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._size += len(body)
        if self.cycle is not None and self.cycle.response_complete:
            self._waste(len(body))
        if not self.parser.should_upgrade():
            super().on_body(body)

    def _waste(self, size: int) -> None:
        self._wasted += size
        if self._wasted > MAX_WASTED:
            self.transport.close()

    def on_message_complete(self) -> None:
        """Await nothing more, till the next request."""
        if not self.parser.should_upgrade():
            self._since, self._in_body = None, False
            super().on_message_complete()

    def _decline(self, rest: bytes) -> None:
        """Read the same request again, as if it had offered nothing; `rest` is what has come of it since."""
        method = self.parser.get_method()
        if method == b"CONNECT":
            self._refuse(_unreadable())
            return
        kept = ((name, value) for name, value in self.headers if name not in OFFERS)
        lines = b"".join(b"%b: %b\r\n" % each for each in kept)
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(b"%b %b HTTP/1.1\r\n%b\r\n%b" % (method, self.url, lines, rest))

    def check_pace(self, now: float) -> None:
        """End the connection if what is awaited on it is too slow, or what waits there is not read."""
        if self._is_unread(now):
            self.transport.abort()
            return
        if self.transport.is_closing():
            return
        if self._idle is not None and now - self._idle > self.timeout_keep_alive:
            self.transport.close()
            return
        # While the door itself is slow to take what is there, nobody else is to blame.
        if self._since is None or self.flow.read_paused:
            return
        longest = BODY_TIME + self._size / SLOWEST if self._in_body else HEAD_TIME
        if now - self._since <= (LINGER if self._refused else longest):
            return
        if not self._refused and (self._in_body or self._came):
            self._refuse(TooSlow("the request came too slowly, or not whole; send it again"))
        else:
            self.transport.close()

    def _is_unread(self, now: float) -> bool:
        """Whether the client is too slow to take what waits to be sent. Nothing is added to that meanwhile."""
        if not (self.flow.write_paused or self.transport.is_closing()):
            return False
        left = self.transport.get_write_buffer_size()
        since, size = self._unread = self._unread or (now, left)
        return now - since > READ_TIME + (size - left) / SLOWEST

    def resume_writing(self) -> None:
        """Let more be written, for which the client has its own time to read."""
        self._unread = None
        super().resume_writing()

    def shutdown(self) -> None:
        """End as the server does: what has come whole is replied to, and what has not is not waited for."""
        if self._since is not None and self._in_body:
            why = "the server is stopping, and has not done this; try again when it is back"
            self._refuse(Overloaded(why, retry_after=2))
            self.transport.close()
        else:
            super().shutdown()

    def _refuse(self, error: TidegateError) -> None:
        """Send a problem, and hang up soon; but if something was asked before, its reply is sent, and is the last."""
        if self.transport.is_closing():
            return
        self._refused, self._since = True, self.loop.time()
        if not (self.cycle is None or self.cycle.response_complete or self._awaits_reply()):
            self.cycle.keep_alive = False
            if not self._in_body:
                self._since = None
            return
        if self.cycle is not None:
            # Whatever its request is still replied with comes too late, and has no way out.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        body = encode(document(error))
        usual = lines_of(self.server_state.default_headers)
        head = head_lines(MEDIA, headers_of(error), len(body))
        self.transport.write(
            b"".join((STATUS_LINE[error.status], usual, head, b"connection: close\r\n\r\n", body))
        )
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

    def _awaits_reply(self) -> bool:
        """Whether what was read last is the request that is under way, and nothing of its reply is sent."""
        return self._in_body and not self.pipeline and not self.cycle.response_started


async def sweep(connections: set[Any]) -> None:
    """Look again and again at the pace of all connections, for as long as the server runs."""
    now = asyncio.get_running_loop().time
    while True:
        await asyncio.sleep(SWEEP)
        for each in tuple(connections):
            each.check_pace(now())


def _unreadable() -> BadRequest:
    return BadRequest("this is not HTTP/1.1, or not of the strict kind")


def _too_far_ahead() -> BadRequest:
    return BadRequest(
        f"more than {MOST_AHEAD} requests wait for a reply on this connection; wait for them, then send on"
    )


def _head_too_large() -> HeadTooLarge:
    return HeadTooLarge(
        f"the request's line and headers are longer than {MAX_HEAD:,} bytes", limit=MAX_HEAD
    )
