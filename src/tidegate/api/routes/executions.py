"""Executions over HTTP: launch one, get it, wait for it, list them, end one, launch one again."""

from urllib.parse import quote

from tidegate.api.route import MAX_JSON, MAX_WORDS, Content, Reply, asking
from tidegate.errors import (
    AmbiguousNode,
    ExecutionEnded,
    IdTaken,
    NotRecoverable,
    RecoveredAlready,
    UnknownDeck,
    UnknownExecution,
    UnknownNode,
    UnknownWorkflow,
)
from tidegate.wire import DeckView, ExecutionView

TAG = "executions"
LAUNCHED = {201: ExecutionView, 200: ExecutionView}
"""201 for a new execution, 200 for an existing one."""
PAGE = {200: Content(("text/html",))}
DECK_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
"""A deck is HTML by its author: it is served so that it can run no script and load nothing."""


def launched(view: ExecutionView) -> Reply:
    """Return the reply to a launch: 201 for a new execution, 200 for an existing one."""
    headers = {"location": f"/api/v1/executions/{view.id}"}
    return Reply(view, 201 if view.created else 200, headers)


def page(view: DeckView) -> Reply:
    """Return a deck as an HTML page."""
    headers = {
        "content-security-policy": DECK_POLICY,
        "x-tidegate-node": quote(view.node),
        "x-tidegate-attempt": str(view.attempt),
        "x-tidegate-deck": view.digest or ("live" if view.live else "unrecorded"),
    }
    return Reply(view.html.encode(), 200, headers, "text/html; charset=utf-8")


ROUTES = (
    asking("launch", TAG, UnknownWorkflow, IdTaken, limit=MAX_JSON, gives=LAUNCHED, reply=launched),
    asking("list_executions", TAG),
    asking("get_execution", TAG, UnknownExecution),
    asking("get_history", TAG, UnknownExecution),
    asking("abort", TAG, UnknownExecution, ExecutionEnded, limit=MAX_WORDS),
    asking(
        "relaunch",
        TAG,
        UnknownExecution,
        UnknownWorkflow,
        IdTaken,
        limit=MAX_JSON,
        gives=LAUNCHED,
        reply=launched,
    ),
    asking(
        "recover",
        TAG,
        UnknownExecution,
        UnknownWorkflow,
        IdTaken,
        NotRecoverable,
        RecoveredAlready,
        limit=MAX_JSON,
        gives=LAUNCHED,
        reply=launched,
    ),
    asking(
        "preview_recovery",
        TAG,
        UnknownExecution,
        UnknownWorkflow,
        NotRecoverable,
        RecoveredAlready,
    ),
    asking("get_logs", TAG, UnknownExecution),
    asking("get_node_logs", TAG, UnknownExecution, UnknownNode),
    asking(
        "get_deck",
        TAG,
        UnknownExecution,
        UnknownNode,
        AmbiguousNode,
        UnknownDeck,
        gives=PAGE,
        reply=page,
    ),
    asking("list_rounds", TAG, UnknownExecution, UnknownNode, AmbiguousNode),
    asking("get_round", TAG, UnknownExecution, UnknownNode, AmbiguousNode),
    asking("get_node", TAG, UnknownExecution, UnknownNode, AmbiguousNode),
)
