"""Executions over HTTP: to launch one, look at it, wait for it, list them, end one, begin one again."""

from datetime import datetime
from urllib.parse import quote

import msgspec

from tidegate.api.bodies import (
    AbortBody,
    AgainBody,
    DeckQuery,
    ExecutionsQuery,
    HistoryQuery,
    LaunchBody,
    WaitQuery,
)
from tidegate.api.desk import Desk
from tidegate.api.route import Call, Content, Reply, Route
from tidegate.errors import (
    ExecutionEnded,
    Fault,
    IdTaken,
    InvalidValue,
    NotRecoverable,
    UnknownDeck,
    UnknownExecution,
    UnknownNode,
    UnknownWorkflow,
)
from tidegate.service.access import Action
from tidegate.wire import (
    Abort,
    Aborted,
    DeckView,
    EventList,
    ExecutionPage,
    ExecutionView,
    GetDeck,
    GetExecution,
    GetLogs,
    Launch,
    ListEvents,
    ListExecutions,
    LogList,
    Recover,
    Relaunch,
)


async def launch(desk: Desk, call: Call) -> Reply:
    """Launch an execution. Idempotent by its id: 201 the first time, 200 when it was launched before, with the same content."""
    body: LaunchBody = call.body
    request = Launch(
        workflow=body.workflow,
        version=body.version,
        inputs=body.inputs,
        id=body.id,
        project=body.project,
        domain=body.domain,
        who=call.who,
        via=call.via,
    )
    view = await desk.ask(call, request, ExecutionView, quick=True)
    return _launched(view)


async def list_executions(desk: Desk, call: Call) -> Reply:
    """List executions, the newest first, a page at a time."""
    query: ExecutionsQuery = call.query
    request = ListExecutions(
        phases=query.phase,
        workflow=query.workflow,
        project=query.project,
        domain=query.domain,
        text=query.text,
        since=_moment("since", query.since),
        until=_moment("until", query.until),
        cursor=query.cursor,
        limit=query.limit,
    )
    return Reply(await desk.ask(call, request, ExecutionPage))


def _moment(name: str, text: str) -> datetime | None:
    if not text:
        return None
    try:
        return msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        why = "there is no such day or time"
        raise InvalidValue(f"{name} {text!r}: {why}", [Fault((name,), why)]) from None


async def get_execution(desk: Desk, call: Call) -> Reply:
    """Return an execution, whole; with `wait`, as soon as it has ended, or when the time is up."""
    query: WaitQuery = call.query
    request = GetExecution(id=call.path["id"], wait=query.wait, until_waiting=query.until_waiting)
    return Reply(await desk.ask(call, request, ExecutionView))


async def get_history(desk: Desk, call: Call) -> Reply:
    """Return the history of an execution: what happened, in order."""
    query: HistoryQuery = call.query
    request = ListEvents(id=call.path["id"], after=query.after, limit=query.limit, wait=query.wait)
    return Reply(await desk.ask(call, request, EventList))


async def abort(desk: Desk, call: Call) -> Reply:
    """End an execution. Its open gates are aborted, and leave the inbox at once."""
    body: AbortBody = call.body
    request = Abort(id=call.path["id"], reason=body.reason, who=call.who, via=call.via)
    return Reply(await desk.ask(call, request, Aborted))


async def relaunch(desk: Desk, call: Call) -> Reply:
    """Launch an execution again, with the same version and inputs: 201, or 200 if it was with the same new id before."""
    body: AgainBody = call.body
    request = Relaunch(id=call.path["id"], new_id=body.id, who=call.who, via=call.via)
    return _launched(await desk.ask(call, request, ExecutionView))


async def recover(desk: Desk, call: Call) -> Reply:
    """Launch one that failed or was aborted again, and keep what has succeeded in it: results of tasks, and answers."""
    body: AgainBody = call.body
    request = Recover(id=call.path["id"], new_id=body.id, who=call.who, via=call.via)
    return _launched(await desk.ask(call, request, ExecutionView))


