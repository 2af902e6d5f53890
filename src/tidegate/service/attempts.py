"""
What the attempts of tasks leave for people to read: their output and their decks.

The decks of an ended attempt are the blob that history names; no file overrides it. While an attempt runs, its decks are what it has
published so far, without a digest. Decks kept by an earlier version of Tidegate have no digest either, and are shown for attempts without a blob.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterable
from collections.abc import Set as AbstractSet
from zlib import compress, decompressobj
from zlib import error as zlib_error

import msgspec
from msgspec import structs

from tidegate.engine.folds import Snapshot
from tidegate.errors import Fault, InvalidValue, UnknownDeck
from tidegate.ir.expr import NodeId
from tidegate.logs import AttemptText, Seen
from tidegate.ports.artifacts import Artifacts
from tidegate.sdk.report import protected
from tidegate.service.executions import Executions
from tidegate.service.moments import number
from tidegate.service.nodes import Measured, nodes_called, only_node
from tidegate.service.queued import Queued
from tidegate.service.views import node_view
from tidegate.wire import (
    ENDED,
    AttemptLog,
    DeckView,
    ExecutionView,
    GetDeck,
    GetLogs,
    GetNode,
    LogList,
    NodeView,
)

BEGINNING = "0"
"""The cursor of a reader who has read no logs yet."""

END = "end"
"""The cursor of a reader who has read everything printed so far."""

MOST_UNPACKED = 64 * 1024
"""Bytes of a log cursor, unpacked."""

MOST_UNCHANGED = 100
"""Most held nodes repeated in a view of changes although they have not changed: a second read must not cost as much as the first."""


class Attempts:
    """The attempts of a store's executions."""

    def __init__(self, queued: Queued, artifacts: Artifacts, executions: Executions) -> None:
        self._queued = queued
        self._logs = artifacts.logs
        self._blobs = artifacts.blobs
        self._executions = executions

    @property
    def has_all_logs(self) -> bool:
        """Whether what is printed at other servers is read here, too."""
        return self._logs.are_everywhere

    def logs(self, request: GetLogs) -> LogList:
        """Return what the tasks of an execution, or of one node, printed. Errors: `UnknownExecution`, `UnknownNode`."""
        now = self._executions.look(request.id)
        chosen = dict.fromkeys(nodes_called(now, request.node))
        texts, standing = self._texts(now.row.id, chosen, request)
        return LogList(
            next=standing,
            items=[
                AttemptLog(
                    node=found.node,
                    name=now.plan.nodes[NodeId(found.node)].node.name,
                    attempt=found.attempt,
                    text=found.text,
                )
                for found in texts
                if found.node in chosen
            ],
        )

    def _texts(
        self, execution: str, chosen: Collection[NodeId], request: GetLogs
    ) -> tuple[list[AttemptText], str]:
        if request.after:
            node = next(iter(chosen)) if request.node and len(chosen) == 1 else None
            if request.after == END:
                return [], _cursor(self._logs.end(execution, node))
            texts, seen = self._logs.news(execution, node, _seen(request.after))
            return texts, _cursor(seen)
        # For one node of thousands, the others are not read.
        wanted: Iterable[NodeId | None] = chosen if request.node else (None,)
        return [each for node in wanted for each in self._logs.read(execution, node)], ""

    def marked(self, view: ExecutionView, now: Snapshot | None) -> ExecutionView:
        """Return the execution with its decks, held nodes and nodes waiting for a worker marked; these are included even if they have not changed."""
        tasks = {node.id for node in view.nodes if node.kind == "task"}
        there = self.with_decks(view.id, tasks, now)
        held = {} if view.phase in ENDED else self._queued.of(view)
        if not there and not held:
            return view
        shown = {node.id for node in view.nodes}
        measured = Measured()
        unchanged = [] if now is None else [NodeId(node) for node in held if node not in shown]
        known = view.nodes + [
            node_view(now.plan, now.state, now.plan.nodes[node], measured)
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

    def node(self, request: GetNode) -> NodeView:
        """Return one node whole. Errors: `UnknownExecution`, `UnknownNode`, `AmbiguousNode`."""
        now = self._executions.look(request.id)
        node = only_node(now, request.node, nodes_called(now, request.node))
        view = node_view(now.plan, now.state, now.plan.nodes[node], None)
        deck = bool(self.with_decks(now.row.id, {node}, now)) and view.kind == "task"
        return structs.replace(view, deck=deck)

    def deck(self, request: GetDeck) -> DeckView:
        """Return the decks of a node. Errors: `UnknownExecution`, `UnknownNode`, `UnknownDeck`; `AmbiguousNode` if several nodes of that name have any."""
        now = self._executions.look(request.id)
        called = nodes_called(now, request.node)
        there = self.with_decks(now.row.id, {*called}, now)
        # While the object store is away, it is not known which have published any: the first one says so.
        candidates = [node for node in called if node in there] or called[:1]
        if candidates:
            node = only_node(now, request.node, candidates, " that have a deck")
            found = self._deck(now, node, request.attempt)
            if found is not None:
                return structs.replace(found, name=now.plan.nodes[node].node.name)
        which = f"attempt {request.attempt} of node" if request.attempt else "node"
        raise UnknownDeck(
            f"{which} {request.node[:80]!r} of execution {now.row.id} has no deck; a task makes one with Deck(name, html)"
        )

    def with_decks(self, id_: str, tasks: AbstractSet[str], now: Snapshot | None) -> set[str]:
        """Return which of these tasks have decks."""
        found = {*self._logs.nodes_with_decks(id_, tasks)}
        if now is None:
            return found
        found |= tasks & now.state.decks.keys()
        return found | {
            node
            for node in tasks - found
            if (attempt := _running(now, NodeId(node)))
            and self._logs.has_published(id_, node, attempt)
        }

    def _deck(self, now: Snapshot, node: NodeId, attempt: int) -> DeckView | None:
        """Return the decks of an attempt, or of the last attempt that has any. Errors: `UnknownBlob`, `StoreDamaged`."""
        id_, running, frozen = now.row.id, _running(now, node), now.state.decks.get(node, {})
        if running and attempt in (0, running):
            page = self._logs.read_published(id_, node, running)
            if page is not None:
                return DeckView(node=node, attempt=running, html=_text(page), live=True)
        known = attempt or max(frozen, default=0)
        if known in frozen:
            page = b"".join(self._blobs.read(frozen[known]))
            return DeckView(node=node, attempt=known, html=_text(page), digest=frozen[known])
        kept = self._logs.read_deck(id_, node, attempt)
        if kept is None:
            return None
        return DeckView(node=node, attempt=kept[0], html=_text(kept[1].encode()))


def _running(now: Snapshot, node: NodeId) -> int:
    """Return the number of the task's attempt that may be running; 0 if there is none."""
    state = now.state.node(node)
    if state.phase.is_terminal or node in now.plan.scopes:
        return 0
    return state.attempt


def _text(page: bytes) -> str:
    return protected(page).decode(errors="replace")


def _cursor(seen: Seen) -> str:
    # A URL has little room.
    return urlsafe_b64encode(compress(msgspec.json.encode(seen))).decode()


def _seen(cursor: str) -> Seen:
    if cursor == BEGINNING:
        return Seen()
    if cursor.startswith("@") and (since := number(cursor[1:])) is not None:
        return Seen(since * 1000)
    try:
        unpacked = decompressobj().decompress(urlsafe_b64decode(cursor), MOST_UNPACKED)
        return msgspec.json.decode(unpacked, type=Seen)
    except (ValueError, zlib_error):
        raise no_cursor(cursor) from None


def no_cursor(cursor: str) -> InvalidValue:
    """Return the error for what is not a position in logs."""
    why = f"{cursor[:40]!r} is not a log cursor; use the `next` of an earlier reply, or 0"
    return InvalidValue(why, [Fault(("after",), why)])
