"""Events as they happen: server-sent events, resumable by the id of the last one received."""

from typing import Annotated

from msgspec import Meta, Struct

from tidegate.api.backend import Backend
from tidegate.api.route import Call, Content, Header, Route, Stream
from tidegate.errors import InvalidValue, UnknownExecution
from tidegate.service.access import Action
from tidegate.wire import Short

EVENTS = "text/event-stream"

LAST = Header(
    "Last-Event-ID",
    "The id of the last event received; the stream continues after it.",
    200,
)


class WatchQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events to send: those of one execution, or of all; those after an event, or from now on."""

    execution: Short = ""
    after: Annotated[
        str,
        Meta(
            max_length=200,
            description="The id of the event to start after; `0` is before the first.",
        ),
    ] = ""


async def watch(backend: Backend, call: Call) -> Stream:
    """
    Follow the events of all executions, or of one, from now on; with `after` or `Last-Event-ID`, from there on.

    Each event has an opaque id, and is a `FeedView` as JSON. When nothing happens, a comment is sent every 15 seconds.
    """
    query: WatchQuery = call.query
    after = call.headers[LAST.name] or query.after or None
    pieces = await backend.tail.watch(after, query.execution, call.principal)
    return Stream(pieces, EVENTS, {"x-accel-buffering": "no"})


ROUTES = (
    Route(
        method="GET",
        path="/api/v1/events",
        action=Action.WATCH,
        handler=watch,
        query=WatchQuery,
        headers=(LAST,),
        gives={200: Content((EVENTS,))},
        refuses=(UnknownExecution, InvalidValue),
        tag="events",
    ),
)
