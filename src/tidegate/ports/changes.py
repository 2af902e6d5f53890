"""What has happened to all executions, in the order of commits: to be read from a cursor on, and to be told of."""

from typing import Protocol

from msgspec import Struct

from tidegate.ports.journal import Key


class FeedRow(Struct, frozen=True):
    """One line of history among those of all executions. `place` numbers them in the order of commits; there may be gaps."""

    place: int
    key: Key
    seq: int
    body: bytes
    id: str
    workflow_name: str
    project: str
    domain: str


class Changes(Protocol):
    """The journal of all executions, read from a position on. Called from any thread. Errors: `StoreError`."""

    def feed(self, after: int, limit: int, key: Key | None = None) -> list[FeedRow]:
        """Return the history of all executions, or of one, that stands after a place, in the order of commits."""
        ...

    def last_place(self) -> int:
        """Return the place of the last line of history, 0 if there is none."""
        ...
