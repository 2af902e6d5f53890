"""What happens, as it happens: server-sent events, resumable by the id of the last one that was seen."""

from msgspec import UNSET

from tidegate.api.bodies import WatchQuery
from tidegate.api.desk import Desk
from tidegate.api.route import Call, Content, Header, Route, Stream
from tidegate.errors import BadRequest, UnknownExecution
from tidegate.service.access import Action

EVENTS = "text/event-stream"

LAST = Header(
    "Last-Event-ID",
    "The id of the last event that was seen: go on after it.",
    18,
    {"pattern": "^[0-9]*$"},
)


async def watch(desk: Desk, call: Call) -> Stream:
    """
    Follow what happens to all executions, or to one, from now on; with `after` or `Last-Event-ID` from there on.

    Each event has an id, which only grows, and is a `FeedView` as JSON. A comment comes every 15 seconds when nothing happens.
    """
    query: WatchQuery = call.query
    last = call.headers[LAST.name]
    if last and not last.isdecimal():
        raise BadRequest(f"{last!r} is not the id of an event")
    given = None if query.after is UNSET else query.after
    after = int(last) if last else given
    pieces = await desk.tail.watch(after, query.execution, call.principal)
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
        refuses=(UnknownExecution,),
        tag="events",
    ),
)
