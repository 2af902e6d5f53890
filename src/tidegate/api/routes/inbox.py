"""The inbox over HTTP: everything that waits for an answer, and bulk answers."""

import asyncio
import logging
from typing import Annotated, Any

from msgspec import Meta, Struct, defstruct

from tidegate.api.backend import Backend
from tidegate.api.problems import document, internal
from tidegate.api.route import MAX_JSON, Call, Reply, Route, asking, part
from tidegate.errors import TidegateError, UnknownExecution
from tidegate.service.access import Action
from tidegate.service.audit import RECORDED
from tidegate.wire import Answer, check

log = logging.getLogger(__name__)

MAX_ANSWERS = 500
"""Answers in one request: they are decided in some 50 ms."""

AT_ONCE = 50
"""How many bulk answers start in one turn of the event loop: about five milliseconds."""

InboxAnswer = part(
    "InboxAnswer",
    "One of many answers: its execution, its signal (the handle or path, or the name if it is unique), its idempotency key, and the digest of what was shown.",
    Answer,
    {
        "id": "execution",
        "name": "signal",
        "value": "value",
        "comment": "comment",
        "key": "key",
        "shown": "shown",
    },
)
AnswersBody = defstruct(
    "AnswersBody",
    [("answers", Annotated[list[InboxAnswer], Meta(min_length=1, max_length=MAX_ANSWERS)])],  # type: ignore[valid-type]
    namespace={"__doc__": "Answers to many signals; each is decided separately."},
    frozen=True,
    forbid_unknown_fields=True,
)


class AnswerResult(Struct, frozen=True, kw_only=True):
    """The result of one of many answers: the status, and the reply or the problem."""

    execution: str
    signal: str
    status: int
    reply: Any = None
    problem: dict[str, Any] | None = None


class AnswerResults(Struct, frozen=True):
    """The result of each answer, in the order of the request."""

    items: list[AnswerResult]


async def answer_many(backend: Backend, call: Call) -> Reply:
    """Answer many signals at once. Each is decided separately and has its own result, in the order of the request."""
    # Most are submitted before the first is decided, so they share commits; and other requests do not wait for all of them.
    under_way: list[asyncio.Task[AnswerResult]] = []
    for each in call.body.answers:
        under_way.append(asyncio.create_task(_answer(backend, call, each)))
        if len(under_way) % AT_ONCE == 0:
            await asyncio.sleep(0)
    return Reply(AnswerResults(list(await asyncio.gather(*under_way))))


async def _answer(backend: Backend, call: Call, given: Any) -> AnswerResult:
    request = Answer(
        id=given.execution,
        name=given.signal,
        value=given.value,
        comment=given.comment,
        key=given.key,
        shown=given.shown,
    )
    try:
        reply = await backend.ask(call, check(request))
    except TidegateError as error:
        if error.status in RECORDED:
            backend.service.audit.refused(error.code, call.principal, "")
        return AnswerResult(
            execution=given.execution,
            signal=given.signal,
            status=error.status,
            problem=document(error),
        )
    except Exception:
        # An internal error of one answer must not hide the results of the others.
        log.exception("the answer to %s of %s could not be handled", given.signal, given.execution)
        return AnswerResult(
            execution=given.execution, signal=given.signal, status=500, problem=internal()
        )
    return AnswerResult(execution=given.execution, signal=given.signal, status=200, reply=reply)


TAG = "inbox"

ROUTES = (
    asking("list_inbox", TAG, UnknownExecution),
    asking("summarize_inbox", TAG),
    Route(
        method="POST",
        path="/api/v1/inbox/answers",
        action=Action.ANSWER,
        handler=answer_many,
        body=AnswersBody,
        limit=MAX_JSON,
        gives={200: AnswerResults},
        tag=TAG,
    ),
)
