"""
Room set aside on the disk of a store: a file that releases its blocks when the disk is full, so that an abort or a failure can still be recorded.

Rule 1: it releases an eighth at a time, and takes the rest of it back at once: whatever fills the disk keeps doing so.
Rule 2: it restores itself only when it leaves as much free as it holds; else it would take the room that answers need.

Used by the owner of the store, one thread at a time. A copy-on-write file system may have no room all the same.
"""

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from tidegate import disk
from tidegate.errors import StoreFull
from tidegate.stores.folder import full

RESERVE_NAME: Final = "reserve"

MOST: Final = 4 * 1024 * 1024
"""Bytes. Measured: an abort takes 33 KB of SQLite's log, and 2 MB if the execution has 10,000 open gates, which is the most."""

SHARE: Final = 16
"""On a disk smaller than `MOST` times this, this fraction."""

PIECES: Final = 8

BLOCK: Final = 4096

T = TypeVar("T")

log = logging.getLogger(__name__)


class Reserve:
    """The file in the directory of a store. Nothing here raises except `lend`: a store works without it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / RESERVE_NAME
        self._whole = 0
        with suppress(OSError):
            found = os.statvfs(folder)
            share = found.f_blocks * found.f_frsize // SHARE
            self._whole = min(MOST, share) // BLOCK * BLOCK

        self._found = self.size

    @property
    def size(self) -> int:
        """How many bytes are set aside."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def restore(self) -> bool:
        """Set aside what is missing if there is room; return whether everything is set aside, and as much again is free."""
        size = self.size
        if self._free() < self._whole - size + self._whole:
            return False
        return size >= self._whole or self._grow(size, self._whole)

    def lend(self, act: Callable[[], T]) -> T:
        """Retry an operation that failed for lack of room, releasing more and more of the reserve. Errors: `StoreFull` if all of it is not enough."""
        before = self.size
        try:
            while self._release():
                with suppress(StoreFull):
                    return act()
            raise full(str(self._path.parent))
        finally:
            self._take_back(before)

    def give_up(self) -> None:
        """Take back what this owner of the store has used for itself."""
        self._take_back(self._found)

    def _take_back(self, before: int) -> None:
        """Set aside again what is left, up to as much as there was before."""
        size = self.size
        most = min(before, size + self._free()) // BLOCK * BLOCK
        # What is free and what can be allocated differ by the file system's own needs.
        while most > size and not self._grow(size, most):
            most = (size + most) // 2 // BLOCK * BLOCK

    def _release(self) -> bool:
        size = self.size
        if not size:
            return False
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.ftruncate(handle, max(0, size - max(self._whole // PIECES, BLOCK)))
                # A journaling file system can reuse the blocks only after that.
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            log.warning("%s: the reserve cannot be used: %s", self._path, error)
            return False
        return True

    def _grow(self, size: int, target: int) -> bool:
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return False
        try:
            disk.give(handle, self._path.parent)
            _allocate(handle, size, target - size)
        except OSError:
            with suppress(OSError):
                os.ftruncate(handle, size)
            return False
        else:
            return True
        finally:
            os.close(handle)

    def _free(self) -> int:
        try:
            found = os.statvfs(self._path.parent)
        except OSError:
            return 0
        return found.f_bavail * found.f_frsize


def _allocate(handle: int, offset: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, offset, size)
        return
    # macOS has no such call.
    for at in range(offset, offset + size, BLOCK):
        os.pwrite(handle, bytes(BLOCK), at)
