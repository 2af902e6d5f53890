"""Where bundles are kept: the source trees that executions travel with, each known by the digest of its archive."""

from pathlib import Path
from typing import Protocol

from tidegate.bundles.archive import Archive


class Bundles(Protocol):
    """Source trees by their digests. A bundle is there whole or not at all, and what was changed since is never imported."""

    def put(self, archive: Archive, /) -> bool:
        """
        Keep a source tree; return whether it was not there before. On return it survives a power cut.

        A bundle that is damaged is whole again after it was put again.
        Errors: `CodeError` if the archive is not what it says, or holds what no source tree holds; `StoreFull`, `StoreError`.
        """
        ...

    def has(self, digest: str, /) -> bool:
        """Return whether a bundle is there, whole. Errors: `CodeError` if this is not a digest."""
        ...

    def is_there(self, digest: str, /) -> bool:
        """Return whether a bundle seems to be there: nothing of it is read, so this costs microseconds."""
        ...

    def tree(self, digest: str, /) -> Path:
        """
        Return a directory of this machine with the source tree, to import from and never to write in.

        Errors: `CodeError` if it is missing or was changed, naming the file and what to do.
        """
        ...

    def damaged(self) -> list[str]:
        """Return what is wrong with the bundles that are there, one line a bundle."""
        ...
