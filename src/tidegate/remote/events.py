"""The stream of what happens, as server-sent events: read line by line, and taken up again where it broke."""

import time
from collections.abc import Iterator

import msgspec

from tidegate.errors import TidegateError
from tidegate.remote.problems import Unreachable
from tidegate.remote.requests import HttpCall
from tidegate.remote.transport import PATIENCE, HttpTransport
from tidegate.wire import ENDED, FeedView

SILENCE = 60.0
"""Seconds without a line, not even a heartbeat, after which a connection is taken for dead."""

PAUSE = 0.5

BEGINNING = "0"
"""The cursor before the first event."""


def follow(transport: HttpTransport, execution: str) -> Iterator[FeedView]:
    """
    Yield the events of an execution, from its first to its last; or of all executions from now on, if none is named.

    Errors: those of the server; `Unreachable` when it has been away for `PATIENCE` seconds.
    """
    last = BEGINNING if execution else ""
    since = time.monotonic()
    while True:
        try:
            for event in _events(transport, execution, last):
                last, since = event.cursor, time.monotonic()
                yield event
                if execution and event.event.details.get("phase") in ENDED:
                    return
        except TidegateError as error:
            is_away = isinstance(error, Unreachable) or error.status in {429, 503}
            if not is_away or time.monotonic() - since > PATIENCE:
                raise
        time.sleep(PAUSE)


def _events(transport: HttpTransport, execution: str, last: str) -> Iterator[FeedView]:
    call = HttpCall(
        method="GET",
        path="/api/v1/events",
        query={"execution": execution, "after": last},
        headers={"accept": "text/event-stream"},
    )
    with transport.lines(call, silence=SILENCE) as lines:
        said: list[str] = []
        for line in lines:
            if line.startswith("data:"):
                said.append(line[5:].removeprefix(" "))
            elif not line and said:
                yield msgspec.json.decode("\n".join(said), type=FeedView)
                said.clear()
