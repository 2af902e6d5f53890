"""Bundles in an object store, each as its archive; the trees that are imported are local copies, and made again if one was changed."""

from pathlib import Path

from tidegate.bundles.archive import Archive, archive_of, check_archive
from tidegate.bundles.directory import is_digest
from tidegate.bundles.whole import CURE
from tidegate.errors import CodeError, ObjectsAway
from tidegate.objects.bucket import Bucket
from tidegate.objects.cache import Copies
from tidegate.objects.contents import Contents

FOLDER = "bundles"


class ObjectBundles:
    """An adapter of the port `Bundles`."""

    def __init__(self, bucket: Bucket, cache: Copies) -> None:
        self._contents = Contents(bucket, FOLDER)
        self._cache = cache

    def put(self, archive: Archive, /) -> bool:
        """Store a source tree; return whether it is new. Errors: `CodeError`, `ObjectsAway`, `StoreFull`, `StoreError`."""
        _check(archive.digest)
        check_archive(archive)
        # What cannot be unpacked is refused before it is sent.
        self._cache.bundles.put(archive)
        self._cache.grew(len(archive.body))
        with self._contents.turn(archive.digest):
            return self._contents.send(archive.digest, archive.body)

    def has(self, digest: str, /) -> bool:
        """Return whether a bundle is stored completely. Errors: `CodeError` if this is not a digest; `ObjectsAway`."""
        _check(digest)
        return self._contents.is_whole(digest)

    def is_there(self, digest: str, /) -> bool:
        """Return whether a bundle seems to be stored. While the store is away, it does."""
        if not is_digest(digest):
            return False
        try:
            return self._contents.size(digest) is not None
        except ObjectsAway:
            return True

    def tree(self, digest: str, /) -> Path:
        """Return the directory of a source tree. Errors: `CodeError` if it is missing or damaged; `ObjectsAway`, `StoreError`."""
        _check(digest)
        copies = self._cache.bundles
        try:
            path = copies.tree(digest)
        except CodeError:
            with self._contents.turn(digest):
                copies.put(self.archive(digest))
            path = copies.tree(digest)
            self._cache.grew(0)
        self._cache.use(path)
        return path

    def archive(self, digest: str) -> Archive:
        """Return a bundle as it is stored. Errors: as above."""
        where = f"{self._contents.bucket.address}/{self._contents.name(digest)}"
        try:
            found = archive_of(b"".join(self._contents.read(digest)))
        except FileNotFoundError:
            raise CodeError(
                f"the code of this workflow is missing: there is no {where}; {CURE}"
            ) from None
        if found.digest != digest:
            raise CodeError(f"{where} ({digest}): was changed after it was packed; {CURE}")
        return found

    def digests(self) -> list[str]:
        """Return the digest of every bundle. Errors: `ObjectsAway`, `StoreError`."""
        return [digest for digest, _ in self._contents.digests()]

    def damaged(self) -> list[str]:
        """Return what is wrong with the stored bundles, one line per bundle. Errors: as above."""
        problems = []
        for digest in self.digests():
            try:
                self.archive(digest)
            except CodeError as error:
                problems.append(error.message)
        return problems

    def remove_drafts(self) -> None:
        """Remove what killed processes have left among the copies."""
        self._cache.bundles.remove_drafts()


def _check(digest: str) -> None:
    if not is_digest(digest):
        raise CodeError(f"{digest[:80]!r} is not the digest of a bundle")
