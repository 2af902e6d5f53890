"""
How requests travel over HTTP: method and path, and which fields go into the path, a header, the query or the body.

The server's routes and the clients' calls are both made from this table, so they cannot disagree.
"""

import inspect
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias

from msgspec import Struct

from tidegate.wire.ask import Ask
from tidegate.wire.requests import (
    Abort,
    Answer,
    CheckAnswer,
    CheckInputs,
    DescribeBlob,
    EndSession,
    GetDeck,
    GetExecution,
    GetLogs,
    GetNode,
    GetQuestion,
    GetRound,
    GetWorkflow,
    Launch,
    ListAudit,
    ListEvents,
    ListExecutions,
    ListInbox,
    ListReplicas,
    ListRounds,
    ListSessions,
    ListSignals,
    ListTokens,
    ListVersions,
    ListWorkflows,
    MakeCode,
    MakeToken,
    PreviewRecovery,
    Recover,
    Register,
    Relaunch,
    RevokeToken,
    RotateToken,
    SummarizeInbox,
)

Method: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

API: Final = "/api/v1"
SELF: Final = frozenset({"who", "via", "credential"})
"""The fields that never travel: the door identifies the caller by the token or the socket."""

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Binding(Struct, frozen=True, kw_only=True):
    """
    One way in which a request travels.

    In `path`, `{name}` stands for a field, and `{name...}` for one that may contain slashes. `headers` maps fields to headers, `names` maps fields to
    other names, and `fixed` are fields whose value follows from the path. All others travel in the query, or for POST and PUT in the body.
    `idempotent_by` is the field that makes a repeated request safe. `doc` is its description, if it differs from the request's.
    """

    request: type[Ask[Any]]
    method: Method
    path: str
    name: str
    headers: Mapping[str, str] = NOTHING
    names: Mapping[str, str] = NOTHING
    fixed: Mapping[str, Any] = NOTHING
    idempotent_by: str = ""
    doc: str = ""

    @property
    def words(self) -> str:
        """Return its description."""
        return self.doc or inspect.getdoc(self.request) or ""

    @property
    def in_path(self) -> list[str]:
        """Return the fields that travel in the path."""
        return re.findall(r"\{(\w+)(?:\.\.\.)?\}", self.path)

    @property
    def has_body(self) -> bool:
        """Whether the remaining fields travel in the body, a JSON object, and not in the query."""
        return self.method in ("POST", "PUT")

    @property
    def rest(self) -> dict[str, str]:
        """Return the fields that travel in the query or in the body, with their names there."""
        elsewhere = {*self.in_path, *self.headers, *self.fixed, *SELF}
        fields = self.request.__struct_fields__
        return {each: self.names.get(each, each) for each in fields if each not in elsewhere}


_EXECUTIONS = f"{API}/executions"
_ONE = f"{_EXECUTIONS}/{{id}}"
_SIGNAL = f"{_ONE}/signals/{{name...}}"
_KEY = {"key": "Idempotency-Key"}

