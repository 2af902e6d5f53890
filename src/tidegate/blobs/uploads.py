"""
Unfinished uploads in a directory of this machine: two files each, `ID.part` with the bytes that have arrived and `ID.json` with whose it is.

Rule 1: how much has arrived is the size of the file, so that nothing else can disagree with it after a crash.
Rule 2: a request that adds to an upload holds a lock on its file, which the system releases however the request ends.
Rule 3: when an upload is complete, its bytes go and the note stays for a day: the reply that named its digest may have been lost.
"""

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct, structs

from tidegate import disk
from tidegate.blobs.directory import CHUNK
from tidegate.errors import (
    Overloaded,
    StoreFull,
    TooLarge,
    UnknownUpload,
    UploadBusy,
    WrongOffset,
)

LASTS: Final = 24 * 3600
"""Seconds without a byte after which an upload is dropped: a line that was down overnight may resume."""

MOST_OF_ONE: Final = 100
"""Unfinished uploads of one principal: a form has some ten files, and a person some tabs."""

_HEX: Final = frozenset("0123456789abcdef")


class Upload(Struct, frozen=True):
    """An upload: how many bytes the file has and how many have arrived; `digest` is that of the blob, once it is one."""

    id: str
    size: int
    offset: int
    digest: str = ""


class _Note(Struct, frozen=True):
    """What is known of an upload beside its bytes."""

    who: str
    size: int
    digest: str = ""


