"""
Blobs in an object store, with local copies.

Rule 1: a blob is written to a local file first, which says its digest, and then sent; `put` returns when the store has it. Only then is the file a copy:
        a copy of the same content may be another's, who waits for the store to be back.
Rule 2: a read is checked: a copy is made only of what has the right digest, and what is too large for a copy is checked while it is read.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from tidegate import disk
from tidegate.blobs.directory import CHUNK, CURE, check_digest
from tidegate.errors import StoreDamaged, StoreError, UnknownBlob
from tidegate.objects.bucket import Bucket
from tidegate.objects.cache import Copies
from tidegate.objects.contents import Contents

FOLDER = "blobs"


class ObjectBlobs:
    """An adapter of the port `Blobs`."""

    def __init__(self, bucket: Bucket, cache: Copies) -> None:
        self._contents = Contents(bucket, FOLDER)
        self._cache = cache

    def put(self, chunks: Iterable[bytes], /) -> str:
        """Store a content that comes in pieces; return its digest. Errors: `ObjectsAway`, `StoreFull`, `StoreError`; exceptions of the pieces."""
        digest = self._cache.blobs.put_sent(chunks, self._send)
        self._cache.grew(self._cache.path(digest).stat().st_size)
        return digest

    def send(self, digest: str) -> None:
        """Store a blob whose content is in the local copies, where it stays if that fails. Errors: `UnknownBlob` if it is not; as above."""
        path = self._cache.path(digest)
        try:
            self._send(digest, path)
        except FileNotFoundError:
            raise _unknown(digest) from None
        except OSError as error:
            raise disk.failed(f"the blob {digest} cannot be sent", error) from error
        finally:
            self._cache.use(path)
        self._cache.grew(path.stat().st_size)

    def _send(self, digest: str, path: Path) -> None:
        with self._contents.turn(digest):
            self._contents.send(digest, path)

    def size(self, digest: str, /) -> int:
        """Return how many bytes a blob has. Errors: `UnknownBlob`, `ObjectsAway`, `StoreError`."""
        check_digest(digest)
        size = self._contents.size(digest)
        if size is None:
            raise _unknown(digest)
        return size

    def total(self) -> int:
        """Return how many bytes all blobs have together. Errors: `ObjectsAway`, `StoreError`."""
        return sum(size for _, size in self._contents.digests())

    def digests(self) -> Iterator[str]:
        """Yield the digest of every blob. Errors: as above."""
        for digest, _ in self._contents.digests():
            yield digest

    def read(self, digest: str, /) -> Iterator[bytes]:
        """Yield a blob in pieces, the last one only if all of them are correct. Errors: `UnknownBlob`, `StoreDamaged`, `ObjectsAway`, `StoreError`."""
        check_digest(digest)
        if not self.fetch(digest):
            yield from self._checked(digest)
            return
        yield from self._of_copy(digest, self._cache.blobs.read(digest))

    def part(self, digest: str, start: int, stop: int, /) -> Iterator[bytes]:
        """Yield bytes of a blob in pieces, after the whole was checked, here or where it is stored. Errors: as above."""
        if self.fetch(digest):
            yield from self._of_copy(digest, self._cache.blobs.part(digest, start, stop))
            return
        stop = min(stop, self.size(digest))
        if not self._contents.is_whole(digest):
            raise _damaged(digest)
        for at in range(start, stop, CHUNK):
            yield self._contents.part(digest, at, min(at + CHUNK, stop))

    def _of_copy(self, digest: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
        try:
            yield from pieces
        except StoreDamaged:
            self._cache.drop(digest)
            raise StoreError(
                f"the local copy of the blob {digest} was damaged: try again"
            ) from None

    def beginning(self, digest: str, most: int, /) -> bytes:
        """Return the first bytes of a blob, without those after them. Errors: as above."""
        check_digest(digest)
        if self._cache.use(self._cache.path(digest)):
            return next(self._cache.blobs.read(digest))[:most]
        try:
            return self._contents.part(digest, 0, most)
        except FileNotFoundError:
            raise _unknown(digest) from None

    def fetch(self, digest: str, *, however_large: bool = False) -> bool:
        """Make a local copy; return whether it is there: of what is too large, none is made, unless that is wanted. Errors: as above."""
        check_digest(digest)
        path = self._cache.path(digest)
        if self._cache.use(path):
            return True
        if not however_large and self.size(digest) > self._cache.bound // 4:
            return False
        with self._contents.turn(digest):
            if self._cache.use(path):
                return True
            try:
                got = self._cache.blobs.put(self._contents.read(digest))
            except FileNotFoundError:
                raise _unknown(digest) from None
        if got != digest:
            self._cache.drop(got)
            raise _damaged(digest)
        self._cache.grew(path.stat().st_size)
        return True

    def _checked(self, digest: str) -> Iterator[bytes]:
        seen, held = hashlib.sha256(), b""
        try:
            for piece in self._contents.read(digest):
                seen.update(piece)
                if held:
                    yield held
                held = piece
        except FileNotFoundError:
            raise _unknown(digest) from None
        if seen.hexdigest() != digest:
            raise _damaged(digest)
        yield held


def _unknown(digest: str) -> UnknownBlob:
    return UnknownBlob(f"no blob with the digest {digest} is stored; {CURE}")


def _damaged(digest: str) -> StoreDamaged:
    return StoreDamaged(f"the blob {digest} is damaged: its content has another digest; {CURE}")
