"""
The event stream, as server-sent events: read line by line, and resumed where it broke.

An execution that cannot be read back has no next event, and its stream has no end. So it is checked before each connection and at each
heartbeat; once it is known to be damaged, its readable events are read from the store, and then the error is raised.
"""

import time
from collections.abc import Iterator

import msgspec

from tidegate.errors import StoreDamaged, TidegateError
from tidegate.remote.problems import Unreachable
from tidegate.remote.requests import HttpCall, ask
from tidegate.remote.transport import PATIENCE, HttpTransport
from tidegate.wire import ENDED, FeedView, GetExecution

SILENCE = 60.0
"""Seconds without a line, not even a heartbeat, after which a connection counts as dead."""

QUIET = 2.0
"""Seconds without an event after which everything stored of a damaged execution has arrived: a server reads hundreds of events in milliseconds."""

PAUSE = 0.5

BEGINNING = "0"
"""The cursor before the first event."""


def follow(transport: HttpTransport, execution: str) -> Iterator[FeedView]:
    """
    Yield the events of an execution, from its first to its last; or of all executions from now on, if none is named.

    Errors: `StoreDamaged` after the last readable event of an execution that cannot be read back; those of the server;
    `Unreachable` when it has been away for `PATIENCE` seconds.
    """
    last, seq = BEGINNING if execution else "", 0
    since = time.monotonic()
    while True:
        why = ""
        try:
            why = _damage(transport, execution, seq)
            for event in _events(transport, execution, last, QUIET if why else SILENCE):
                if event is None:
                    if not why and _damage(transport, execution, seq):
                        break
                    continue
                last, seq, since = event.cursor, event.event.seq, time.monotonic()
                yield event
                if execution and event.event.details.get("phase") in ENDED:
                    if why:
                        raise StoreDamaged(why)
                    return
                if execution and event.event.kind == "Damaged" and not why:
                    break
        except TidegateError as error:
            if why:
                raise StoreDamaged(why) from None
            is_away = isinstance(error, Unreachable) or error.status in {429, 503}
            if not is_away or time.monotonic() - since > PATIENCE:
                raise
        time.sleep(PAUSE)


def _damage(transport: HttpTransport, execution: str, seq: int) -> str:
    """Return why an execution cannot be read back; empty if it can be, or none is named. `seq` is the last line that was received."""
    if not execution:
        return ""
    view = ask(transport, GetExecution(id=execution, after=seq))
    # If it only lacks something, its lines are shown, and it continues.
    return "" if view.seq else view.damaged


def _events(
    transport: HttpTransport, execution: str, last: str, silence: float
) -> Iterator[FeedView | None]:
    """Yield the events after a cursor, and None for a heartbeat."""
    call = HttpCall(
        method="GET",
        path="/api/v1/events",
        query={"execution": execution, "after": last},
        headers={"accept": "text/event-stream"},
    )
    with transport.lines(call, silence=silence) as lines:
        said: list[str] = []
        for line in lines:
            if line.startswith("data:"):
                said.append(line[5:].removeprefix(" "))
            elif line.startswith(":"):
                yield None
            elif not line and said:
                yield msgspec.json.decode("\n".join(said), type=FeedView)
                said.clear()
