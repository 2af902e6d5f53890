"""A complete database: the ports that it implements, and an operator's actions on it."""

from collections.abc import Callable
from typing import Protocol

from tidegate.ports.access import Access
from tidegate.ports.audit import Audit
from tidegate.ports.catalog import Catalog
from tidegate.ports.changes import Changes
from tidegate.ports.journal import Journal
from tidegate.ports.listings import Listings
from tidegate.ports.reports import AttemptReports
from tidegate.ports.shares import StoreShares

Progress = Callable[[int, int], None]
"""Called with how many executions are done and how many there are."""


class Store(Protocol):
    """Everything stored, in one database: an append to the journal changes what lists show in the same transaction."""

    @property
    def journal(self) -> Journal:
        """The history of executions."""
        ...

    @property
    def listings(self) -> Listings:
        """What lists show."""
        ...

    @property
    def catalog(self) -> Catalog:
        """The registered workflows."""
        ...

    @property
    def access(self) -> Access:
        """Tokens and sessions."""
        ...

    @property
    def audit(self) -> Audit:
        """Who did what, and who was refused."""
        ...

    @property
    def changes(self) -> Changes:
        """What happens to all executions."""
        ...

    @property
    def shares(self) -> StoreShares | None:
        """The shards that this process owns of a store that many servers can share; None if it has all of it."""
        ...

    @property
    def reports(self) -> AttemptReports | None:
        """The reports on attempts that go on while their shard changes hands; None if none does."""
        ...

    def is_owned(self) -> bool:
        """Return whether a process owns it now, as far as the database itself says."""
        ...

    def on_access(self, call: Callable[[], None]) -> None:
        """Call this when another process has changed tokens or sessions."""
        ...

    def problems(self) -> list[str]:
        """Check the database itself: integrity, references, gaps in the history, counters; one line per problem."""
        ...

    def rebuild(self, progress: Progress) -> None:
        """Rebuild what lists show, from the journal. Damaged executions are left out, and named in the log."""
        ...

    def close(self) -> None:
        """Close the files."""
        ...
