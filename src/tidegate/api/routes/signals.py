"""Signals over HTTP: to list those of an execution, and to answer, approve or reject one."""

from tidegate.api.bodies import AnswerBody, DecisionBody
from tidegate.api.desk import Desk
from tidegate.api.route import Call, Header, Reply, Route
from tidegate.errors import Refused, UnknownExecution, UnknownSignal
from tidegate.ir.expr import Value
from tidegate.service.access import Action
from tidegate.wire import Answer, AnswerReply, ListSignals, SignalList

KEY = Header(
    "Idempotency-Key",
    "Repeats of an answer with the same key get the same reply, for ever.",
)


async def list_signals(desk: Desk, call: Call) -> Reply:
    """List the signals of an execution: waiting, answered, or still to come."""
    return Reply(await desk.ask(call, ListSignals(id=call.path["id"]), SignalList))


async def answer(desk: Desk, call: Call) -> Reply:
    """Answer a signal, by its name or path. A value that does not fit is refused with 422, and nothing is consumed."""
    body: AnswerBody = call.body
    return await _decide(desk, call, body.value, body.comment)


async def approve(desk: Desk, call: Call) -> Reply:
    """Approve what a signal shows."""
    return await _decide(desk, call, True, call.body.comment)


async def reject(desk: Desk, call: Call) -> Reply:
    """Reject what a signal shows; its node fails."""
    return await _decide(desk, call, False, call.body.comment)


async def _decide(desk: Desk, call: Call, value: Value, comment: str) -> Reply:
    request = Answer(
        id=call.path["id"],
        name=call.path["name"],
        value=value,
        comment=comment,
        key=call.headers[KEY.name],
        who=call.who,
        via=call.via,
    )
    return Reply(await desk.ask(call, request, AnswerReply, quick=True))


TAG = "signals"
ONE = "/api/v1/executions/{id}/signals/{name...}"
REFUSALS = (UnknownExecution, UnknownSignal, Refused)

ROUTES = (
    Route(
        method="GET",
        path="/api/v1/executions/{id}/signals",
        action=Action.LIST_SIGNALS,
        handler=list_signals,
        gives={200: SignalList},
        refuses=(UnknownExecution,),
        tag=TAG,
    ),
    Route(
        method="PUT",
        path=ONE,
        action=Action.ANSWER,
        handler=answer,
        body=AnswerBody,
        headers=(KEY,),
        gives={200: AnswerReply},
        refuses=REFUSALS,
        tag=TAG,
    ),
    Route(
        method="POST",
        path=f"{ONE}/approve",
        action=Action.ANSWER,
        handler=approve,
        body=DecisionBody,
        headers=(KEY,),
        gives={200: AnswerReply},
        refuses=REFUSALS,
        tag=TAG,
    ),
    Route(
        method="POST",
        path=f"{ONE}/reject",
        action=Action.ANSWER,
        handler=reject,
        body=DecisionBody,
        headers=(KEY,),
        gives={200: AnswerReply},
        refuses=REFUSALS,
        tag=TAG,
    ),
)