BINDINGS: Final = (
    Binding(request=Launch, method="POST", path=_EXECUTIONS, name="launch", idempotent_by="id"),
    Binding(
        request=ListExecutions,
        method="GET",
        path=_EXECUTIONS,
        name="list_executions",
        names={"phases": "phase", "ends": "end"},
    ),
    Binding(request=GetExecution, method="GET", path=_ONE, name="get_execution"),
    Binding(request=ListEvents, method="GET", path=f"{_ONE}/events", name="get_history"),
    Binding(request=Abort, method="POST", path=f"{_ONE}/abort", name="abort"),
    Binding(
        request=Relaunch,
        method="POST",
        path=f"{_ONE}/relaunch",
        name="relaunch",
        names={"new_id": "id"},
        idempotent_by="new_id",
    ),
    Binding(
        request=Recover,
        method="POST",
        path=f"{_ONE}/recover",
        name="recover",
        names={"new_id": "id"},
        idempotent_by="new_id",
    ),
    Binding(
        request=PreviewRecovery, method="GET", path=f"{_ONE}/recovery", name="preview_recovery"
    ),
    Binding(
        request=GetLogs,
        method="GET",
        path=f"{_ONE}/logs",
        name="get_logs",
        fixed={"node": ""},
        doc="Return what the tasks of an execution printed to standard output and error.",
    ),
    Binding(
        request=GetLogs,
        method="GET",
        path=f"{_ONE}/nodes/{{node...}}/logs",
        name="get_node_logs",
        doc="Return what the attempts of one node printed; the node is given by its id or its name.",
    ),
    Binding(
        request=ListRounds,
        method="GET",
        path=f"{_ONE}/nodes/{{node...}}/rounds",
        name="list_rounds",
    ),
    Binding(
        request=GetRound,
        method="GET",
        path=f"{_ONE}/nodes/{{node...}}/round",
        name="get_round",
    ),
    Binding(
        request=GetDeck,
        method="GET",
        path=f"{_ONE}/nodes/{{node...}}/deck",
        name="get_deck",
    ),
    Binding(
        request=GetNode,
        method="GET",
        path=f"{_ONE}/nodes/{{node...}}/values",
        name="get_node",
    ),
    Binding(
        request=DescribeBlob,
        method="GET",
        path="/api/v1/blobs/{digest}/facts",
        name="describe_blob",
    ),
    Binding(request=ListSignals, method="GET", path=f"{_ONE}/signals", name="list_signals"),
    Binding(request=GetQuestion, method="GET", path=_SIGNAL, name="get_question"),
    Binding(request=Answer, method="PUT", path=_SIGNAL, name="answer", headers=_KEY),
    Binding(
        request=Answer,
        method="POST",
        path=f"{_SIGNAL}/approve",
        name="approve",
        headers=_KEY,
        fixed={"value": True},
        doc="Approve what a signal shows.",
    ),
    Binding(
        request=Answer,
        method="POST",
        path=f"{_SIGNAL}/reject",
        name="reject",
        headers=_KEY,
        fixed={"value": False},
        doc="Reject what a signal shows; its node fails.",
    ),
    Binding(request=CheckAnswer, method="POST", path=f"{_SIGNAL}/check", name="check_answer"),
    Binding(
        request=CheckInputs,
        method="POST",
        path=f"{API}/workflows/{{name}}/check",
        name="check_inputs",
    ),
    Binding(request=ListInbox, method="GET", path=f"{API}/inbox", name="list_inbox"),
    Binding(
        request=SummarizeInbox, method="GET", path=f"{API}/inbox/summary", name="summarize_inbox"
    ),
    Binding(request=Register, method="POST", path=f"{API}/workflows", name="register"),
    Binding(request=ListWorkflows, method="GET", path=f"{API}/workflows", name="list_workflows"),
    Binding(
        request=ListVersions,
        method="GET",
        path=f"{API}/workflows/{{name}}/versions",
        name="list_versions",
    ),
    Binding(
        request=GetWorkflow, method="GET", path=f"{API}/workflows/{{name}}", name="get_workflow"
    ),
    Binding(request=MakeToken, method="POST", path=f"{API}/tokens", name="make_token"),
    Binding(request=ListReplicas, method="GET", path=f"{API}/replicas", name="list_replicas"),
    Binding(request=ListTokens, method="GET", path=f"{API}/tokens", name="list_tokens"),
    Binding(
        request=RevokeToken, method="DELETE", path=f"{API}/tokens/{{token}}", name="revoke_token"
    ),
    Binding(
        request=RotateToken,
        method="POST",
        path=f"{API}/tokens/{{name}}/rotate",
        name="rotate_token",
    ),
    Binding(request=MakeCode, method="POST", path=f"{API}/codes", name="make_code"),
    Binding(request=ListSessions, method="GET", path=f"{API}/sessions", name="list_sessions"),
    Binding(
        request=EndSession, method="DELETE", path=f"{API}/sessions/{{id}}", name="end_sessions"
    ),
    Binding(
        request=ListAudit,
        method="GET",
        path=f"{API}/audit",
        name="list_audit",
        names={"who_did": "who"},
    ),
)


def binding_of(request: Ask[Any]) -> Binding:
    """Return the way in which a request travels: the first that covers all of its fields."""
    ways = [each for each in BINDINGS if each.request is type(request)]
    return next((each for each in ways if _says_all(each, request)), ways[0])


def _says_all(binding: Binding, request: Ask[Any]) -> bool:
    return all(getattr(request, each) != "" for each in binding.in_path) and all(
        getattr(request, name) == value for name, value in binding.fixed.items()
    )
