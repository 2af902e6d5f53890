"""How an execution ended other than well: by a person's no, by silence, by an error, or because somebody ended it. Lists show it and are filtered by it."""

from typing import Final

from msgspec import Struct

from tidegate.core.draft import Draft
from tidegate.core.messages import REJECTED, TIMEOUT_EXPIRED, AbortRequested, Event
from tidegate.core.plan import Plan
from tidegate.core.state import ExecutionPhase, ExecutionState
from tidegate.core.titles import cut
from tidegate.ir.expr import NodeId

REFUSED, SILENT, FAILED, ABORTED = "rejected", "timed_out", "failed", "aborted"

KINDS: Final = (REFUSED, SILENT, FAILED, ABORTED)

LONGEST: Final = 300
"""Characters of a reason that a list shows: three lines of it. The execution has the whole."""


class Ending(Struct, frozen=True, array_like=True, gc=False):
    """
    How an execution ended. `message` is one line: the comment of a rejection, the failure, the reason of who ended it.

    `who` rejected or ended it; `node` is the node at fault, `name` its name.
    """

    kind: str
    message: str = ""
    who: str = ""
    node: NodeId = NodeId("")
    name: str = ""


def ending_of(
    plan: Plan, state: Draft | ExecutionState, event: Event | None = None
) -> Ending | None:
    """Return how an execution ended, None if it has not or has succeeded. `event` is the one that ended it, which says who aborted it."""
    failure = state.failure
    if state.phase is ExecutionPhase.ABORTED:
        reason = "" if failure is None or failure.message == "aborted" else failure.message
        return Ending(
            ABORTED, _line(reason), event.who if isinstance(event, AbortRequested) else ""
        )
    if state.phase is not ExecutionPhase.FAILED or failure is None:
        return None
    node = state.failed
    planned = plan.nodes.get(node)
    name = "" if planned is None else planned.node.name
    answer = None if planned is None else state.node(node).answer
    match failure.code:
        case _ if failure.code == REJECTED and answer is not None and not answer.by_timeout:
            return Ending(REFUSED, _line(answer.comment), answer.who, node, name)
        case _ if failure.code in (REJECTED, TIMEOUT_EXPIRED):
            return Ending(SILENT, _line(failure.message), "", node, name)
        case _:
            return Ending(FAILED, _line(failure.message), "", node, name)


def _line(text: str) -> str:
    return cut(" ".join(text[: 10 * LONGEST].split()), LONGEST)
