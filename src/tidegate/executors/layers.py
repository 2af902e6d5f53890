"""Blobs for workers that write nothing in the home of the store: new ones go to a directory of their own, others are read from the store."""

from collections.abc import Iterable, Iterator

from tidegate.blobs.directory import BlobDirectory
from tidegate.errors import UnknownBlob
from tidegate.ports.blobs import Blobs


class LayeredBlobs:
    """An adapter of the port `Blobs`, over two others: `own` stores new blobs, `store` has the others."""

    def __init__(self, own: Blobs, store: Blobs) -> None:
        self._own = own
        self._store = store

    def put(self, chunks: Iterable[bytes], /) -> str:
        """Keep a content; return its digest. Errors: `StoreFull`, `StoreError`."""
        return self._own.put(chunks)

    def size(self, digest: str, /) -> int:
        """Return how many bytes a blob has. Errors: `UnknownBlob`, `StoreError`."""
        try:
            return self._own.size(digest)
        except UnknownBlob:
            return self._store.size(digest)

    def total(self) -> int:
        """Return how many bytes are in `own`. Errors: `StoreError`."""
        return self._own.total()

    def read(self, digest: str, /) -> Iterator[bytes]:
        """Yield a blob in pieces. Errors: `UnknownBlob`, `StoreDamaged`."""
        try:
            self._own.size(digest)
        except UnknownBlob:
            return self._store.read(digest)
        return self._own.read(digest)


def layered(own: BlobDirectory, store: BlobDirectory) -> Blobs:
    """Return the blobs of workers that store theirs in one directory, which may be that of the store."""
    return own if own.root == store.root else LayeredBlobs(own, store)
