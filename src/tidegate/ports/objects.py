"""
Between the process that owns a store and its workers, if the files of the store are in an object store.

Workers run code of others, so they have no credentials: they ask the owner, through a socket in its home, for copies of what they read,
and to store what they have made. The files themselves are exchanged in a directory that both can reach.
"""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, Literal, Protocol

from msgspec import Struct

from tidegate.ports.blobs import Blobs

SOCKET: Final = "objects.sock"
"""The socket in the home of a store."""


class FileWanted(Struct, frozen=True, omit_defaults=True):
    """What a worker asks for: how large a blob is, a copy of one, to store a copy, the tree of a bundle, to store the log of an attempt."""

    what: Literal["size", "fetch", "send", "tree", "log"]
    digest: str = ""
    execution: str = ""
    node: str = ""
    attempt: int = 0


class FileGot(Struct, frozen=True, omit_defaults=True):
    """The reply: the size or the path of what was asked for; or an error, by its code."""

    size: int = 0
    path: str = ""
    code: str = ""
    message: str = ""


class ObjectsKey(Struct, frozen=True):
    """By what a process elsewhere opens the same object store, with credentials of its own: a function (`module:name`), the address, the number of the store."""

    opens: str
    address: str
    number: str


class OpensObjects(Protocol):
    """Such a function."""

    def __call__(self, home: Path, address: str, number: str) -> "Objects":
        """Open the object store for a process whose files are in `home`, and serve its workers there. Errors: `StoreError`, which says what is wrong."""
        ...


class Objects(Protocol):
    """What the executor of a process knows of the object store of its store. Called from any thread."""

    @property
    def key(self) -> ObjectsKey:
        """By what processes elsewhere open it."""
        ...

    @property
    def files(self) -> Blobs:
        """The blobs, for what the process itself stores."""
        ...

    @property
    def why(self) -> str:
        """Why the object store is away; empty if it is not."""
        ...

    def follow(self, execution: str, node: str, attempt: int) -> None:
        """Make what an attempt prints and publishes readable elsewhere, while it runs."""
        ...

    def elsewhere(self) -> AbstractContextManager[Path]:
        """Serve workers in a temporary home, which this yields, instead of in that of the store."""
        ...

    def close(self) -> None:
        """End what serves workers."""
        ...

    def settle(self, execution: str, node: str, attempt: int) -> None:
        """Store the log of an attempt that has ended."""
        ...
