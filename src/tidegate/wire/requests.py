"""Requests: what comes in at a door. Each says in its docstring which view answers it."""

from datetime import datetime
from typing import TypeAlias

from msgspec import Struct

from tidegate.ir.expr import Value
from tidegate.wire.views import GrantView


class _Ask(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every request has: who asks, and through what (cli, api, ui, client)."""

    who: str = "local"
    via: str = "cli"


class Register(_Ask, frozen=True, kw_only=True, tag="register"):
    """Register every workflow found in a bundle that is stored already. -> WorkflowList"""

    bundle: str
    module: str
    version: str = ""
    only: list[str] = []


class Launch(_Ask, frozen=True, kw_only=True, tag="launch"):
    """Launch an execution; the same `id` again with the same content returns the first. -> ExecutionView"""

    workflow: str
    version: str = ""
    inputs: dict[str, Value] = {}
    id: str = ""
    project: str = ""
    domain: str = ""


class Relaunch(_Ask, frozen=True, kw_only=True, tag="relaunch"):
    """Launch an execution again, with the same version and inputs. The same `new_id` again returns the first. -> ExecutionView"""

    id: str
    new_id: str = ""


class Recover(_Ask, frozen=True, kw_only=True, tag="recover"):
    """Launch an execution that has not succeeded again, and keep the results and answers that it had. -> ExecutionView"""

    id: str
    new_id: str = ""


class GetExecution(_Ask, frozen=True, kw_only=True, tag="get_execution"):
    """One execution; `wait` seconds at most for it to end or, with `until_waiting`, to have nothing left to run. -> ExecutionView"""

    id: str
    wait: float = 0.0
    until_waiting: bool = False


class ListExecutions(_Ask, frozen=True, kw_only=True, tag="list_executions"):
    """Executions, newest first. -> ExecutionPage"""

    phases: list[str] = []
    workflow: str = ""
    project: str = ""
    domain: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    cursor: str = ""
    limit: int = 100


class ListInbox(_Ask, frozen=True, kw_only=True, tag="list_inbox"):
    """Everything that waits for an answer, of one kind (input, approve) or both, or what one execution waits for. -> InboxPage"""

    execution: str = ""
    workflow: str = ""
    project: str = ""
    domain: str = ""
    kind: str = ""
    text: str = ""
    cursor: str = ""
    limit: int = 100


class ListSignals(_Ask, frozen=True, kw_only=True, tag="list_signals"):
    """The signals of an execution, waiting, answered or still to come. -> SignalList"""

    id: str


class Answer(_Ask, frozen=True, kw_only=True, tag="answer"):
    """Answer a signal, by name or path. For an approval True or False. -> AnswerReply"""

    id: str
    name: str
    value: Value
    comment: str = ""
    key: str = ""


class Abort(_Ask, frozen=True, kw_only=True, tag="abort"):
    """End an execution. -> Aborted"""

    id: str
    reason: str = ""


class ListEvents(_Ask, frozen=True, kw_only=True, tag="list_events"):
    """The history of an execution, from the event after number `after`; `wait` seconds at most for one to happen. -> EventList"""

    id: str
    after: int = 0
    limit: int = 1000
    wait: float = 0.0


class GetLogs(_Ask, frozen=True, kw_only=True, tag="get_logs"):
    """What the tasks of an execution wrote; `node` is an id, or a name. -> LogList"""

    id: str
    node: str = ""


class GetDeck(_Ask, frozen=True, kw_only=True, tag="get_deck"):
    """The report of a node, by its id or name: of an attempt, or of the last that has one. -> DeckView"""

    id: str
    node: str
    attempt: int = 0


class ListWorkflows(_Ask, frozen=True, kw_only=True, tag="list_workflows"):
    """Registered workflows, the latest version of each. -> WorkflowList"""


class GetWorkflow(_Ask, frozen=True, kw_only=True, tag="get_workflow"):
    """A version of a workflow, the latest if none is given, with its graph. -> WorkflowDetail"""

    name: str
    version: str = ""


class ListVersions(_Ask, frozen=True, kw_only=True, tag="list_versions"):
    """The versions of a workflow, the one registered last first. -> WorkflowList"""

    name: str


class MakeToken(_Ask, frozen=True, kw_only=True, tag="make_token"):
    """Make a token, for `lasts` seconds, or without end. -> TokenMade"""

    name: str
    grants: list[GrantView]
    lasts: float | None = 7_776_000.0


class ListTokens(_Ask, frozen=True, kw_only=True, tag="list_tokens"):
    """Every token, those of no use any more too. -> TokenList"""


class RevokeToken(_Ask, frozen=True, kw_only=True, tag="revoke_token"):
    """End a token at once, by its id or its name. -> TokenList"""

    token: str


Request: TypeAlias = (
    Register
    | Launch
    | Relaunch
    | Recover
    | GetExecution
    | ListExecutions
    | ListInbox
    | ListSignals
    | Answer
    | Abort
    | ListEvents
    | GetLogs
    | GetDeck
    | ListWorkflows
    | GetWorkflow
    | ListVersions
    | MakeToken
    | ListTokens
    | RevokeToken
)
