"""
The rounds of loops: a list of them, and the nodes of one.

Only the current round is in the state. What a list shows of the others is kept with the fold; their nodes are read from the history,
up to the line with which they ended.
"""

from tidegate.core.plan import Plan
from tidegate.core.rounds import PastRound, values_of
from tidegate.core.unfolding import MAX_ROUNDS
from tidegate.engine.folds import Snapshot, snapshot_at
from tidegate.engine.programs import Programs
from tidegate.errors import UnknownNode
from tidegate.ir.expr import NodeId, source_order
from tidegate.ir.graph import TaskNode
from tidegate.ports.journal import Journal
from tidegate.service.executions import Executions
from tidegate.service.moments import maybe, moment
from tidegate.service.nodes import Measured, nodes_called, only_node
from tidegate.service.views import node_view
from tidegate.wire import GetRound, ListRounds, NodeView, RoundList, RoundNodes, RoundView


class Rounds:
    """The rounds of loops."""

    def __init__(self, journal: Journal, programs: Programs, executions: Executions) -> None:
        self._journal = journal
        self._programs = programs
        self._executions = executions

    def page(self, request: ListRounds) -> RoundList:
        """List rounds. Errors: `UnknownExecution`, `UnknownNode`, `AmbiguousNode`."""
        now = self._executions.look(request.id)
        node = _loop(now, request.node)
        past = now.rounds.get(node, ())
        shown = [_past(each) for each in past[request.after : request.after + request.limit]]
        if len(shown) < request.limit and request.after <= len(past) and node in now.plan.scopes:
            shown.append(_current(now, node, past[-1] if past else None))
        last = request.after + len(shown)
        return RoundList(items=shown, next=last if last <= len(past) else None, most=MAX_ROUNDS)

    def nodes(self, request: GetRound) -> RoundNodes:
        """Return the nodes of a round. Errors: as above; `UnknownNode` if there is no such round."""
        now = self._executions.look(request.id)
        node, number = _loop(now, request.node), int(request.round)
        past = now.rounds.get(node, ())
        if number <= len(past):
            now = self.at(now, past[number - 1].seq)
        elif number > len(past) + 1 or node not in now.plan.scopes:
            there = len(past) + (node in now.plan.scopes)
            raise UnknownNode(
                f"{now.plan.nodes[node].node.name!r} ({node}) of execution {now.row.id} has no round {number}; it has {there}"
            )
        return RoundNodes(round=number, items=_below(now, node))

    def of_node(self, now: Snapshot, node: NodeId) -> Snapshot | None:
        """Return an execution as it was when the round ended that had a node, which has been removed since; None if no round had it."""
        # Of loops inside each other, the innermost moved on first.
        loops = sorted((each for each in now.rounds if node.startswith(each)), key=len)
        for loop in reversed(loops):
            mark, _, _ = node[len(loop) :].partition("/")
            number = int(mark[1:]) if mark[:1] == "~" and mark[1:].isdecimal() else 1
            past = now.rounds[loop]
            if (mark and mark[0] != "~") or number > len(past):
                continue
            then = self.at(now, past[number - 1].seq)
            if node in then.plan.nodes:
                return then
        return None

    def at(self, now: Snapshot, seq: int) -> Snapshot:
        """Return an execution as it was after a line of its history."""
        return snapshot_at(self._journal, self._programs, now.row, seq)


def _loop(now: Snapshot, called: str) -> NodeId:
    """Return the dynamic task that an id or a name means; of those with one name, the outermost."""
    node = only_node(now, called, _outermost(now.plan, nodes_called(now, called)))
    task = now.plan.nodes[node].node
    if not isinstance(task, TaskNode) or not task.dynamic:
        raise UnknownNode(
            f"{task.name!r} ({node}) of execution {now.row.id} is not a dynamic task, so it has no rounds"
        )
    return node


def _outermost(plan: Plan, nodes: list[NodeId]) -> list[NodeId]:
    """Return the nodes that are not inside another one of them: the call with which a loop goes on is inside the loop."""
    among = set(nodes)
    found = []
    for node in nodes:
        scope = plan.nodes[node].scope
        while scope and scope not in among:
            scope = plan.nodes[scope].scope
        if not scope:
            found.append(node)
    return found


def _past(past: PastRound) -> RoundView:
    return RoundView(
        round=past.number,
        phase="SUCCEEDED",
        began=moment(past.began),
        ended=moment(past.ended),
        outputs=past.values,
    )


def _current(now: Snapshot, node: NodeId, before: PastRound | None) -> RoundView:
    here = now.state.node(node)
    planned = now.plan.nodes[node]
    number = now.plan.rounds[node].number if node in now.plan.rounds else 1
    return RoundView(
        round=number,
        phase=node_view(now.plan, now.state, planned, Measured()).phase,
        began=maybe(here.began) if before is None else moment(before.ended),
        ended=maybe(here.ended),
        outputs=values_of(now.plan, now.state, node),
    )


def _below(now: Snapshot, loop: NodeId) -> list[NodeView]:
    """Return the views of everything inside a loop."""
    measured, found, scopes = Measured(), [], [loop]
    for scope in scopes:
        for node in now.plan.members[scope]:
            found.append(node_view(now.plan, now.state, now.plan.nodes[node], measured))
            if node in now.plan.scopes:
                scopes.append(node)
    return sorted(found, key=lambda each: source_order(each.id))
