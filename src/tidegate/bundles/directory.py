"""
Bundles in a directory of this machine, each unpacked under its digest.

Rule 1: a bundle is stored completely or not at all: it is unpacked beside its final name, synced, and renamed. A modified one is replaced.
Rule 2: before `put` returns, every directory with a new name in it is synced.
"""

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from tidegate import disk
from tidegate.bundles.archive import Archive, check_archive, unpack
from tidegate.bundles.whole import LIST, check_whole
from tidegate.errors import CodeError, StoreError

MANY = 100
"""Number of paths from which one sync of everything is cheaper than one of each."""


class BundleDirectory:
    """An adapter of the port `Bundles`. The directory is made when the first bundle is stored."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, archive: Archive, /) -> bool:
        """Store a source tree; return whether it is new. Errors: `CodeError`, `StoreFull`, `StoreError`."""
        try:
            if self.has(archive.digest):
                # By another process, perhaps, which may not have synced it yet.
                self._settle()
                return False
            check_archive(archive)
            self._install(archive)
        except FileExistsError as error:
            raise StoreError(
                f"{error.filename} is not a directory: choose another directory for the store (--home)"
            ) from None
        except OSError as error:
            raise disk.failed(f"{self._root}: cannot be written", error) from None
        return True

    def has(self, digest: str, /) -> bool:
        """Return whether a bundle is stored completely. Errors: `CodeError` if this is not a digest."""
        return _is_whole(self._path(digest))

    def is_there(self, digest: str, /) -> bool:
        """Return whether a bundle seems to be stored: nothing of it is read."""
        return is_digest(digest) and (self._root / digest / LIST).is_file()

    def tree(self, digest: str, /) -> Path:
        """Return the directory of a source tree. Errors: `CodeError` if it is missing or was changed."""
        path = self._path(digest)
        check_whole(path)
        return path

    def damaged(self) -> list[str]:
        """Return what is wrong with the stored bundles, one line per bundle."""
        problems = []
        for path in sorted(self._root.glob("[0-9a-f]*")):
            try:
                check_whole(path)
            except CodeError as error:
                problems.append(error.message)
        return problems

    def remove_drafts(self) -> None:
        """Remove what killed processes have left beside the bundles."""
        disk.remove_drafts([*self._root.glob(".new-*"), *self._root.glob(".old-*")])

    def _path(self, digest: str) -> Path:
        if not is_digest(digest):
            raise CodeError(f"{digest[:80]!r} is not the digest of a bundle")
        return self._root / digest

    def _install(self, archive: Archive) -> None:
        disk.make_directory(self._root)
        path = self._path(archive.digest)
        try:
            with self._draft(".new-") as fresh:
                _sync(unpack(archive.body, fresh))
                if not _is_whole(
                    path
                ):  # otherwise another process was quicker, with the same contents
                    if path.exists():
                        # A damaged bundle is moved away by one rename, and removed.
                        with self._draft(".old-") as aside:
                            path.rename(aside / path.name)
                    fresh.rename(path)
        except OSError:
            if not _is_whole(path):
                raise
        self._settle()

    def _draft(self, prefix: str) -> AbstractContextManager[Path]:
        return disk.draft(partial(disk.new_directory, prefix, self._root))

    def _settle(self) -> None:
        disk.sync(self._root)
        disk.sync(self._root.parent)


def is_digest(text: str) -> bool:
    """Return whether this is the digest of something."""
    return len(text) == 64 and set(text) <= set("0123456789abcdef")


def _is_whole(path: Path) -> bool:
    try:
        check_whole(path)
    except CodeError:
        return False
    return True


def _sync(paths: Sequence[Path]) -> None:
    """Sync everything before the bundle gets its name: a power cut must not leave one that exists, but is empty."""
    if len(paths) > MANY:
        os.sync()
    else:
        for path in paths:
            disk.sync(path)
