"""What the ports of a store need of its database, whichever it is: its statements by name, and connections that run them."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from tidegate.errors import StoreError
from tidegate.stores.rows import Bindings, Row


class SchemaBehind(StoreError):
    """The database has no store yet, or one of an older version: its owner makes it, and brings it up to date."""

    code = "schema_behind"


class SqlRows(Protocol):
    """The rows of a statement."""

    def __iter__(self) -> Iterator[Row]: ...

    def fetchall(self) -> list[Row]:
        """Return all rows that are left."""
        ...


class SqlConnection(Protocol):
    """A connection that nobody else uses meanwhile."""

    def execute(self, statement: str, bindings: Any = ..., /) -> SqlRows:
        """Run a statement with its parameters: by name, or in the order of their numbers."""
        ...

    def executemany(self, statement: str, bindings: Iterable[Any], /) -> object:
        """Run a statement once for each of these."""
        ...


class Database(Protocol):
    """An open database. Errors: `StoreError` and below."""

    @property
    def name(self) -> str:
        """Its name in messages."""
        ...

    @property
    def sql(self) -> Mapping[str, str]:
        """Its statements by name: the shared ones, and its own."""
        ...

    def transaction(self) -> AbstractContextManager[SqlConnection]:
        """Give the connection that writes, inside a transaction, which is committed at the end or rolled back as a whole."""
        ...

    def snapshot(self) -> AbstractContextManager[SqlConnection]:
        """Give a connection that reads, on which several statements see one moment."""
        ...

    def stream(
        self, connection: SqlConnection, statement: str, bindings: Bindings, /
    ) -> Iterator[Row]:
        """Return the rows of a statement, read only as far as they are taken."""
        ...

    def rows(self, statement: str, bindings: Bindings, /) -> list[Row]:
        """Return the rows of a statement."""
        ...

    def value(self, statement: str, bindings: Bindings, /) -> Any:
        """Return the first value of a statement's first row."""
        ...


class Candidates(Protocol):
    """Finds the rows with a text without reading a list."""

    def executions(self, connection: SqlConnection, text: str) -> list[Row] | None:
        """Return key, part, series and launch of the executions whose id has a folded text; None if they are many, or that is unknown."""
        ...

    def waits(self, connection: SqlConnection, text: str) -> list[Row] | None:
        """Return place, key, node, kind and series of the waits with a folded text; None as above."""
        ...
