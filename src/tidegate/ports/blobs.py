"""Where blobs are kept: contents of any size that values refer to, each known by its digest (SHA-256, 64 hexadecimal digits)."""

from collections.abc import Iterable, Iterator
from typing import Protocol


class Blobs(Protocol):
    """
    Contents by their digests. A blob never changes, so once stored it may be stored again, copied and cached by anybody.

    No local file is promised here: a value that becomes one is a private copy, made of what `read` yields.
    """

    def put(self, chunks: Iterable[bytes], /) -> str:
        """
        Store a content that comes in pieces; return its digest. On return it survives a power cut.

        Storing a damaged blob again repairs it. Errors: `StoreFull`, `StoreError`; then nothing is stored.
        """
        ...

    def size(self, digest: str, /) -> int:
        """Return how many bytes a blob has. Errors: `UnknownBlob`, also if this is not a digest; `StoreError`."""
        ...

    def total(self) -> int:
        """Return how many bytes all blobs have together, after reading the size of each; concurrent writes may be counted or not. Errors: `StoreError`."""
        ...

    def beginning(self, digest: str, most: int, /) -> bytes:
        """Return at most this many of the first bytes, to tell what a blob is; the rest need not be read, nor checked. Errors: as of `read`."""
        ...

    def read(self, digest: str, /) -> Iterator[bytes]:
        """
        Yield a blob in pieces, the last one only when all of them are known to be correct.

        Errors, before the first piece or instead of the last: `UnknownBlob`, `StoreDamaged`, `StoreError`.
        """
        ...

    def part(self, digest: str, start: int, stop: int, /) -> Iterator[bytes]:
        """
        Yield the bytes from `start` up to `stop` in pieces, fewer if the blob ends before.

        Also of a part it is known that the whole is correct, as far as it has not changed since that was checked.
        Errors, before the first piece: `UnknownBlob`, `StoreDamaged`, `StoreError`.
        """
        ...