async def get_logs(desk: Desk, call: Call) -> Reply:
    """Return what the tasks of an execution wrote to their standard output and error."""
    request = GetLogs(id=call.path["id"], node=call.path.get("node", ""))
    return Reply(await desk.ask(call, request, LogList))


async def get_node_logs(desk: Desk, call: Call) -> Reply:
    """Return what the attempts of one node wrote; it is named by its id, or by its name."""
    return await get_logs(desk, call)


async def get_deck(desk: Desk, call: Call) -> Reply:
    """Return the report that a task has made, as a page of HTML. It is the author's own, so it is served where it can run no script and load nothing."""
    query: DeckQuery = call.query
    request = GetDeck(id=call.path["id"], node=call.path["node"], attempt=query.attempt)
    view = await desk.ask(call, request, DeckView)
    headers = {
        "content-security-policy": DECK_POLICY,
        "x-tidegate-node": quote(view.node),
        "x-tidegate-attempt": str(view.attempt),
    }
    return Reply(view.html.encode(), 200, headers, "text/html; charset=utf-8")


def _launched(view: ExecutionView) -> Reply:
    headers = {"location": f"/api/v1/executions/{view.id}"}
    return Reply(view, 201 if view.created else 200, headers)


DECK_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
TAG = "executions"

ROUTES = (
    Route(
        method="POST",
        path="/api/v1/executions",
        action=Action.LAUNCH,
        handler=launch,
        body=LaunchBody,
        gives={201: ExecutionView, 200: ExecutionView},
        refuses=(UnknownWorkflow, IdTaken),
        tag=TAG,
    ),
    Route(
        method="GET",
        path="/api/v1/executions",
        action=Action.LIST_EXECUTIONS,
        handler=list_executions,
        query=ExecutionsQuery,
        gives={200: ExecutionPage},
        tag=TAG,
    ),
    Route(
        method="GET",
        path="/api/v1/executions/{id}",
        action=Action.GET_EXECUTION,
        handler=get_execution,
        query=WaitQuery,
        gives={200: ExecutionView},
        refuses=(UnknownExecution,),
        tag=TAG,
    ),
    Route(
        method="GET",
        path="/api/v1/executions/{id}/events",
        action=Action.LIST_EVENTS,
        handler=get_history,
        query=HistoryQuery,
        gives={200: EventList},
        refuses=(UnknownExecution,),
        tag=TAG,
    ),
    Route(
        method="POST",
        path="/api/v1/executions/{id}/abort",
        action=Action.ABORT,
        handler=abort,
        body=AbortBody,
        gives={200: Aborted},
        refuses=(UnknownExecution, ExecutionEnded, InvalidValue),
        tag=TAG,
    ),
    Route(
        method="POST",
        path="/api/v1/executions/{id}/relaunch",
        action=Action.RELAUNCH,
        handler=relaunch,
        body=AgainBody,
        gives={201: ExecutionView, 200: ExecutionView},
        refuses=(UnknownExecution, IdTaken),
        tag=TAG,
    ),
    Route(
        method="POST",
        path="/api/v1/executions/{id}/recover",
        action=Action.RECOVER,
        handler=recover,
        body=AgainBody,
        gives={201: ExecutionView, 200: ExecutionView},
        refuses=(UnknownExecution, IdTaken, NotRecoverable),
        tag=TAG,
    ),
    Route(
        method="GET",
        path="/api/v1/executions/{id}/logs",
        action=Action.GET_LOGS,
        handler=get_logs,
        gives={200: LogList},
        refuses=(UnknownExecution,),
        tag=TAG,
    ),
    Route(
        method="GET",
        path="/api/v1/executions/{id}/nodes/{node...}/logs",
        action=Action.GET_LOGS,
        handler=get_node_logs,
        gives={200: LogList},
        refuses=(UnknownExecution, UnknownNode),
        tag=TAG,
    ),
    Route(
        method="GET",
        path="/api/v1/executions/{id}/nodes/{node...}/deck",
        action=Action.GET_DECK,
        handler=get_deck,
        query=DeckQuery,
        gives={200: Content(("text/html",))},
        refuses=(UnknownExecution, UnknownNode, UnknownDeck),
        tag=TAG,
    ),
)
