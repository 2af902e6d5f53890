"""
Blobs in a directory of this machine, one file each, named by its digest: `ab/cdef...`.

Rule 1: a blob is written as a draft under `new/`, locked meanwhile, synced, and renamed, so that its name never stands for partial content.
Rule 2: before `put` returns, every directory with a new name in it is synced: the prefix, this directory, and its parent.
Rule 3: reads are checked, and content that has changed on the disk is never returned completely. For a part, the whole is checked once,
and again when the file is another one, or was written to.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final

from tidegate import disk
from tidegate.errors import StoreDamaged, StoreError, UnknownBlob

CHUNK: Final = 1024 * 1024
"""Bytes that are read at once: a blob of this size or less is hashed before it is written, and is not written twice."""

CURE: Final = "upload the same file again or restore it from a backup, then recover the executions that failed"

CHECKED: Final = 4_096
"""Blobs of which it is remembered that they are correct: half a megabyte."""

_HEX: Final = frozenset("0123456789abcdef")


class BlobDirectory:
    """
    An adapter of the port `Blobs`. The directory is made when the first blob is stored.

    `sync=False` leaves it to the system when bytes reach the disk: for blobs that need not outlive their process.
    """

    def __init__(self, root: Path | str, *, sync: bool = True) -> None:
        self.root = self._root = Path(root)
        self._drafts = self._root / "new"
        self._sync = sync
        self._safe: set[Path] = set()
        """Directories whose names are known to be on disk: at most 256 prefixes, and the root."""
        self._checked: dict[str, tuple[int, ...]] = {}
        """What the files of blobs were like when their content was found to be correct."""

    def put(self, chunks: Iterable[bytes], /) -> str:
        """Store a content that comes in pieces; return its digest. Errors: `StoreFull`, `StoreError`; exceptions of the pieces."""
        pieces = iter(chunks)
        first = next(pieces, b"")
        second = next(pieces, None)
        try:
            if second is None:
                digest = hashlib.sha256(first).hexdigest()
                if self._holds(digest, first):
                    self._settle(self.path(digest))
                    return digest
            return self._write(chain((first,) if second is None else (first, second), pieces))
        except OSError as error:
            raise disk.failed("a blob cannot be stored", error) from error

    def put_sent(self, chunks: Iterable[bytes], send: Callable[[str, Path], object], /) -> str:
        """As `put`, but the content gets its name only once `send`, which is given its digest and a file with it, has returned. Errors: also those of `send`."""
        try:
            return self._write(chunks, send)
        except OSError as error:
            raise disk.failed("a blob cannot be stored", error) from error

    def size(self, digest: str, /) -> int:
        """Return how many bytes a blob has. Errors: `UnknownBlob`, `StoreError`."""
        try:
            found = self.path(digest).stat()
        except OSError as error:
            raise _unreadable(digest, error) from None
        if not stat.S_ISREG(found.st_mode):
            raise _unknown(digest)
        return found.st_size

    def total(self) -> int:
        """Return how many bytes all blobs have together. Errors: `StoreError`."""
        try:
            return sum(map(_bytes_in, self._root.iterdir())) if self._root.exists() else 0
        except OSError as error:
            raise disk.failed("the blobs cannot be counted", error) from error

    def digests(self) -> Iterator[str]:
        """Yield the digest of every blob. Errors: `StoreError`."""
        try:
            for prefix in sorted(self._root.glob("[0-9a-f][0-9a-f]")):
                for path in sorted(prefix.iterdir()):
                    yield prefix.name + path.name
        except OSError as error:
            raise disk.failed("the blobs cannot be listed", error) from error

    def beginning(self, digest: str, most: int, /) -> bytes:
        """Return at most this many of the first bytes. Errors: as of `read`."""
        return next(self.read(digest))[:most]

    def read(self, digest: str, /) -> Iterator[bytes]:
        """Yield a blob in pieces, the last one only if all of them are correct. Errors: `UnknownBlob`, `StoreDamaged`, `StoreError`."""
        seen = hashlib.sha256()
        held = b""
        try:
            with self.path(digest).open("rb") as file:
                while piece := file.read(CHUNK):
                    seen.update(piece)
                    if held:
                        yield held
                    held = piece
        except OSError as error:
            raise _unreadable(digest, error) from None
        if seen.hexdigest() != digest:
            raise _damaged(digest)
        yield held

    def part(self, digest: str, start: int, stop: int, /) -> Iterator[bytes]:
        """Yield bytes of a blob in pieces; the whole is checked before the first. Errors: `UnknownBlob`, `StoreDamaged`, `StoreError`."""
        try:
            with self.path(digest).open("rb") as file:
                now = os.fstat(file.fileno())
                like = (now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns)
                if self._checked.get(digest) != like:
                    if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                        raise _damaged(digest)
                    if len(self._checked) >= CHECKED:
                        self._checked.clear()
                    self._checked[digest] = like
                file.seek(start)
                while (left := stop - file.tell()) > 0 and (piece := file.read(min(CHUNK, left))):
                    yield piece
        except OSError as error:
            raise _unreadable(digest, error) from None

    def remove_drafts(self) -> None:
        """Remove what killed processes have left under `new/`."""
        disk.remove_drafts(self._drafts.glob("*"))

    def path(self, digest: str) -> Path:
        """Return where a blob is, or would be. Errors: `UnknownBlob` if this is not a digest."""
        check_digest(digest)
        return self._root / digest[:2] / digest[2:]

    def _holds(self, digest: str, content: bytes) -> bool:
        """Return whether these bytes are stored already, and undamaged."""
        path = self.path(digest)
        try:
            return path.stat().st_size == len(content) and path.read_bytes() == content
        except OSError:
            return False  # writing it reports what is wrong, if anything is

    def _write(
        self, pieces: Iterable[bytes], send: Callable[[str, Path], object] | None = None
    ) -> str:
        disk.make_directory(self._drafts, durable=self._sync)
        with disk.draft(partial(disk.new_file, self._drafts)) as draft:
            seen = hashlib.sha256()
            with draft.open("wb") as file:
                for piece in pieces:
                    seen.update(piece)
                    file.write(piece)
                file.flush()
                if self._sync:
                    os.fsync(file.fileno())
            path = self.path(seen.hexdigest())
            if send is not None:
                send(seen.hexdigest(), draft)
            disk.make_directory(path.parent, durable=self._sync)
            draft.replace(path)
        self._settle(path)
        return seen.hexdigest()

    def _settle(self, path: Path) -> None:
        """Sync every directory on the path to a blob, also those that another process has made and may not have synced yet."""
        if not self._sync:
            return
        disk.sync(path.parent)
        for directory in (path.parent, self._root):
            if directory not in self._safe:
                disk.sync(directory.parent)
                self._safe.add(directory)


def _bytes_in(directory: Path) -> int:
    count = 0
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(directory) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # a draft that is done
                count += entry.stat(follow_symlinks=False).st_size
    return count


def check_digest(digest: str) -> None:
    """Refuse what is not a digest, because it may come from outside and becomes a path. Errors: `UnknownBlob`."""
    if len(digest) != 64 or not _HEX.issuperset(digest):
        raise UnknownBlob(f"{digest[:80]!r} is not a digest, which has 64 hexadecimal digits")


def _unreadable(digest: str, error: OSError) -> UnknownBlob | StoreError:
    if isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError):
        return _unknown(digest)
    return disk.failed(f"the blob {digest} cannot be read", error)


def _damaged(digest: str) -> StoreDamaged:
    return StoreDamaged(f"the blob {digest} is damaged: its content has another digest; {CURE}")


def _unknown(digest: str) -> UnknownBlob:
    return UnknownBlob(f"no blob with the digest {digest} is stored; {CURE}")
