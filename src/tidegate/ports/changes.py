"""
Changes: what happens to all executions, in the order of commits; to be read after a cursor, and to be subscribed to.

A cursor is opaque text: here the position of one line, elsewhere perhaps a position for each part of the store.
"""

from collections.abc import Callable, Mapping
from typing import NewType, Protocol

from msgspec import Struct

from tidegate.core.state import ExecutionPhase
from tidegate.ports.journal import Key

Cursor = NewType("Cursor", str)
"""How far a reader is in the history of all executions."""

Touched = Mapping[Key, ExecutionPhase]
"""The executions that a commit has changed, and the phase of each after it."""


class ChangeRow(Struct, frozen=True):
    """One line of history among those of all executions; `cursor` is the mark after it."""

    cursor: Cursor
    key: Key
    seq: int
    body: bytes
    id: str
    workflow_name: str
    project: str
    domain: str


class Usage(Struct, frozen=True):
    """What lines of history have added for a project: how many executions were launched, and bytes of history."""

    project: str
    launches: int
    written: int


class Changes(Protocol):
    """The journal of all executions, and its subscribers. Called from any thread. Errors: `StoreError`."""

    def latest(self) -> Cursor:
        """Return the cursor after the last line."""
        ...

    def resume(self, text: str) -> Cursor:
        """
        Return the cursor that a reader has kept; one beyond the end (the store was recreated since) becomes the latest.

        Errors: `InvalidValue` for an invalid cursor.
        """
        ...

    def after(self, cursor: Cursor, limit: int, key: Key | None = None) -> list[ChangeRow]:
        """Return the lines of all executions, or of one, after a cursor, in the order of commits."""
        ...

    def usage(self, cursor: Cursor, limit: int) -> tuple[list[Usage], Cursor]:
        """Return what the lines after a cursor have added, up to a limit of lines, and the cursor after those."""
        ...

    def subscribe(self, call: Callable[[Touched], None]) -> Callable[[], None]:
        """Call this function after each commit; it must be quick. The returned function ends that."""
        ...

    def announce(self, touched: Touched) -> None:
        """Tell the subscribers what a commit has changed. Called by the code that appended, once callers have their replies."""
        ...
