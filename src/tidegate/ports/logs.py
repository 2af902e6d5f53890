"""What tasks leave for people to read: their output, and the decks that they publish while they run. See `tidegate.logs`."""

from collections.abc import Collection
from typing import Protocol

from tidegate.logs import AttemptText, Seen


class AttemptLogs(Protocol):
    """The outputs and published decks of attempts, wherever these run. Called from any thread. Errors: `StoreError`."""

    @property
    def are_everywhere(self) -> bool:
        """Whether all servers that share a store read the same."""
        ...

    def read(self, execution: str, node: str | None = None) -> list[AttemptText]:
        """Return the output of the attempts of an execution, or of one node of it, by node and attempt."""
        ...

    def news(self, execution: str, node: str | None, seen: Seen) -> tuple[list[AttemptText], Seen]:
        """Return what was printed since a reader's position, and the new position. For running attempts, complete lines; of very much, a part."""
        ...

    def end(self, execution: str, node: str | None) -> Seen:
        """Return the position of a reader who has read everything printed until now."""
        ...

    def take_in(
        self, execution: str, node: str, attempt: int, body: bytes, start: int, *, whole: bool
    ) -> None:
        """Keep what an attempt elsewhere has printed: from a place on while it runs, or `whole`, once it has ended."""
        ...

    def publish_deck(self, execution: str, node: str, attempt: int, page: bytes) -> None:
        """Keep the decks of a running attempt, replacing earlier ones. Errors: also `OSError`."""
        ...

    def read_published(self, execution: str, node: str, attempt: int) -> bytes | None:
        """Return the decks that an attempt has published; None if there are none."""
        ...

    def has_published(self, execution: str, node: str, attempt: int) -> bool:
        """Whether an attempt has published decks."""
        ...

    def remove_published(self, execution: str, node: str, attempt: int) -> None:
        """Remove what an attempt has published, once it has ended. Errors: also `OSError`."""
        ...

    def read_deck(self, execution: str, node: str, attempt: int = 0) -> tuple[int, str] | None:
        """Return the decks that an earlier version kept of an attempt, or of the last one that has any, with its number; None if there are none."""
        ...

    def nodes_with_decks(self, execution: str, among: Collection[str]) -> frozenset[str]:
        """Return which of these nodes of an execution have decks that an earlier version kept."""
        ...
