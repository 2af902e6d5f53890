"""Following an execution that turns out to be damaged, on a stream that says nothing of it. The rest is seen on a real server."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import pytest

from tidegate.errors import StoreDamaged
from tidegate.remote import Config, events
from tidegate.remote.events import follow
from tidegate.remote.transport import HttpTransport
from tidegate.wire import EventView, ExecutionView, FeedView

pytestmark = pytest.mark.timeout(30)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BEAT = b": beat\n\n"


def event(seq: int, kind: str, **details: Any) -> bytes:
    """An event as it is sent."""
    view = FeedView(
        cursor=str(seq),
        execution="x",
        workflow="w",
        project="",
        domain="",
        event=EventView(seq=seq, at=NOW, kind=kind, details=details),
    )
    return b"data: %b\n\n" % msgspec.json.encode(view)


def seen(seq: int, damaged: str = "") -> bytes:
    """The execution as it is shown: `seq` is 0 if it cannot be read."""
    view = ExecutionView(
        id="x",
        workflow="w",
        version="1",
        phase="WAITING",
        seq=seq,
        damaged=damaged,
        outputs=None,
        error=None,
        nodes=[],
        launched=NOW,
        changed=NOW,
    )
    return msgspec.json.encode(view)


class Script:
    """A server that shows the execution in one way after the other, and sends what it is told on each stream, which it leaves open."""

    def __init__(self) -> None:
        self.views: list[bytes] = []
        self.streams: list[list[bytes]] = []
        self.asked: list[str] = []
        self.closing = threading.Event()
        script = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                script.asked.append(self.path)
                self.send_response(200)
                if "/events" not in self.path:
                    body = script.views.pop(0)
                    self.send_header("content-length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                    return
                self.send_header("content-type", "text/event-stream")
                self.end_headers()
                for piece in script.streams.pop(0):
                    self.wfile.write(piece)
                script.closing.wait()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    monkeypatch.setattr(events, "PAUSE", 0.001)
    monkeypatch.setattr(events, "QUIET", 0.2)
    made = Script()
    yield made
    made.closing.set()
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def line(script: Script) -> Iterator[HttpTransport]:
    made = HttpTransport(Config(f"http://127.0.0.1:{script.server.server_port}"))
    yield made
    made.close()


def story(line: HttpTransport, execution: str = "x") -> tuple[list[int], str]:
    """Return the numbers of the lines that are told, and the error at the end."""
    told: list[int] = []
    try:
        told.extend(each.event.seq for each in follow(line, execution))
    except StoreDamaged as error:
        return told, error.message
    return told, ""


def test_damage_that_is_met_while_the_stream_is_silent_ends_it(script: Script, line: HttpTransport):
    script.views = [seen(1), seen(0, "x is damaged"), seen(0, "x is damaged")]
    script.streams = [[event(1, "Launched"), BEAT], [event(2, "TaskSucceeded")]]

    assert story(line) == ([1, 2], "x is damaged")
    assert [path for path in script.asked if "events" in path] == [
        "/api/v1/events?execution=x&after=0",
        "/api/v1/events?execution=x&after=1",
    ]


def test_a_line_that_cannot_be_read_ends_it_after_those_that_can(
    script: Script, line: HttpTransport
):
    script.views = [seen(1), seen(0, "x is damaged")]
    script.streams = [
        [event(1, "Launched"), event(2, "Damaged")],
        [event(3, "Damaged"), event(4, "AnswerGiven")],
    ]

    assert story(line) == ([1, 2, 3, 4], "x is damaged")


def test_the_last_line_of_what_is_damaged_is_told_before_the_error(
    script: Script, line: HttpTransport
):
    script.views = [seen(0, "x is damaged")]
    script.streams = [[event(1, "Launched"), event(2, "AnswerGiven", phase="SUCCEEDED")]]

    assert story(line) == ([1, 2], "x is damaged")


def test_what_only_lacks_something_goes_on(script: Script, line: HttpTransport):
    script.views = [seen(1, "a file is missing"), seen(1, "a file is missing")]
    script.streams = [
        [event(1, "Launched"), BEAT, event(2, "AnswerGiven", phase="SUCCEEDED")],
    ]

    assert story(line) == ([1, 2], "")


def test_who_watches_everything_looks_at_no_execution(script: Script, line: HttpTransport):
    script.streams = [[BEAT, event(1, "Damaged"), event(2, "Launched")]]

    every = follow(line, "")

    assert [next(every).event.seq for _ in range(2)] == [1, 2]
    assert script.asked == ["/api/v1/events"]
