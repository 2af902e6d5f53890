"""What happens, as it happens: server-sent events, resumable by the id of the last one that was seen."""

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
    "The id of the last event that was received: go on after it.",
    200,
)


class WatchQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events to send: those of one execution, or of all; those after one, or from now on."""

    execution: Short = ""
    after: Annotated[
        str,
        Meta(
            max_length=200,
            description="The id of the event after which to begin; `0` is before the first.",
        ),
    ] = ""


async def watch(backend: Backend, call: Call) -> Stream:
    """
    Follow what happens to all executions, or to one, from now on; with `after` or `Last-Event-ID` from there on.

    Each event has an opaque id, and is a `FeedView` as JSON. A comment comes every 15 seconds when nothing happens.
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