class UploadDirectory:
    """
    Unfinished files, each of the principal who began it: for all others it does not exist. The directory is made when the first one begins.

    What has arrived is still there after a restart. An upload that nothing is added to is dropped after a day, and so is the note of one that is complete.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def begin(self, who: str, size: int, /) -> Upload:
        """Begin an upload. Errors: `Overloaded`, `StoreFull`, `StoreError`."""
        self.sweep()
        open_ones = sum(not note.digest for note in self._notes(who))
        if open_ones >= MOST_OF_ONE:
            why = f"{who!r} has {open_ones} unfinished uploads; finish or cancel some"
            raise Overloaded(why, retry_after=60)
        id_ = secrets.token_hex(16)
        try:
            disk.make_directory(self._root)
            disk.make_file(self._part(id_))
            self._keep(id_, _Note(who, size))
        except OSError as error:
            raise disk.failed("an upload cannot be started", error) from error
        return Upload(id_, size, 0)

    def find(self, who: str, id_: str, /) -> Upload:
        """Return an upload. Errors: `UnknownUpload`, `StoreError`."""
        note = self._note(id_)
        if note is None or note.who != who:
            raise _unknown(id_)
        if note.digest:
            return Upload(id_, note.size, note.size, note.digest)
        try:
            return Upload(id_, note.size, self._part(id_).stat().st_size)
        except OSError:
            raise _unknown(id_) from None

    def unfinished(self, who: str, /) -> int:
        """Return how many bytes the unfinished uploads of somebody will have."""
        return sum(note.size for note in self._notes(who) if not note.digest)

    @contextmanager
    def adding(self, who: str, id_: str, offset: int, /) -> "Iterator[Incoming]":
        """Take a turn at an upload. Errors: `UnknownUpload`, `UploadBusy`, `WrongOffset`, `StoreError`."""
        with self._turn(who, id_) as (upload, file):
            if upload.offset != offset:
                raise WrongOffset(
                    f"{upload.offset:,} bytes of this upload have arrived, not {offset:,}; continue there",
                    offset=upload.offset,
                )
            incoming = Incoming(self, who, upload, file)
            try:
                yield incoming
            finally:
                with suppress(OSError):
                    os.fdatasync(file)

    def drop(self, who: str, id_: str, /) -> None:
        """Forget an upload. Errors: `UnknownUpload`, `UploadBusy`, `StoreError`."""
        with self._turn(who, id_):
            self._remove(id_)

    def finish(self, who: str, upload: Upload) -> None:
        """Note which blob an upload has become, and drop its bytes. Errors: `StoreFull`, `StoreError`."""
        try:
            self._keep(upload.id, _Note(who, upload.size, upload.digest))
            self._part(upload.id).unlink(missing_ok=True)
        except OSError as error:
            raise disk.failed("an upload cannot be completed", error) from error

    def sweep(self) -> None:
        """Drop the uploads that nothing was added to for `LASTS` seconds."""
        before = time.time_ns() / 1e9 - LASTS
        with suppress(OSError):
            for path in self._root.glob("*.json"):
                id_ = path.stem
                with suppress(OSError):
                    part = self._part(id_)
                    latest = part if part.exists() else path
                    if latest.stat().st_mtime < before:
                        self._remove(id_)

    @contextmanager
    def _turn(self, who: str, id_: str) -> Iterator[tuple[Upload, int]]:
        """Yield an upload and its locked file; of one that is complete, that of its note."""
        found = self.find(who, id_)
        path = self._name(id_) if found.digest else self._part(id_)
        try:
            file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            raise _unknown(id_) from None
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                why = "another request is adding to this upload; ask for its offset and try again"
                raise UploadBusy(why) from None
            yield self.find(who, id_), file
        finally:
            os.close(file)

    def _notes(self, who: str) -> Iterator[_Note]:
        for path in self._root.glob("*.json"):
            note = self._note(path.stem)
            if note is not None and note.who == who:
                yield note

    def _note(self, id_: str) -> _Note | None:
        if len(id_) != 32 or not _HEX.issuperset(id_):
            return None
        try:
            return msgspec.json.decode(self._name(id_).read_bytes(), type=_Note)
        except (OSError, msgspec.DecodeError):
            return None

    def _keep(self, id_: str, note: _Note) -> None:
        disk.write(self._name(id_), msgspec.json.encode(note))

    def _remove(self, id_: str) -> None:
        self._part(id_).unlink(missing_ok=True)
        self._name(id_).unlink(missing_ok=True)

    def _name(self, id_: str) -> Path:
        return self._root / f"{id_}.json"

    def _part(self, id_: str) -> Path:
        return self._root / f"{id_}.part"


class Incoming:
    """One request's turn at an upload; nobody else adds to it meanwhile."""

    def __init__(self, uploads: UploadDirectory, who: str, upload: Upload, file: int) -> None:
        self._uploads = uploads
        self._who = who
        self._file = file
        self.upload = upload

    def add(self, piece: bytes, /) -> None:
        """Append bytes. Errors: `TooLarge`, `StoreFull`, `StoreError`."""
        size = self.upload.size
        if self.upload.offset + len(piece) > size:
            raise TooLarge(f"the file has more than the {size:,} bytes announced", limit=size)
        if why := disk.lacks_room(self._uploads._root):  # noqa: SLF001 - the two are one
            raise StoreFull(why)
        rest = memoryview(piece)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            raise disk.failed("an upload cannot be stored", error) from error
        finally:
            came = len(piece) - len(rest)
            self.upload = structs.replace(self.upload, offset=self.upload.offset + came)

    def pieces(self) -> Iterator[bytes]:
        """Yield all that has arrived. Errors: `StoreError`."""
        at = 0
        try:
            while piece := os.pread(self._file, CHUNK, at):
                at += len(piece)
                yield piece
        except OSError as error:
            raise disk.failed("an upload cannot be read", error) from error

    def becomes(self, digest: str, /) -> Upload:
        """Note which blob it has become. Errors: `StoreFull`, `StoreError`."""
        self.upload = structs.replace(self.upload, digest=digest)
        self._uploads.finish(self._who, self.upload)
        return self.upload


def _unknown(id_: str) -> UnknownUpload:
    return UnknownUpload(
        f"there is no unfinished upload {id_[:40]!r}: it was cancelled, or nothing was added to it for a day; start again"
    )
