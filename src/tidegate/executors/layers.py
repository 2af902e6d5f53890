"""Blobs for workers that write nothing in the home of the store: what is put stays in their own place, what is not there is read from the store."""

from collections.abc import Iterable, Iterator

from tidegate.blobs.directory import BlobDirectory
from tidegate.errors import UnknownBlob
from tidegate.ports.blobs import Blobs


class LayeredBlobs:
    """An adapter of the port `Blobs`, over two others: `own` takes what is put, `store` has what is not there."""

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
        """Return how many bytes are in the own place. Errors: `StoreError`."""
        return self._own.total()

    def read(self, digest: str, /) -> Iterator[bytes]:
        """Yield a blob in pieces. Errors: `UnknownBlob`, `StoreDamaged`."""
        try:
            self._own.size(digest)
        except UnknownBlob:
            return self._store.read(digest)
        return self._own.read(digest)


def layered(own: BlobDirectory, store: BlobDirectory) -> Blobs:
    """Return the blobs of workers that put theirs into one directory, which may be that of the store."""
    return own if own.root == store.root else LayeredBlobs(own, store)
