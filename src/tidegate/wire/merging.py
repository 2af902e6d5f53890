"""Merging the changes of an execution into an earlier view of it: the other half of `GetExecution.after`."""

from collections.abc import Sequence

from msgspec import UNSET, structs

from tidegate.ir.expr import source_order
from tidegate.wire.views import ENDED, ExecutionView, NodeView


def merged(seen: ExecutionView, news: ExecutionView) -> ExecutionView:
    """
    Return the current view of an execution. `news` is the reply to a request with `after=seen.seq`.

    Nodes are replaced by their ids, and new ones are appended; of `waiting`, only the entries in `news` count for the nodes in it. The nodes of a
    round are removed when those of the next round of the same loop arrive. A reply with `inputs` or with a smaller `seq` is complete, and replaces everything.
    """
    if not seen.seq or news.seq < seen.seq or news.inputs is not UNSET:
        return news
    gone = _gone(seen.nodes, news.nodes)
    changed = {node.id: node for node in news.nodes}
    nodes = {node.id: node for node in seen.nodes if node.id not in gone} | changed
    waiting = [each for each in seen.waiting if each.node in nodes and each.node not in changed]
    waiting = [] if news.phase in ENDED else waiting + news.waiting
    return structs.replace(
        news,
        inputs=seen.inputs,
        nodes=list(nodes.values()),
        waiting=sorted(waiting, key=lambda each: source_order(each.node)),
    )


def _gone(seen: Sequence[NodeView], news: Sequence[NodeView]) -> set[str]:
    """Return the nodes replaced by a newer round, and those inside them: the ids of each round have a prefix of their own."""
    rounds = {node.parent: _graph(node.id) for node in news}
    gone: set[str] = set()
    for node in seen:  # a parent comes before the nodes inside it
        if node.parent in gone or rounds.get(node.parent, _graph(node.id)) != _graph(node.id):
            gone.add(node.id)
    return gone


def _graph(node: str) -> str:
    return node.rpartition("/")[0]
