"""
Local copies of what an object store has, up to a bound: the ones that were used least recently are removed first.

Rule 1: every copy is under its digest, and checked when it is read; so a damaged one is fetched again.
Rule 2: what was used within the last minute stays: a worker may be about to read it.
"""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from tidegate.blobs.directory import BlobDirectory
from tidegate.bundles.directory import BundleDirectory

MOST: Final = 10 * 1024**3
"""Bytes of all copies, or a tenth of the disk if that is less."""

RECENT: Final = 60.0
"""Seconds."""

KEPT: Final = 0.8
"""How much of the bound is left after a removal, so that not every new copy leads to one."""


class _Copy(NamedTuple):
    used: float
    size: int
    path: Path


class Copies:
    """The copies below a directory. May be used from any thread, and beside other processes."""

    def __init__(self, root: Path, most: int | None = None) -> None:
        self.blobs = BlobDirectory(root / "blobs", sync=False)
        self.bundles = BundleDirectory(root / "bundles")
        self._root = root
        self._most = most
        self._lock = threading.Lock()
        self._grown: int | None = None
        """Bytes at most, since they were counted last; None if they have not been."""

    def path(self, digest: str) -> Path:
        """Return where the copy of a blob is, or would be."""
        return self.blobs.path(digest)

    def use(self, path: Path) -> bool:
        """Note that a copy is used; return whether there is one."""
        try:
            os.utime(path)
        except OSError:
            return False
        return True

    def drop(self, digest: str) -> None:
        """Remove the copy of a blob."""
        with suppress(OSError):
            self.path(digest).unlink()

    def grew(self, size: int) -> None:
        """Note a new copy, and remove others if there are too many."""
        with self._lock:
            if self._grown is None:
                self._grown = sum(each.size for each in self._copies())
            else:
                self._grown += size
            if self._grown > self.bound:
                self._trim()

    @property
    def bound(self) -> int:
        """Bytes that the copies may have together."""
        if self._most is None:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._most = min(MOST, shutil.disk_usage(self._root).total // 10)
        return self._most

    def _trim(self) -> None:
        copies = sorted(self._copies())
        total = sum(each.size for each in copies)
        before = time.time_ns() / 1e9 - RECENT
        for each in copies:
            if total <= self.bound * KEPT or each.used > before:
                break
            if each.path.is_dir():
                shutil.rmtree(each.path, ignore_errors=True)
            else:
                each.path.unlink(missing_ok=True)
            total -= each.size
        self._grown = total

    def _copies(self) -> Iterator[_Copy]:
        for path in self._root.glob("blobs/[0-9a-f][0-9a-f]/*"):
            with suppress(OSError):
                found = path.stat()
                yield _Copy(found.st_mtime, found.st_size, path)
        for path in self._root.glob("bundles/[0-9a-f]*"):
            with suppress(OSError):
                files = [each.stat() for each in path.rglob("*")]
                yield _Copy(path.stat().st_mtime, sum(each.st_size for each in files), path)
