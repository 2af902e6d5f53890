"""One connection, byte by byte: what is too long, too slow, too much or of another protocol, on a real socket and loop."""

import asyncio
from itertools import chain

import msgspec
import pytest
from tests.unit.api.sockets import GET, all_of, echo, listening

from tidegate.api import protocol
from tidegate.api.replies import Out

SOON = 0.3


@pytest.fixture
def hasty(monkeypatch):
    """Let what is slow be refused soon. For the other tests the times are those of every day, and no busy machine comes near them."""
    for name in ("HEAD_TIME", "BODY_TIME"):
        monkeypatch.setattr(protocol, name, SOON)
    monkeypatch.setattr(protocol, "SWEEP", SOON / 10)
    monkeypatch.setattr(protocol, "LINGER", SOON)


def talk(*pieces, pause=0.0):
    """Send pieces on one connection, and return what has come until the server hung up."""
    return talk_on(pieces, pause)


def talk_on(pieces, pause, app=echo):
    """Take pieces one by one, and send them for as long as the server listens."""

    async def go():
        async with listening(app) as served:
            reader, writer = await asyncio.open_connection(*served.address)
            reading = asyncio.create_task(all_of(reader))
            for piece in pieces:
                if reading.done() or writer.is_closing():
                    break
                writer.write(piece)
                await asyncio.sleep(pause)
            found = await asyncio.wait_for(reading, 10)
            writer.close()
            return found

    return asyncio.run(go())


def problem(found, status, code):
    head, _, body = found.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    assert lines[0].startswith(b"http/1.1 %d " % status), found[:200]
    assert b"content-type: application/problem+json" in lines
    assert b"connection: close" in lines
    assert msgspec.json.decode(body)["code"] == code
    return lines


@pytest.mark.parametrize(
    "pieces",
    [
        (GET + b"X: " + b"x" * 70_000 + b"\r\n\r\n",),
        (GET, *[b"X: " + b"x" * 1_000 + b"\r\n"] * 70, b"\r\n"),
        (GET + b"X: ", *[b"x" * 1_000] * 70),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",),
        (GET + b"X: x\r\n" * 20_000 + b"\r\n",),
    ],
    ids=["one header", "many", "one without end", "the address", "many short ones"],
)
def test_a_head_that_is_too_long_is_refused_however_it_comes(pieces):
    problem(talk(*pieces), 431, "head_too_large")


def test_a_head_just_short_of_the_limit_is_taken():
    last = b"X: " + b"x" * 60_000 + b"\r\nConnection: close\r\n\r\n"

    assert talk(GET, last).startswith(b"HTTP/1.1 200 ")


@pytest.mark.usefixtures("hasty")
def test_a_head_that_drips_in_is_cut_off():
    drops = [bytes([each]) for each in GET + b"X: " + b"x" * 100]

    problem(talk(*drops, pause=SOON / 20), 408, "too_slow")


@pytest.mark.usefixtures("hasty")
def test_a_body_that_does_not_come_is_waited_for_only_so_long():
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n"

    problem(talk(head + b"12345"), 408, "too_slow")


@pytest.mark.usefixtures("hasty")
def test_a_body_that_comes_steadily_may_take_longer(monkeypatch):
    monkeypatch.setattr(protocol, "SLOWEST", 100)
    head = (
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n"
    )

    found = talk(head, *[b"x" * 100] * 10, pause=SOON / 5)

    assert found.endswith(b"x" * 1_000)


@pytest.mark.usefixtures("hasty")
def test_a_connection_on_which_nothing_is_asked_is_closed_without_a_word():
    assert talk() == b""


@pytest.mark.usefixtures("hasty")
def test_line_ends_do_not_keep_a_connection_open():
    ends = iter([b"\r\n"] * 200)

    found = talk_on(chain([GET + b"\r\n"], ends), SOON / 10)

    assert found.startswith(b"HTTP/1.1 200 ")
    assert next(ends, None), "it was open for as long as they came"


@pytest.mark.parametrize(
    "offer",
    [
        b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAI\r\n",
        b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
    ],
    ids=["h2c", "websocket"],
)
@pytest.mark.parametrize("apart", [True, False], ids=["body apart", "all at once"])
def test_who_offers_another_protocol_is_heard_as_if_it_had_not(offer, apart):
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n" + offer + b"\r\n"
    more = GET + b"Connection: close\r\n\r\n"

    found = talk(head, b"hello", more) if apart else talk(head + b"hello" + more)

    first, _, second = found.partition(b"hello")
    assert first.startswith(b"HTTP/1.1 200 ")
    assert second.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "line",
    [b"\x16\x03\x01", b"FOO / HTTP/1.1", b"CONNECT x:1 HTTP/1.1\r\nHost: x", b"GET /\xff HTTP/1.1"],
)
def test_what_is_not_a_request_is_a_problem_and_no_line_in_the_log(line, caplog):
    problem(talk(line + b"\r\n\r\n"), 400, "bad_request")
    assert not caplog.records


@pytest.mark.parametrize("behind", [b"nonsense\r\n\r\n", b"\x16\x03\x01"])
@pytest.mark.parametrize(
    "asked",
    [[GET + b"\r\n"], 3 * [GET + b"\r\n"], [GET + b"Connection: close\r\n\r\n"]],
    ids=["one", "three", "the last"],
)
def test_what_was_asked_has_its_reply_and_no_other_whatever_comes_behind_it(asked, behind, caplog):
    found = talk(b"".join(asked) + behind)

    assert found.count(b"HTTP/1.1 200 ") == found.count(b"HTTP/1.1") == len(asked)
    assert not caplog.records


async def late(scope, receive, send):
    """Reply to what was refused meanwhile: a body that breaks off."""
    while (await receive())["type"] != "http.disconnect":
        pass
    await Out(scope, send).whole(200, b"too late", "text/plain")


@pytest.mark.parametrize("app", [echo, late], ids=["replies at once", "replies too late"])
def test_a_body_that_is_not_a_http_is_a_problem_and_no_line_in_the_log(app, caplog):
    head = b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"

    problem(talk_on(iter([head + b"5\r\nhelloX\r\n"]), 0.0, app), 400, "bad_request")
    assert not caplog.records
