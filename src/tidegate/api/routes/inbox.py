"""The inbox over HTTP: everything that waits for an answer, and answers to many at once."""

import asyncio

from tidegate.api.bodies import (
    AnswerResult,
    AnswerResults,
    AnswersBody,
    InboxAnswer,
    InboxQuery,
)
from tidegate.api.desk import Desk
from tidegate.api.problems import document
from tidegate.api.route import Call, Reply, Route
from tidegate.errors import TidegateError, UnknownExecution
from tidegate.service.access import Action
from tidegate.wire import Answer, AnswerReply, InboxPage, ListInbox


async def list_inbox(desk: Desk, call: Call) -> Reply:
    """List what waits for an answer, over all executions: the soonest due first, those without end last, then the oldest."""
    query: InboxQuery = call.query
    request = ListInbox(
        execution=query.execution,
        workflow=query.workflow,
        project=query.project,
        domain=query.domain,
        kind=query.kind,
        text=query.text,
        cursor=query.cursor,
        limit=query.limit,
    )
    return Reply(await desk.ask(call, request, InboxPage))


async def answer_many(desk: Desk, call: Call) -> Reply:
    """Answer many signals at once. Each is decided for itself, and has a result of its own, in the order in which they came."""
    body: AnswersBody = call.body
    # All are on their way before the first is decided, so they share commits.
    results = await asyncio.gather(*(_answer(desk, call, each) for each in body.answers))
    return Reply(AnswerResults(list(results)))


async def _answer(desk: Desk, call: Call, given: InboxAnswer) -> AnswerResult:
    request = Answer(
        id=given.execution,
        name=given.signal,
        value=given.value,
        comment=given.comment,
        key=given.key,
        who=call.who,
        via=call.via,
    )
    try:
        reply = await desk.ask(call, request, AnswerReply, quick=True)
    except TidegateError as error:
        return AnswerResult(
            execution=given.execution,
            signal=given.signal,
            status=error.status,
            problem=document(error),
        )
    return AnswerResult(execution=given.execution, signal=given.signal, status=200, reply=reply)


TAG = "inbox"

ROUTES = (
    Route(
        method="GET",
        path="/api/v1/inbox",
        action=Action.LIST_INBOX,
        handler=list_inbox,
        query=InboxQuery,
        gives={200: InboxPage},
        refuses=(UnknownExecution,),
        tag=TAG,
    ),
    Route(
        method="POST",
        path="/api/v1/inbox/answers",
        action=Action.ANSWER,
        handler=answer_many,
        body=AnswersBody,
        gives={200: AnswerResults},
        tag=TAG,
    ),
)
