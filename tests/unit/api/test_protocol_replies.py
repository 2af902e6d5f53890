"""Replies on a real connection: in order, with or without a body, and to clients that do not read, or that leave in the middle."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from tests.unit.api.sockets import LONGEST, LOOPS, Line, Served, echo, listening
from tests.unit.api.sockets import play as play_in

from tidegate.api import protocol
from tidegate.api.replies import Out

LARGE = 256 * 1024
"""How many times a reply repeats its path, so that it is larger than what the system keeps for a reader."""
LAST = b"Connection: close\r\n"


@pytest.fixture(params=LOOPS)
def play(request):
    return partial(play_in, request.param)


def asking(path: bytes, *headers: bytes, method: bytes = b"GET", body: bytes = b"") -> bytes:
    """Return one request."""
    if body:
        headers = (*headers, b"Content-Length: %d\r\n" % len(body))
    return b"%b %b HTTP/1.1\r\n%b\r\n%b" % (method, path, b"".join(headers), body)


class Counting:
    """An application that replies with the path that was asked for, as often as `times` says; it keeps which requests have begun and ended."""

    def __init__(self, times: int = 1) -> None:
        self.times = times
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.held = asyncio.Event()

    async def __call__(self, scope, receive, send) -> None:
        path = scope["path"]
        self.begun.append(path)
        try:
            if path == "/held":
                await self.held.wait()
            await Out(scope, send).whole(200, path.encode() * self.times, "text/plain")
        finally:
            self.ended.append(path)


async def until(happened: Callable[[], object]) -> None:
    """Wait for something that tells nobody."""
    while not happened():  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0.001)


def left_on(connection: Any) -> int:
    """Return how many bytes the server has for this client that the system has not taken."""
    size: int = connection.transport.get_write_buffer_size()
    return size


class TestHead:
    def test_a_head_has_the_length_of_the_body_that_does_not_come(self, play):
        async def scene() -> None:
            async with listening(Counting(1_000)) as served:
                line = await served.connect()
                line.send(asking(b"/a", method=b"HEAD"), asking(b"/b"), asking(b"/c", LAST, method=b"HEAD"))  # fmt: skip
                first = await line.reply(has_body=False)
                second = await line.reply()
                third = await line.reply(has_body=False)

                assert (first.status, first.headers["content-length"]) == (200, "2000")
                assert second.body == b"/b" * 1_000
                assert third.headers["content-length"] == "2000"
                assert await line.rest() == b""

        play(scene)


class TestKeeping:
    def test_a_connection_is_kept_unless_the_client_says_otherwise(self, play):
        async def scene() -> None:
            async with listening(Counting()) as served:
                line = await served.connect()
                for path in (b"/a", b"/b"):
                    line.send(asking(path))
                    reply = await line.reply()
                    assert (reply.body, reply.headers.get("connection")) == (path, None)
                line.send(asking(b"/c", LAST))
                reply = await line.reply()
                assert (reply.body, reply.headers["connection"]) == (b"/c", "close")
                assert await line.rest() == b""
                await served.until_left()

        play(scene)

    @pytest.mark.parametrize("more", [b"", b"Connection: keep-alive\r\n"])
    def test_one_of_http_1_0_has_one_reply_and_is_closed(self, play, more):
        async def scene() -> None:
            async with listening(Counting()) as served:
                line = await served.connect()
                line.send(b"GET /a HTTP/1.0\r\n", more, b"\r\n")
                reply = await line.reply()

                assert (reply.status, reply.body) == (200, b"/a")
                assert reply.headers["connection"] == "close"
                assert await line.rest() == b""

        play(scene)

    def test_nothing_is_done_of_what_comes_behind_the_last_request(self, play):
        async def scene() -> None:
            app = Counting()
            async with listening(app) as served:
                line = await served.connect()
                line.send(asking(b"/a"), asking(b"/b", LAST), asking(b"/c"), asking(b"/d"))
                assert [(await line.reply()).body for _ in range(2)] == [b"/a", b"/b"]
                assert await line.rest() == b""
                await served.until_left()
            assert app.begun == app.ended == ["/a", "/b"]

        play(scene)

    def test_every_reply_has_the_date_of_its_own_second(self, play):
        async def scene() -> None:
            async with listening(Counting()) as served:
                line = await served.connect()
                for date in (b"one", b"one", b"two"):
                    served.state.default_headers = [(b"date", date)]
                    line.send(asking(b"/a"))
                    assert (await line.reply()).headers["date"] == date.decode()

        play(scene)


class TestPipelining:
    def test_requests_that_come_at_once_are_replied_to_in_order_one_after_the_other(self, play):
        async def scene() -> None:
            app = Counting()
            async with listening(app) as served:
                line, other = await served.connect(), await served.connect()
                line.send(asking(b"/held"), *(asking(b"/%d" % number) for number in range(8)))
                other.send(asking(b"/other"))
                assert (await other.reply()).body == b"/other"
                assert set(app.begun) == {"/held", "/other"}
                app.held.set()
                found = [(await line.reply()).body for _ in range(9)]

                assert found == [b"/held", *(b"/%d" % number for number in range(8))]
                line.send(asking(b"/more"))
                assert (await line.reply()).body == b"/more"

        play(scene)

    @pytest.mark.parametrize("size", [1, 7, 64, 10_000])
    def test_each_has_its_own_body_however_the_bytes_come(self, play, size):
        bodies = [b"%d " % number * 9 for number in range(8)]
        raw = b"".join(asking(b"/", method=b"POST", body=body) for body in bodies)

        async def scene() -> None:
            async with listening(echo) as served:
                line = await served.connect()
                for at in range(0, len(raw), size):
                    line.send(raw[at : at + size])
                    # So that the server reads some of it; whether it does makes no difference.
                    await asyncio.sleep(0)

                assert [(await line.reply()).body for _ in bodies] == bodies

        play(scene)


class TestContinuing:
    HEAD = b"POST / HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n"

    def test_who_waits_to_be_asked_for_a_body_is_asked_and_then_replied_to(self, play):
        async def scene() -> None:
            async with listening(echo) as served:
                line = await served.connect()
                for body in (b"hello", b"again"):
                    line.send(self.HEAD, b"\r\n")
                    asked = await line.reply()
                    assert (asked.status, asked.headers) == (100, {})
                    line.send(body)
                    assert (await line.reply())[::2] == (200, body)

        play(scene)

    def test_who_is_refused_is_not_asked_and_a_body_that_comes_all_the_same_is_not_a_request(self, play):  # fmt: skip
        async def scene() -> None:
            app = Counting()
            async with listening(app) as served:
                line = await served.connect()
                line.send(self.HEAD, b"\r\n")
                assert (await line.reply()).status == 200
                line.send(b"GET /", asking(b"/next", LAST))
                assert (await line.reply()).body == b"/next"
                assert await line.rest() == b""
            assert app.begun == ["/", "/next"]

        play(scene)

    def test_nobody_is_asked_for_a_body_after_the_reply(self, play):
        async def app(scope, receive, send) -> None:
            await Out(scope, send).whole(200, b"done", "text/plain")
            assert (await receive())["type"] == "http.disconnect"

        async def scene() -> None:
            async with listening(app) as served:
                line = await served.connect()
                line.send(self.HEAD, LAST, b"\r\n")
                assert (await line.reply()).body == b"done"
                assert await line.rest() == b""

                kept = await served.connect()
                kept.send(self.HEAD, b"\r\n")
                assert (await kept.reply()).body == b"done"
                kept.send(b"hello", asking(b"/next"))
                assert (await kept.reply()).status == 200

        play(scene)


class TestNotReading:
    def test_who_does_not_read_holds_up_nobody_else_and_is_sent_a_bounded_amount(self, play):
        """While nothing is read, others are served many more times than it would take to reply to all."""

        async def scene() -> None:
            app = Counting(LARGE)
            async with listening(app) as served:
                deaf, other = await served.connect(4_096), await served.connect()
                deaf.send(*(asking(b"/%d" % number) for number in range(9)))
                for _ in range(40):
                    other.send(asking(b"/x", method=b"HEAD"))
                    await other.reply(has_body=False)
                assert 1 <= len(app.ended) - 40 < 9
                for number in range(9):
                    assert (await deaf.reply()).body == b"/%d" % number * (LARGE)

        play(scene)


@pytest.mark.usefixtures("unswept")
class TestReadingTooSlowly:
    """Time is what `check_pace` is told, so that no machine is too slow for it."""

    @pytest.fixture
    def unswept(self, monkeypatch):
        monkeypatch.setattr(protocol, "SWEEP", 10 * LONGEST)

    async def deaf(self, served: Served, *requests: bytes) -> tuple[Line, Any]:
        """Return a client that does not read, and the server's end once that can no longer send."""
        line = await served.connect(4_096)
        line.send(*requests)
        await until(lambda: served.state.connections)
        (connection,) = served.state.connections
        await until(lambda: connection.flow.write_paused)
        return line, connection

    async def stays(self, served: Served, connection: Any, now: float) -> None:
        """See that a connection is not cut off for its pace at this time."""
        connection.check_pace(now)
        for _ in range(5):
            await asyncio.sleep(0)
        assert connection in served.state.connections

    @pytest.mark.parametrize("last", [b"", LAST], ids=["kept", "closing"])
    def test_who_takes_nothing_is_cut_off_and_what_was_asked_ends(self, play, last):
        async def scene() -> None:
            app = Counting(LARGE)
            async with listening(app) as served:
                requests = [asking(b"/1", last), asking(b"/2")]
                _, connection = await self.deaf(served, *requests)
                now = asyncio.get_running_loop().time()
                assert connection.transport.is_closing() == bool(last)
                for later in (0, protocol.READ_TIME - 1, protocol.READ_TIME):
                    await self.stays(served, connection, now + later)
                connection.check_pace(now + protocol.READ_TIME + 1)
                await served.until_left()
            assert app.begun == app.ended

        play(scene)

    def test_the_rest_of_a_last_reply_is_not_kept_forever_however_little_it_is(self, play):
        async def scene() -> None:
            async with listening(Counting(LARGE)) as served:
                line = await served.connect(4_096)
                await until(lambda: served.state.connections)
                (connection,) = served.state.connections
                # So that it is too little to keep the application from writing.
                connection.transport.set_write_buffer_limits(high=10 * LARGE)
                line.send(asking(b"/1", LAST))
                await until(connection.transport.is_closing)
                now = asyncio.get_running_loop().time()
                await self.stays(served, connection, now)
                await self.stays(served, connection, now + protocol.READ_TIME)
                connection.check_pace(now + protocol.READ_TIME + 1)
                await served.until_left()

        play(scene)

    def test_who_takes_some_of_it_has_more_time(self, play):
        async def scene() -> None:
            async with listening(Counting(LARGE)) as served:
                line, connection = await self.deaf(served, asking(b"/1"))
                size, now = left_on(connection), asyncio.get_running_loop().time()
                connection.check_pace(now)
                await line.reader.readexactly(LARGE)
                await until(lambda: left_on(connection) < size - LARGE // 4)
                taken = size - left_on(connection)
                longest = protocol.READ_TIME + taken / protocol.SLOWEST
                await self.stays(served, connection, now + longest - 1)
                connection.check_pace(now + longest + 1)
                await served.until_left()

        play(scene)

    def test_who_has_taken_a_reply_has_the_whole_time_for_the_next(self, play):
        async def scene() -> None:
            app = Counting(LARGE)
            async with listening(app) as served:
                line, connection = await self.deaf(served, *3 * [asking(b"/1")])
                now = asyncio.get_running_loop().time()
                connection.check_pace(now)
                for _ in range(2):
                    await line.reply()
                await until(lambda: len(app.ended) == 3)
                later = now + 100 * protocol.READ_TIME
                for each in (later, later + protocol.READ_TIME - 1):
                    await self.stays(served, connection, each)
                assert (await line.reply()).body == b"/1" * LARGE

        play(scene)


class TestLeaving:
    @pytest.fixture
    def quiet(self, caplog):
        """Nothing that a client does is a line in the log."""
        yield
        assert not caplog.get_records("call")

    async def leaves_nothing(self, served: Served, line: Line) -> None:
        line.cut()
        await served.until_left()
        other = await served.connect()
        other.send(asking(b"/other"))
        assert (await other.reply()).status == 200

    @pytest.mark.parametrize("count", [1, 3])
    def test_in_the_middle_of_a_reply(self, play, quiet, count):
        async def scene() -> None:
            app = Counting(LARGE)
            async with listening(app) as served:
                line = await served.connect(4_096)
                line.send(*(asking(b"/%d" % number) for number in range(count)))
                await line.reader.readexactly(1_000)
                await self.leaves_nothing(served, line)
            assert sorted(app.begun) == sorted(app.ended)

        play(scene)

    def test_before_the_reply(self, play, quiet):
        async def scene() -> None:
            app = Counting()
            async with listening(app) as served:
                line, other = await served.connect(), await served.connect()
                line.send(asking(b"/held"))
                other.send(asking(b"/other"))
                await other.reply()
                line.cut()
                other.cut()
                await until(lambda: not served.state.connections)
                assert app.ended == ["/other"]
                app.held.set()
                await served.until_left()
            assert app.ended == ["/other", "/held"]

        play(scene)

    def test_while_others_wait_behind_the_request_that_is_under_way(self, play, quiet):
        begun: list[str] = []
        told: list[str] = []

        async def app(scope, receive, send) -> None:
            begun.append(scope["path"])
            assert (await receive())["type"] == "http.request"
            told.append((await receive())["type"])

        async def scene() -> None:
            async with listening(app) as served:
                line = await served.connect()
                line.send(asking(b"/first"), asking(b"/second"), asking(b"/third"))
                await until(lambda: begun)
                line.cut()
                await served.until_left()

        play(scene)
        assert (begun, told) == (["/first"], ["http.disconnect"])

    def test_while_others_wait_and_nobody_listens(self, play, quiet):
        async def scene() -> None:
            app = Counting()
            async with listening(app) as served:
                line = await served.connect()
                line.send(asking(b"/held"))
                await until(lambda: app.begun)
                line.send(asking(b"/next"))
                (connection,) = served.state.connections
                await until(lambda: connection.pipeline)
                connection.transport.abort()
                await asyncio.sleep(0)
                app.held.set()
                await served.until_left()
            assert app.begun == app.ended == ["/held"]

        play(scene)

    def test_who_listens_for_it_is_told_also_when_the_reply_is_out(self, play, quiet):
        told: list[str] = []

        async def app(scope, receive, send) -> None:
            assert (await receive())["type"] == "http.request"
            leaving = asyncio.ensure_future(receive())
            await asyncio.sleep(0)
            await Out(scope, send).whole(200, b"", "text/plain")
            told.append((await leaving)["type"])

        async def scene() -> None:
            async with listening(app) as served:
                line = await served.connect()
                for count in (1, 2):
                    line.send(asking(b"/a"))
                    await line.reply()
                    await until(lambda: len(told) == count)

        play(scene)
        assert told == ["http.disconnect"] * 2

    @pytest.mark.parametrize("half", [b"", b"hel"])
    def test_in_the_middle_of_a_body(self, play, quiet, half):
        told: list[str] = []
        waiting = asyncio.Event()

        async def app(scope, receive, send) -> None:
            if scope["method"] == "GET":
                await Out(scope, send).whole(200, b"", "text/plain")
                return
            size = 0
            while size < len(half):
                size += len((await receive())["body"])
            waiting.set()
            told.append((await receive())["type"])

        async def scene() -> None:
            async with listening(app) as served:
                line = await served.connect()
                line.send(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", half)
                await waiting.wait()
                await self.leaves_nothing(served, line)
            assert told == ["http.disconnect"]

        play(scene)


def test_who_asks_far_ahead_of_the_replies_gets_those_that_there_may_be_and_is_hung_up_on(play):
    ahead = protocol.MOST_AHEAD

    async def scene() -> None:
        app = Counting()
        async with listening(app) as served:
            line = await served.connect()
            line.send(asking(b"/held"), *(asking(b"/%d" % each) for each in range(5_000)))
            (connection,) = served.state.connections
            await until(lambda: app.begun and connection.pipeline)
            assert len(connection.pipeline) == ahead
            app.held.set()
            await served.until_left()
        assert app.ended == ["/held", *(f"/{each}" for each in range(ahead))]

    play(scene)
