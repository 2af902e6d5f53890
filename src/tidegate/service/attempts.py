"""What the attempts of tasks leave for people to read: what they printed, and their decks."""

from collections.abc import Iterable

from msgspec import structs

from tidegate.engine.folds import Snapshot
from tidegate.errors import UnknownDeck, UnknownNode
from tidegate.ir.expr import NodeId
from tidegate.logs import Logs
from tidegate.service.executions import Executions
from tidegate.service.queued import Queued
from tidegate.service.views import node_view
from tidegate.wire import (
    ENDED,
    AttemptLog,
    DeckView,
    ExecutionView,
    GetDeck,
    GetLogs,
    LogList,
)

MOST_UNCHANGED = 100
"""How many nodes that are held stand in a view of what has changed though they have not: else a look again would cost as much as the first."""


class Attempts:
    """The attempts of the executions of a store."""

    def __init__(self, queued: Queued, logs: Logs, executions: Executions) -> None:
        self._queued = queued
        self._logs = logs
        self._executions = executions

    def logs(self, request: GetLogs) -> LogList:
        """Return what the tasks of an execution printed, or those of a node. Errors: `UnknownExecution`, `UnknownNode`."""
        now = self._executions.look(request.id)
        chosen = dict.fromkeys(_nodes(now, request.node))
        # Whoever follows one node of thousands asks again and again, and the others are then not read.
        wanted: Iterable[str | None] = chosen if request.node else (None,)
        texts = (each for node in wanted for each in self._logs.read(now.row.id, node))
        return LogList(
            items=[
                AttemptLog(
                    node=found.node,
                    name=now.plan.nodes[NodeId(found.node)].node.name,
                    attempt=found.attempt,
                    text=found.text,
                )
                for found in texts
                if found.node in chosen
            ]
        )

    def marked(self, view: ExecutionView, now: Snapshot | None) -> ExecutionView:
        """Return an execution in which the nodes that have decks, and those that are held or wait for a worker, say so; these stand in it though they have not changed."""
        tasks = {node.id for node in view.nodes if node.kind == "task"}
        there = self._logs.nodes_with_decks(view.id, tasks)
        held = {} if view.phase in ENDED else self._queued.of(view)
        if not there and not held:
            return view
        shown = {node.id for node in view.nodes}
        unchanged = [] if now is None else [NodeId(node) for node in held if node not in shown]
        known = view.nodes + [
            node_view(now.plan, now.state, now.plan.nodes[node])
            for node in unchanged[:MOST_UNCHANGED]
            if now is not None and node in now.plan.nodes
        ]
        nodes = [
            structs.replace(node, deck=node.id in there, held=held.get(node.id))
            if node.id in there or node.id in held
            else node
            for node in known
        ]
        return structs.replace(view, nodes=nodes)

    def deck(self, request: GetDeck) -> DeckView:
        """Return the decks of a node, or of the last node of that name which has any. Errors: `UnknownExecution`, `UnknownNode`, `UnknownDeck`."""
        now = self._executions.look(request.id)
        for node in reversed(_nodes(now, request.node)):
            found = self._logs.read_deck(now.row.id, node, request.attempt)
            if found is not None:
                attempt, html = found
                name = now.plan.nodes[node].node.name
                return DeckView(node=node, name=name, attempt=attempt, html=html)
        which = f"attempt {request.attempt} of node" if request.attempt else "node"
        raise UnknownDeck(
            f"{which} {request.node[:80]!r} of execution {now.row.id} has no deck; a task makes one with Deck(name, html)"
        )


def _nodes(now: Snapshot, wanted: str) -> list[NodeId]:
    """Return the nodes that are meant by an id or a name; all of them if it is empty. Errors: `UnknownNode`."""
    nodes = now.plan.nodes
    if wanted and NodeId(wanted) in nodes:
        return [NodeId(wanted)]
    found = [id_ for id_, planned in nodes.items() if wanted in ("", planned.node.name)]
    if wanted and not found:
        there = ", ".join(dict.fromkeys(planned.node.name for planned in nodes.values()))
        raise UnknownNode(
            f"execution {now.row.id} has no node {wanted[:80]!r}; it has: {there[:500]}"
        )
    return found
