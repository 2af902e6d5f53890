"""
HTTP/1.1 on one connection, as uvicorn speaks it, with a limit on everything that could otherwise last without end.

Rule 1: a head has at most `MAX_HEAD` bytes and `HEAD_TIME` to arrive; a body may arrive slowly, but above a minimum rate, and replies must be read likewise.
Rule 2: refusals here are problem documents, as everywhere else, and are not logged: anonymous clients could fill the log.
Rule 3: no other protocol is spoken. A client that offers one (Java's offers HTTP/2 with every first request) is served as if it had not.
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
"""Seconds in which the head of a request must arrive, from its first byte on; and the first byte of a connection's first request."""

BODY_TIME: Final = 30.0
SLOWEST: Final = 2_000
"""A body must arrive within `BODY_TIME` seconds, plus one for each `SLOWEST` bytes received."""

READ_TIME: Final = 30.0
"""Seconds in which a client must read pending data, plus one for each `SLOWEST` bytes it has read."""

MAX_WASTED: Final = 4 * 1024 * 1024
"""Bytes still read after a reply that refuses them; a client that reads has noticed by then."""

LINGER: Final = 2.0
"""Seconds in which a refused client may read why: hanging up while more data arrives would discard the reply."""

SWEEP: Final = 2.0
"""Seconds between two checks of all connections."""

MOST_AHEAD: Final = 8
"""Pipelined requests waiting for a reply on one connection. Thousands of the smallest fit into one read; each takes a KiB, and 60 us of the loop."""

OFFERS: Final = frozenset({b"connection", b"upgrade", b"http2-settings"})
"""The headers that offer another protocol."""


