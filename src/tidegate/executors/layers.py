"""Blobs for workers that write nothing into the store's directory: they keep new ones in their own directory, and read others from the store."""

from collections.abc import Iterable, Iterator

from tidegate.blobs.directory import BlobDirectory
from tidegate.errors import UnknownBlob
from tidegate.ports.blobs import Blobs


class LayeredBlobs:
    """An adapter of the port `Blobs` over two others: `own` stores new blobs, `store` has the existing ones."""

    def __init__(self, own: Blobs, store: Blobs) -> None:
        self._own = own
        self._store = store

    def put(self, chunks: Iterable[bytes], /) -> str:
        """Store content; return its digest. Errors: `StoreFull`, `StoreError`."""
        return self._own.put(chunks)

    def size(self, digest: str, /) -> int:
        """Return the size of a blob in bytes. Errors: `UnknownBlob`, `StoreError`."""
        try:
            return self._own.size(digest)
        except UnknownBlob:
            return self._store.size(digest)

    def total(self) -> int:
        """Return the total size of `own` in bytes. Errors: `StoreError`."""
        return self._own.total()

    def beginning(self, digest: str, most: int, /) -> bytes:
        """Return at most this many of the first bytes. Errors: as of `read`."""
        return next(self.read(digest))[:most]

    def read(self, digest: str, /) -> Iterator[bytes]:
        """Yield a blob in pieces. Errors: `UnknownBlob`, `StoreDamaged`."""
        return self._holder(digest).read(digest)

    def part(self, digest: str, start: int, stop: int, /) -> Iterator[bytes]:
        """Yield bytes of a blob in pieces. Errors: `UnknownBlob`, `StoreDamaged`."""
        return self._holder(digest).part(digest, start, stop)

    def _holder(self, digest: str) -> Blobs:
        try:
            self._own.size(digest)
        except UnknownBlob:
            return self._store
        return self._own


def layered(own: BlobDirectory, store: BlobDirectory) -> Blobs:
    """Return the blobs for workers that store new ones in `own`, which may be the store's own directory."""
    return own if own.root == store.root else LayeredBlobs(own, store)
