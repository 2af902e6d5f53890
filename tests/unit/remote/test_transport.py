"""The client repeats what may be repeated, and nothing else; and it raises what the server raised."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tidegate.errors import (
    AlreadyAnswered,
    InvalidValue,
    Overloaded,
    StoreDamaged,
    StoreHeld,
    StoreTooNew,
    TidegateError,
)
from tidegate.remote import Config, Unreachable, transport
from tidegate.remote.requests import HttpCall
from tidegate.remote.transport import HttpTransport
from tidegate.wire.proof import PATH, id_and_hash, prove

TOKEN = f"tdg_0a1b2c3d_{'5e' * 32}_00000000"
_, HASH = id_and_hash(TOKEN) or ("", b"")


class Script:
    """A server that replies as it is told to, one reply after the other; None is to hang up."""

    def __init__(self) -> None:
        self.replies: list[tuple[int, Any, dict[str, str]] | None] = []
        self.seen: list[tuple[str, str, bytes, str]] = []
        self.proofs: list[tuple[str, bytes]] = []
        self.proof: tuple[int, Any, dict[str, str]] | None = None
        self.hash = HASH
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def reply(self) -> None:
                size = int(self.headers.get("content-length", 0))
                auth = self.headers.get("authorization", "")
                body = self.rfile.read(size)
                if self.path == PATH:
                    script.proofs.append((auth, body))
                else:
                    script.seen.append((self.command, self.path, body, auth))
                given = self.proved(body) if self.path == PATH else script.replies.pop(0)
                if given is None:
                    self.close_connection = True
                    return
                status, body, headers = given
                content = json.dumps(body).encode()
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def proved(self, body: bytes) -> tuple[int, Any, dict[str, str]]:
                nonce = bytes.fromhex(json.loads(body)["nonce"])
                return script.proof or (200, {"proof": prove(script.hash, nonce).hex()}, {})

            do_GET = do_PUT = do_POST = reply

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    monkeypatch.setattr(transport, "PAUSE", 0.001)
    made = Script()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def line(script: Script) -> Iterator[HttpTransport]:
    made = HttpTransport(Config(script.url, TOKEN))
    yield made
    made.close()


def problem(code: str, status: int, **facts: Any) -> tuple[int, Any, dict[str, str]]:
    body = {"type": "urn:x", "title": "T", "status": status, "detail": "says", "code": code}
    return status, body | facts, {"content-type": "application/problem+json"}


OK: tuple[int, Any, dict[str, str]] = (200, {"fine": True}, {})
READ = HttpCall(method="GET", path="/x")
ONCE = HttpCall(method="POST", path="/x", body={"a": 1}, repeatable=False)


def test_a_call_carries_the_token_and_its_body(script: Script, line: HttpTransport):
    script.replies = [OK]

    assert json.loads(line.reply(ONCE).content) == {"fine": True}
    assert script.seen == [("POST", "/x", b'{"a":1}', f"Bearer {TOKEN}")]


def test_a_call_that_may_be_repeated_is_when_the_line_breaks(script: Script, line: HttpTransport):
    script.replies = [None, None, OK]

    assert line.reply(READ).content
    assert len(script.seen) == 3


def test_a_call_that_may_not_be_repeated_is_sent_once(script: Script, line: HttpTransport):
    script.replies = [None, OK]

    with pytest.raises(Unreachable):
        line.reply(ONCE)
    assert len(script.seen) == 1


def test_an_overloaded_server_is_asked_again_after_a_pause(script: Script, line: HttpTransport):
    script.replies = [problem("overloaded", 503), problem("rate_limited", 429), OK]

    assert line.reply(READ).content
    assert len(script.seen) == 3


def test_an_overloaded_server_is_not_asked_again_for_what_may_not_be_repeated(
    script: Script, line: HttpTransport
):
    script.replies = [problem("overloaded", 503, retry_after=1), OK]

    with pytest.raises(Overloaded) as found:
        line.reply(ONCE)
    assert found.value.details["retry_after"] == 1


def test_what_waiting_does_not_fix_is_told_at_once(script: Script, line: HttpTransport):
    for error in (StoreDamaged, StoreHeld, StoreTooNew):
        script.replies = [problem(error.code, error.status), OK]
        with pytest.raises(error):
            line.reply(READ)
    assert len(script.seen) == 3


def test_patience_ends(script: Script, line: HttpTransport, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(transport, "PATIENCE", 0.0)
    script.replies = [problem("overloaded", 503), OK]

    with pytest.raises(Overloaded):
        line.reply(READ)


def test_what_the_server_raised_is_raised_again(script: Script, line: HttpTransport):
    faults = [{"path": ["a", 0], "reason": "is wrong"}]
    script.replies = [
        problem("already_answered", 409, who="ada"),
        problem("invalid_value", 422, faults=faults),
        problem("a_later_invention", 418, fact=1, message="x"),
    ]

    with pytest.raises(AlreadyAnswered) as answered:
        line.reply(READ)
    assert answered.value.details == {"who": "ada"}
    with pytest.raises(InvalidValue) as wrong:
        line.reply(READ)
    assert [str(fault) for fault in wrong.value.faults] == ["a[0]: is wrong"]
    with pytest.raises(TidegateError) as other:
        line.reply(READ)
    assert other.value.details["fact"] == 1


def test_what_is_not_a_tidegate_server_is_named_so(script: Script, line: HttpTransport):
    script.replies = [(404, {"error": "not here"}, {}), (200, {}, {})]

    with pytest.raises(Unreachable, match="unexpected HTTP 404"):
        line.reply(READ)


def test_a_server_that_is_not_there_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(transport, "FIRST_PATIENCE", 0.0)
    gone = HttpTransport(Config("http://127.0.0.1:9"))

    with pytest.raises(Unreachable, match="tidegate serve"):
        gone.reply(READ)
    gone.close()
