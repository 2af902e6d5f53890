"""Which requests are sent again when the reply is lost: those that do the same when they are done twice, and no others."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tidegate.remote import Config, Remote, Unreachable, transport
from tidegate.remote.transport import HttpTransport
from tidegate.wire import Abort, Answer, GetExecution, Launch, Recover, Relaunch, Request


class Listener:
    """Reads each request to its end, and hangs up."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, str, Any]] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def read(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                key = self.headers.get("idempotency-key", "")
                listener.requests.append(
                    (self.command, self.path, key, json.loads(body) if body else None)
                )
                self.close_connection = True

            do_GET = do_PUT = do_POST = read

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    monkeypatch.setattr(transport, "PAUSE", 0.001)
    monkeypatch.setattr(transport, "FIRST_PATIENCE", 0.5)
    made = Listener()
    yield made
    made.server.shutdown()
    made.server.server_close()


def requests_of(listener: Listener, request: Request) -> list[tuple[str, str, str, Any]]:
    """Send a request whose replies are all lost; return what has arrived."""
    with Remote(Config(listener.url)) as remote, pytest.raises(Unreachable):
        remote.ask(request)
    return listener.requests


WITHOUT_ID = [Launch(workflow="w"), Relaunch(id="a"), Recover(id="a")]
WITH_ID = [Launch(workflow="w", id="b"), Relaunch(id="a", new_id="b"), Recover(id="a", new_id="b")]


def name_of(request: Request) -> str:
    return type(request).__name__


def check_launched_once(listener: Listener, request: Request) -> None:
    arrived = requests_of(listener, request)
    named = [(body or {}).get("id") for _, _, _, body in arrived]
    # Without an id, each would be an execution of its own.
    assert len(arrived) == 1 or (all(named) and len(set(named)) == 1)


@pytest.mark.parametrize("request_", WITHOUT_ID, ids=name_of)
def test_a_launch_without_an_id_is_not_repeated_after_a_lost_reply(listener, request_):
    check_launched_once(listener, request_)


@pytest.mark.parametrize("request_", WITH_ID, ids=name_of)
def test_a_launch_with_an_id_is_repeated_under_this_id(listener, request_):
    arrived = requests_of(listener, request_)

    assert len(arrived) > 1
    assert {body["id"] for _, _, _, body in arrived} == {"b"}


@pytest.mark.parametrize(
    "request_",
    [
        Answer(id="a", name="n", value=1, key="mine"),
        Answer(id="a", name="n", value=1),
        Abort(id="a"),
        GetExecution(id="a"),
    ],
    ids=["an answer with a key", "an answer", "an abort", "a read"],
)
def test_what_does_the_same_when_done_twice_is_repeated_as_it_was(listener, request_):
    arrived = requests_of(listener, request_)

    assert len(arrived) > 1
    assert all(each == arrived[0] for each in arrived)
    assert arrived[0][2] == getattr(request_, "key", "")


@pytest.mark.parametrize("request_", WITHOUT_ID, ids=name_of)
def test_a_client_that_repeats_everything_is_seen(listener, request_, monkeypatch):
    once = HttpTransport._once

    def again(line: HttpTransport, call: Any) -> Any:
        try:
            return once(line, call)
        except transport._AgainError as error:
            error.harmless = True
            raise

    monkeypatch.setattr(HttpTransport, "_once", again)

    with pytest.raises(AssertionError):
        check_launched_once(listener, request_)
