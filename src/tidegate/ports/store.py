"""A database, whole: what the engine and the service ask of it, and what an operator does."""

from typing import Protocol

from tidegate.ports.access import Access
from tidegate.ports.catalog import Catalog
from tidegate.ports.changes import Changes
from tidegate.ports.journal import Journal
from tidegate.ports.listings import Listings


class Store(Journal, Listings, Catalog, Access, Changes, Protocol):
    """Everything that is kept, in one database: a batch of the journal changes what lists show in the same transaction."""

    def problems(self) -> list[str]:
        """Check the file itself: integrity, foreign keys, gaps in the history; one line a problem."""
        ...

    def close(self) -> None:
        """Let go of the files."""
        ...
