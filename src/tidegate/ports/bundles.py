"""Where bundles are kept: the source trees that executions travel with, each known by the digest of its archive."""

from pathlib import Path
from typing import Protocol

from tidegate.bundles.archive import Archive


class Bundles(Protocol):
    """Source trees by their digests. A bundle is stored completely or not at all, and a modified one is never imported."""

    def put(self, archive: Archive, /) -> bool:
        """
        Store a source tree; return whether it is new. On return it survives a power cut.

        Storing a damaged bundle again repairs it.
        Errors: `CodeError` if the archive does not match its digest, or contains what a source tree cannot; `StoreFull`, `StoreError`.
        """
        ...

    def has(self, digest: str, /) -> bool:
        """Return whether a bundle is stored completely. Errors: `CodeError` if this is not a digest."""
        ...

    def is_there(self, digest: str, /) -> bool:
        """Return whether a bundle seems to be stored: nothing of it is read, so this costs microseconds."""
        ...

    def tree(self, digest: str, /) -> Path:
        """
        Return a directory of this machine with the source tree, to import from and never to write to.

        Errors: `CodeError` if it is missing or was changed, naming the file and what to do.
        """
        ...

    def damaged(self) -> list[str]:
        """Return what is wrong with the stored bundles, one line per bundle."""
        ...
