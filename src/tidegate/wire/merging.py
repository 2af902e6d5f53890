"""Merging what changed in an execution into what was seen of it before: the other half of `GetExecution.after`."""

from collections.abc import Sequence

from msgspec import UNSET, structs

from tidegate.ir.expr import source_order
from tidegate.wire.views import ENDED, ExecutionView, NodeView


def merged(seen: ExecutionView, news: ExecutionView) -> ExecutionView:
    """
    Return an execution as it stands now. `news` is the reply to what was asked after `seen.seq`.

    Nodes are replaced by their ids, and new ones come last; of the nodes in `news`, only what they wait for now counts. The nodes of a
    round go when those of the next round of the same loop come. A reply with `inputs` or with a smaller `seq` is whole, and stands for itself.
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
    """Return the nodes whose place a newer round has taken, and those inside them: each round has a prefix of its own for its ids."""
    rounds = {node.parent: _graph(node.id) for node in news}
    gone: set[str] = set()
    for node in seen:  # a parent comes before those inside it
        if node.parent in gone or rounds.get(node.parent, _graph(node.id)) != _graph(node.id):
            gone.add(node.id)
    return gone


def _graph(node: str) -> str:
    return node.rpartition("/")[0]
