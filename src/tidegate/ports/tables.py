"""What reads rows of large values: elsewhere than in the engine's process, within limits."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, Literal, Protocol, TypeAlias

from msgspec import Struct

Form: TypeAlias = Literal["records", "csv", "tsv", "parquet", "arrow", "npy"]
"""How a table is written; `records` is a value in JSON."""


class TableSource(Struct, frozen=True):
    """A value that may be a table: its digest, how it is written, how many bytes it has, and what yields them."""

    key: str
    form: Form
    size: int
    pieces: Callable[[], Iterable[bytes]]


class TableAsk(Struct, frozen=True):
    """What is asked of a table: a page of its `rows`, or a `profile` of its columns."""

    what: Literal["rows", "profile"]
    query: dict[str, Any]


class Tables(Protocol):
    """Reads tables, one request of a principal after the other."""

    def ask(self, source: TableSource, ask: TableAsk, who: str) -> "Future[bytes]":
        """
        Have something read; the future's result is JSON. It may be cancelled as long as it waits.

        Errors, here or of the future: `TablesMissing` if what reads them is not installed, `NotATable`, `TableTooLarge` beyond the limits of bytes, time or
        memory, `InvalidValue` for a wrong query, `RateLimited`, `StoreError`.
        """
        ...

    def close(self) -> None:
        """End what reads. What waits is refused."""
        ...
