"""What lists show of a waiting node, made from the state of its execution: when it starts to wait, and again when lists are checked or rebuilt."""

from typing import NamedTuple

from tidegate.core.addresses import handle_of, signal_path
from tidegate.core.draft import Draft
from tidegate.core.plan import Plan, Planned
from tidegate.core.questions import FORM, digest_of
from tidegate.core.state import ExecutionState
from tidegate.core.waits import ANSWERABLE, first_line, shown, wait_kind
from tidegate.ports.journal import Key, Series, WaitRow


class WaitingExecution(NamedTuple):
    """What a row says of the waiting execution. `plan` is that of its workflow, before anything has unfolded."""

    key: Key
    id: str
    series: Series
    plan: Plan


def wait_row(
    owner: WaitingExecution, plan: Plan, state: Draft | ExecutionState, planned: Planned
) -> WaitRow:
    """Return the row of a waiting node. `plan` has everything that has unfolded."""
    now = state.node(planned.id)
    assert now.began is not None, "a node that waits has begun"
    kind = wait_kind(planned.node)
    asks = kind in ANSWERABLE
    return WaitRow(
        owner.key,
        planned.id,
        kind,
        planned.node.name,
        now.began,
        now.due,
        signal_path(plan, planned.id) if asks else planned.id,
        owner.id,
        owner.series,
        handle_of(planned.id) if asks else "",
        FORM if asks else 0,
        digest_of(plan, state, planned) if asks else b"",
        shown=shown(plan, state, planned, registered=planned.id in owner.plan.nodes),
        words=first_line(planned.node),
    )
