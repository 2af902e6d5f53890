"""
Requests over HTTP: which call a request of `wire` is, and sending it.

So whatever speaks in requests can speak to a server: the client, and the commands of the terminal.
"""

from typing import Any, TypeVar, assert_never
from urllib.parse import quote, unquote

import msgspec

from tidegate.errors import Refused
from tidegate.remote.local import VIEWS
from tidegate.remote.transport import HttpCall, Transport
from tidegate.wire import (
    Abort,
    Answer,
    DeckView,
    GetDeck,
    GetExecution,
    GetLogs,
    GetWorkflow,
    Launch,
    ListEvents,
    ListExecutions,
    ListInbox,
    ListSignals,
    ListTokens,
    ListVersions,
    ListWorkflows,
    MakeToken,
    Recover,
    Register,
    Relaunch,
    Request,
    RevokeToken,
    View,
)

V = TypeVar("V")

API = "/api/v1"


class Door:
    """The way to a server, for requests. May be used from any thread."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def send(self, request: Request) -> View:
        """Hand over a request and return its view. Errors: those of the service, `Unreachable`."""
        if isinstance(request, GetDeck):
            return self._deck(request)
        body = self.transport.send(call_of(request))
        return msgspec.json.decode(body, type=VIEWS[type(request)])

    def ask(self, request: Request, kind: type[V]) -> V:
        """Hand over a request whose view is of this kind."""
        view = self.send(request)
        assert isinstance(view, kind), f"{type(request).__name__} gave {type(view).__name__}"
        return view

    def _deck(self, request: GetDeck) -> DeckView:
        # It travels as the page that it is, for browsers.
        reply = self.transport.reply(call_of(request))
        return DeckView(
            node=unquote(reply.headers.get("x-tidegate-node", request.node)),
            name=request.node,
            attempt=int(reply.headers.get("x-tidegate-attempt", request.attempt)),
            html=reply.content.decode(errors="replace"),
        )


def call_of(request: Request) -> HttpCall:
    """Return the call that a request is. Who asks is not in it: the server knows that by the token."""
    match request:
        case Register() | ListWorkflows() | GetWorkflow() | ListVersions():
            return _about_workflows(request)
        case MakeToken() | ListTokens() | RevokeToken():
            raise Refused("tokens are made, listed and revoked on the machine of the store alone")
        case Launch():
            fields = ("workflow", "version", "inputs", "id", "project", "domain")
            return _post("executions", _picked(request, *fields), repeatable=bool(request.id))
        case Relaunch() | Recover():
            verb = "relaunch" if isinstance(request, Relaunch) else "recover"
            path = f"executions/{_part(request.id)}/{verb}"
            return _post(path, {"id": request.new_id}, repeatable=bool(request.new_id))
        case Abort():
            path = f"executions/{_part(request.id)}/abort"
            return _post(path, _picked(request, "reason"))
        case Answer():
            return HttpCall(
                method="PUT",
                path=f"{API}/executions/{_part(request.id)}/signals/{_part(request.name)}",
                body=_picked(request, "value", "comment"),
                headers={"idempotency-key": request.key} if request.key else {},
                # The same answer again is accepted again, and changes nothing.
                repeatable=True,
            )
        case (
            GetExecution()
            | ListExecutions()
            | ListInbox()
            | ListSignals()
            | ListEvents()
            | GetLogs()
            | GetDeck()
        ):
            return _reading(request)
        case _:
            assert_never(request)


def _reading(
    request: (
        GetExecution | ListExecutions | ListInbox | ListSignals | ListEvents | GetLogs | GetDeck
    ),
) -> HttpCall:
    match request:
        case GetExecution():
            query = _picked(request, "wait", "until_waiting") if request.wait else {}
            return _get(f"executions/{_part(request.id)}", query, wait=request.wait)
        case ListExecutions():
            query = _rest(request, "phases") | {"phase": request.phases}
            return _get("executions", query)
        case ListInbox():
            return _get("inbox", _rest(request))
        case ListSignals():
            return _get(f"executions/{_part(request.id)}/signals")
        case ListEvents():
            query = _picked(request, "after", "limit", "wait")
            return _get(f"executions/{_part(request.id)}/events", query, wait=request.wait)
        case GetLogs():
            node = f"nodes/{_part(request.node)}/" if request.node else ""
            return _get(f"executions/{_part(request.id)}/{node}logs")
        case GetDeck():
            query = _picked(request, "attempt") if request.attempt else {}
            return _get(f"executions/{_part(request.id)}/nodes/{_part(request.node)}/deck", query)
        case _:
            assert_never(request)


def _about_workflows(request: Register | ListWorkflows | GetWorkflow | ListVersions) -> HttpCall:
    match request:
        case Register():
            return _post("workflows", _picked(request, "bundle", "module", "version", "only"))
        case ListWorkflows():
            return _get("workflows")
        case GetWorkflow():
            return _get(f"workflows/{_part(request.name)}", _picked(request, "version"))
        case ListVersions():
            return _get(f"workflows/{_part(request.name)}/versions")
        case _:
            assert_never(request)


def _get(path: str, query: dict[str, Any] | None = None, **options: Any) -> HttpCall:
    return HttpCall(method="GET", path=f"{API}/{path}", query=query or {}, **options)


def _post(path: str, body: Any, *, repeatable: bool = True) -> HttpCall:
    return HttpCall(method="POST", path=f"{API}/{path}", body=body, repeatable=repeatable)


def _picked(request: Request, *names: str) -> dict[str, Any]:
    return {name: getattr(request, name) for name in names}


def _rest(request: Request, *without: str) -> dict[str, Any]:
    """Return what a request asks, except who asks."""
    names = (name for name in request.__struct_fields__ if name not in {"who", "via", *without})
    return _picked(request, *names)


def _part(name: str) -> str:
    """Return a name as one part of a path. A dot alone would lead elsewhere."""
    quoted = quote(name, safe="")
    return quoted.replace(".", "%2E") if not quoted.strip(".") else quoted
