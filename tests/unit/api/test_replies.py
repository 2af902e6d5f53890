"""What goes out: the headers of every reply, those that a route sets instead, and one and the same reply on both ways out."""

import asyncio
from typing import Any

import msgspec
import pytest
from tests.unit.api.sockets import LOOPS, listening, play

from tidegate.api.replies import EVERY_REPLY, WHOLE, Out, head, head_lines, lines_of
from tidegate.errors import InvalidValue, Overloaded, TooLarge, Unauthenticated, WrongMethod

USUAL = dict(EVERY_REPLY)


class Sent:
    """What an application of ASGI has sent."""

    def __init__(self, extensions: dict[str, Any] | None = None) -> None:
        self.messages: list[dict[str, Any]] = []
        scope = {} if extensions is None else {"extensions": extensions}
        self.out = Out(scope, self.send)

    async def send(self, message: dict[str, Any]) -> None:
        self.messages.append(message)

    @property
    def headers(self) -> dict[bytes, bytes]:
        listed = self.messages[0]["headers"]
        assert len(dict(listed)) == len(listed), "a header is there twice"
        return dict(listed)


def test_every_reply_has_the_headers_that_protect_it_and_its_type():
    assert dict(head("text/plain")) == {**USUAL, b"content-type": b"text/plain"}


def test_a_route_may_say_otherwise_in_any_case_and_the_rest_stays():
    headers = {"Cache-Control": "max-age=1", "X-Own": "ü", "content-TYPE": "text/html"}

    found = head("text/plain", headers)

    assert dict(found) == {
        **USUAL,
        b"cache-control": b"max-age=1",
        b"x-own": "ü".encode("latin-1"),
        b"content-type": b"text/html",
    }
    assert len(found) == len(dict(found))
    assert dict(EVERY_REPLY) == USUAL, "nothing is kept for the next reply"


def test_a_head_ends_with_the_length_of_the_body():
    assert head_lines("text/plain", None, 12) == lines_of(
        [*head("text/plain"), (b"content-length", b"12")]
    )
    assert head_lines("text/plain", {"x-own": "1"}, 0) == lines_of(
        [*head("text/plain", {"x-own": "1"}), (b"content-length", b"0")]
    )
    assert head_lines("text/html", None, 1) != head_lines("text/plain", None, 1)


def test_a_length_that_a_route_knows_better_counts():
    lines = head_lines("text/plain", {"content-length": "77"}, 0)

    assert lines.count(b"content-length") == 1
    assert b"content-length: 77\r\n" in lines


@pytest.mark.parametrize("value", ["a\r\nset-cookie: x=y", "a\nb", "\0", "\x7f"])
def test_a_header_cannot_begin_another(value: str):
    with pytest.raises(AssertionError, match="control character"):
        head_lines("text/plain", {"x-own": value}, 0)
    assert b"x-own: a\tb\r\n" in head_lines("text/plain", {"x-own": "a\tb"}, 0)


def test_a_whole_reply_is_a_head_with_its_length_and_one_body():
    sent = Sent()
    assert sent.out.status == 0
    asyncio.run(sent.out.whole(201, b"hello", "text/plain", {"x-own": "1"}))

    start, body = sent.messages
    assert (start["type"], start["status"], sent.out.status) == ("http.response.start", 201, 201)
    assert sent.headers[b"content-length"] == b"5"
    assert sent.headers[b"x-own"] == b"1"
    assert body == {"type": "http.response.body", "body": b"hello"}


def test_a_reply_in_pieces_has_no_length_and_ends_with_the_last():
    async def scene(out: Out) -> None:
        await out.begin("text/plain", {"x-own": "1"})
        await out.piece(b"a")
        await out.piece(b"", last=True)

    sent = Sent()
    asyncio.run(scene(sent.out))

    assert sent.out.status == 200
    assert b"content-length" not in sent.headers
    assert sent.headers[b"x-own"] == b"1"
    assert [(each["body"], each["more_body"]) for each in sent.messages[1:]] == [
        (b"a", True),
        (b"", False),
    ]


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (InvalidValue("wrong", []), {}),
        (Overloaded("full", retry_after=0.2), {b"retry-after": b"1"}),
        (Overloaded("full"), {b"retry-after": b"1"}),
        (Overloaded("full", retry_after=41.7), {b"retry-after": b"42"}),
        (Unauthenticated("who?"), {b"www-authenticate": b"Bearer"}),
        (WrongMethod("no", allow=["GET", "HEAD"]), {b"allow": b"GET, HEAD"}),
        (TooLarge("large", limit=5), {}),
    ],
    ids=lambda each: type(each).__name__,
)
def test_an_error_is_a_problem_document_with_its_headers(error, headers: dict[bytes, bytes]):
    sent = Sent()
    asyncio.run(sent.out.error(error))

    document = msgspec.json.decode(sent.messages[1]["body"])
    assert sent.out.status == sent.messages[0]["status"] == document["status"] == error.status
    assert (document["code"], document["detail"]) == (error.code, error.message)
    own = {b"content-type": b"application/problem+json", **headers}
    length = {b"content-length": b"%d" % len(sent.messages[1]["body"])}
    assert sent.headers == {**USUAL, **own, **length}


REPLIES = {
    "plain": (200, b"hello", "text/plain", None),
    "empty": (201, b"", "application/json", None),
    "own headers": (200, b"x" * 5_000, "text/html", {"Cache-Control": "no-cache", "x-own": "ü"}),
    "own type": (404, b"{}", "text/plain", {"content-type": "application/json"}),
    "own length": (200, b"hello", "text/plain", {"content-length": "5"}),
}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
@pytest.mark.parametrize("version", [b"1.1\r\nConnection: close", b"1.0"], ids=["1.1", "1.0"])
@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
def test_the_same_reply_goes_out_in_one_piece_and_in_messages(loop, method, version, reply):
    async def app(scope, receive, send) -> None:
        assert WHOLE in scope["extensions"]
        if scope["path"] == "/messages":
            del scope["extensions"]
        await Out(scope, send).whole(*reply)

    async def scene() -> list[bytes]:
        found = []
        async with listening(app) as served:
            # The date would be another in the next second.
            served.state.default_headers = [(b"date", b"today"), (b"x-usual", b"yes")]
            for path in (b"/whole", b"/messages"):
                line = await served.connect()
                line.send(b"%b %b HTTP/%b\r\n\r\n" % (method, path, version))
                found.append(await line.rest())
        return found

    whole, messages = play(loop, scene)

    assert whole == messages
    assert whole.startswith(b"HTTP/1.1 %d " % reply[0])
    assert whole.endswith(b"\r\n\r\n" + (reply[1] if method == b"GET" else b""))
