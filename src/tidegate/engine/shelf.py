"""
What is stored of attempts that have not started.

An attempt that starts has a unique number. For most attempts a later owner cannot know whether they started on a host that died, so
it gives them another. For those that are held, or that the host never reached, it can: they are stored here, and none of them starts before its row is deleted.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence

from tidegate.errors import StoreError
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import Instant
from tidegate.ports.executor import Attempt
from tidegate.ports.journal import HeldRow, Journal, Key

MOST_SAID = 2_000
"""Characters kept of the reason for which an attempt is held."""

log = logging.getLogger(__name__)


class Shelf:
    """The rows of the attempts that have not started. Used on the engine's thread."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._rows: dict[tuple[Key, NodeId], HeldRow] = {}
        self._new: dict[tuple[Key, NodeId], HeldRow] = {}
        self._tried: dict[tuple[Key, NodeId], HeldRow] = {}
        """Those that were handed over, and may turn out not to start."""
        self._unbegun: dict[Key, dict[NodeId, int]] = {}

    def take_up(self, active: Collection[Key]) -> None:
        """Read what the owners before have left, and forget rows of executions that have ended. Errors: `StoreError`."""
        self._rows = {(row.key, row.node): row for row in self._journal.held()}
        living = set(active)
        self.forget(each for each in list(self._rows) if each[0] not in living)
        self._unbegun = {}
        for row in self._rows.values():
            self._unbegun.setdefault(row.key, {})[row.node] = row.attempt

    def unbegun(self, key: Key) -> dict[NodeId, int]:
        """Return which attempts of an execution did not start with the owners before, by node."""
        return self._unbegun.get(key, {})

    def since(self, attempt: Attempt, code: str) -> Instant | None:
        """Return since when an attempt has been held for a reason, if an owner before this one has stored that."""
        node = attempt.key, attempt.node
        row = self._rows.get(node) or self._tried.get(node)
        known = row is not None and (row.attempt, row.code) == (attempt.number, code)
        return row.since if row is not None and known else None

    def add(self, attempt: Attempt, code: str, why: str, since: Instant) -> None:
        """Store an attempt that has not started, with the next `keep`."""
        node = attempt.key, attempt.node
        row = self._new.get(node) or self._rows.get(node)
        if row is None or (row.attempt, row.code) != (attempt.number, code):
            self._tried.pop(node, None)
            self._new[node] = HeldRow(*attempt, code, why[:MOST_SAID], since)

    def keep(self) -> None:
        """Store what was added. If that fails, these attempts may get another number from the next owner."""
        if not self._new:
            return
        new, self._new = self._new, {}
        try:
            self._journal.hold(list(new.values()))
        except StoreError as error:
            log.debug("%d attempts are held, and that could not be stored: %s", len(new), error)
        else:
            self._rows |= new

    def release(self, nodes: Sequence[tuple[Key, NodeId]]) -> None:
        """Delete attempts that are about to start. Errors: `StoreError`, and then none of them may start."""
        stored = {each: self._rows[each] for each in nodes if each in self._rows}
        if stored:
            self._journal.release(list(stored))
        self._drop(nodes)
        self._tried |= stored

    def leave(self, serves: Callable[[Key], bool]) -> None:
        """Forget what others own by now; what is stored of it is theirs."""
        for rows in (self._rows, self._new, self._tried):
            for node in [node for node in rows if not serves(node[0])]:
                del rows[node]

    def began(self, key: Key, node: NodeId) -> None:
        """Record that an attempt has started."""
        if self._tried:
            self._tried.pop((key, node), None)

    def forget(self, nodes: Iterable[tuple[Key, NodeId]]) -> None:
        """Delete what is no longer wanted. If that fails, the next owner deletes it."""
        gone = list(nodes)
        try:
            self.release(gone)
        except StoreError as error:
            log.debug(
                "%d attempts are no longer held, and that could not be stored: %s", len(gone), error
            )
            self._drop(gone)
        for node in gone:
            self.began(*node)

    def _drop(self, nodes: Iterable[tuple[Key, NodeId]]) -> None:
        if self._rows or self._new:
            for each in nodes:
                self._rows.pop(each, None)
                self._new.pop(each, None)