class Protocol(HttpToolsProtocol):
    """One connection."""

    cycle: Any

    def __init__(self, *args: Any, caller: Caller | None = None, **named: Any) -> None:
        super().__init__(*args, **named)
        self._caller = caller

    def connection_made(self, transport: Any) -> None:
        """Start."""
        self._since: float | None = self.loop.time()
        """When the awaited part started to arrive: the head, then the body; None while nothing is awaited, or only the next request."""
        self._size = 0
        self._came = 0
        self._in_body = False
        self._refused = False
        self._wasted = 0
        self._under_way: Any = None
        """The cycle of the request in progress; uvicorn's `cycle` is that of the last one read."""
        self._idle: float | None = None
        """Since when the connection has been kept open for a next request."""
        self._unread: tuple[float, int] | None = None
        """Since when data waits for the client to read, and how many bytes that were."""
        self._usual_of: Any = None
        self._usual = b""
        """uvicorn's own headers as lines: the date, which is a new list each second."""
        super().connection_made(transport)
        if self._caller is not None:
            self._caller.made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the request in progress that its client has left: uvicorn tells only the last one read."""
        if self._under_way is not None and not self._under_way.response_complete:
            self._under_way.disconnected = True
            self._under_way.message_event.set()
        if self._caller is not None:
            self._caller.lost()
        super().connection_lost(exc)
        # They refer to each other and would be left to the garbage collector: some hundred megabytes, if many clients ask much and hang up.
        for cycle, _ in self.pipeline:
            cycle.scope["extensions"].clear()
        self.pipeline.clear()

    def data_received(self, data: bytes) -> None:
        """Take received data, unless it is no longer of use."""
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
                # Line ends between requests are not a request, and must not keep a connection open.
                self._since = self.loop.time()
        elif not self._in_body:
            # The parser buffers a header that does not end for as long as it arrives.
            self._came += len(data)
            if self._came > MAX_HEAD:
                self._refuse(_head_too_large())

    def on_message_begin(self) -> None:
        """Start timing, unless too many requests already wait for a reply."""
        if len(self.pipeline) >= MOST_AHEAD:
            raise _too_far_ahead()
        super().on_message_begin()
        self._since, self._size, self._in_body = self.loop.time(), 0, False
        self._came = self._wasted = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, as long as their total is within the limit."""
        self._size += len(name) + len(value) + len(b": \r\n")
        if self._size > MAX_HEAD:
            raise _head_too_large()
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_url(self, url: bytes) -> None:
        """Take a part of the URL, as long as it is within the limit."""
        self._size += len(url)
        if self._size > MAX_HEAD:
            raise _head_too_large()
        super().on_url(url)

    def on_headers_complete(self) -> None:
        """Hand the request over; if it offers another protocol, parse it again without the offer."""
        self._since, self._size, self._in_body = self.loop.time(), 0, True
        if self.parser.should_upgrade():
            return
        super().on_headers_complete()
        # The task of the request exists, but has not started.
        offered: dict[str, Any] = {WHOLE: partial(self._send_whole, self.cycle)}
        if self._caller is not None:
            offered[CALLER] = self._caller
        cast("Any", self.scope)["extensions"] = offered

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._under_way = cycle
        super()._start_asgi_task(cycle, app)

    async def _send_whole(self, cycle: Any, status: int, head: bytes, body: bytes) -> None:
        """Send a complete reply, where uvicorn's `send` takes two messages: it would check each header again, and write twice."""
        # Done once; otherwise the scope would refer to itself, and be left to the garbage collector.
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
        """Continue with the next request, or keep the connection for a while: uvicorn sets a timer, here `sweep` checks."""
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
        """Await nothing until the next request."""
        if not self.parser.should_upgrade():
            self._since, self._in_body = None, False
            super().on_message_complete()

    def _decline(self, rest: bytes) -> None:
        """Parse the same request again, without its offer; `rest` is what has arrived since."""
        method = self.parser.get_method()
        if method == b"CONNECT":
            self._refuse(_unreadable())
            return
        kept = ((name, value) for name, value in self.headers if name not in OFFERS)
        lines = b"".join(b"%b: %b\r\n" % each for each in kept)
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(b"%b %b HTTP/1.1\r\n%b\r\n%b" % (method, self.url, lines, rest))

    def check_pace(self, now: float) -> None:
        """End the connection if its awaited data is too slow, or its pending data is not read."""
        if self._is_unread(now):
            self.transport.abort()
            return
        if self.transport.is_closing():
            return
        if self._idle is not None and now - self._idle > self.timeout_keep_alive:
            self.transport.close()
            return
        # While the door itself is slow to read what has arrived, the client is not at fault.
        if self._since is None or self.flow.read_paused:
            return
        longest = BODY_TIME + self._size / SLOWEST if self._in_body else HEAD_TIME
        if now - self._since <= (LINGER if self._refused else longest):
            return
        if not self._refused and (self._in_body or self._came):
            self._refuse(TooSlow("the request arrived too slowly or incompletely; send it again"))
        else:
            self.transport.close()

    def _is_unread(self, now: float) -> bool:
        """Whether the client is too slow to read pending data. Nothing is added to it meanwhile."""
        if not (self.flow.write_paused or self.transport.is_closing()):
            return False
        left = self.transport.get_write_buffer_size()
        since, size = self._unread = self._unread or (now, left)
        return now - since > READ_TIME + (size - left) / SLOWEST

    def resume_writing(self) -> None:
        """Allow more to be written, which gives the client more time to read."""
        self._unread = None
        super().resume_writing()

    def shutdown(self) -> None:
        """Shut down with the server: complete requests are answered, incomplete ones are not waited for."""
        if self._since is not None and self._in_body:
            why = (
                "the server is shutting down and did not handle this request; retry once it is back"
            )
            self._refuse(Overloaded(why, retry_after=2))
            self.transport.close()
        else:
            super().shutdown()

    def _refuse(self, error: TidegateError) -> None:
        """Send a problem, and hang up soon; if an earlier request is pending, its reply is sent, and is the last."""
        if self.transport.is_closing():
            return
        self._refused, self._since = True, self.loop.time()
        if not (self.cycle is None or self.cycle.response_complete or self._awaits_reply()):
            self.cycle.keep_alive = False
            if not self._in_body:
                self._since = None
            return
        if self.cycle is not None:
            # Any further reply of its request comes too late, and is discarded.
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
        """Whether the last request read is the one in progress, and nothing of its reply has been sent."""
        return self._in_body and not self.pipeline and not self.cycle.response_started


async def sweep(connections: set[Any]) -> None:
    """Check the pace of all connections periodically, for as long as the server runs."""
    now = asyncio.get_running_loop().time
    while True:
        await asyncio.sleep(SWEEP)
        for each in tuple(connections):
            each.check_pace(now())


def _unreadable() -> BadRequest:
    return BadRequest("this is not valid HTTP/1.1")


def _too_far_ahead() -> BadRequest:
    return BadRequest(
        f"more than {MOST_AHEAD} requests are waiting for a reply on this connection; read replies before sending more"
    )


def _head_too_large() -> HeadTooLarge:
    return HeadTooLarge(
        f"the request's line and headers are longer than {MAX_HEAD:,} bytes", limit=MAX_HEAD
    )
