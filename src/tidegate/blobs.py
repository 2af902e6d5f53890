"""
Content-addressed blobs in a directory.

A blob is a file named by the SHA-256 digest of its content: `ab/cdef...`. It is written under another name, synced and
then renamed, so that a name never stands for half a content, and never for another one. What is read is checked.

A directory is kept as a manifest: a blob of JSON that maps the names of its files, sorted, to their digests;
a directory in it that is empty is a name without a digest.
"""

import errno
import hashlib
import os
import weakref
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any, Final

import msgspec

from tidegate.errors import (
    Fault,
    InvalidValue,
    StoreDamaged,
    StoreError,
    StoreFull,
    UnknownBlob,
)

_CHUNK: Final = 1024 * 1024
_HEX: Final = frozenset("0123456789abcdef")
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class BlobDirectory:
    """
    A directory of blobs. It is made when the first blob is put.

    `scratch` is where private copies go, each into a new directory; without it they live as long as this object.
    `sync=False` leaves it to the system when bytes reach the disk: for blobs that need not outlive their process.
    """

    def __init__(self, root: Path | str, *, scratch: Path | None = None, sync: bool = True) -> None:
        self._root = Path(root)
        self._scratch = scratch
        self._sync = sync
        self._own: str | None = None

    def put(self, content: bytes, /) -> str:
        """Keep bytes; return their digest. Raises `StoreFull` or `StoreError`."""
        digest = hashlib.sha256(content).hexdigest()
        place = self._place(digest)
        try:
            if place.stat().st_size == len(content):
                self._settle(place.parent)
                return digest
        except FileNotFoundError:
            pass
        return self._write([content])

    def put_chunks(self, chunks: Iterable[bytes], /) -> str:
        """Keep a content that comes in pieces; return its digest. Raises `StoreFull` or `StoreError`."""
        return self._write(chunks)

    def get(self, digest: str, /) -> bytes:
        """Return the bytes with this digest. Raises `UnknownBlob`, or `StoreDamaged` if they have changed."""
        return b"".join(self._read(digest))

    def put_path(self, path: Path | str, /) -> str:
        """Keep a file's content, or a directory as a manifest of its files; return the digest."""
        source = Path(path)
        if source.is_dir():
            listed = dict(sorted(self._put_inside(source)))
            try:
                return self.put(msgspec.json.encode(listed))
            except UnicodeEncodeError as e:
                raise _refused(f"a name in {source} is not valid Unicode") from e
        if not source.is_file():
            raise _refused(f"there is no file or directory at {source}")
        return self._write(_chunks(source))

    def path(self, digest: str, /) -> Path:
        """Return a file with this content, to read and never to write. Raises `UnknownBlob`."""
        place = self._place(digest)
        if not place.is_file():
            raise UnknownBlob(f"no blob with the digest {digest} is stored")
        return place

    def checkout(self, digest: str, name: str, /) -> Path:
        """Return a private copy of a file with this name, which may be written."""
        target = self._room() / _last(name, "file")
        self._copy(digest, target)
        return target

    def checkout_tree(self, digest: str, name: str, /) -> Path:
        """Return a private copy of the directory that a manifest lists."""
        listed = _manifest(self.get(digest))
        target = self._room() / _last(name, "directory")
        target.mkdir()
        for within, content in listed.items():
            place = target / within
            (place.parent if content else place).mkdir(parents=True, exist_ok=True)
            if content:
                self._copy(content, place)
        return target

    def _put_inside(self, root: Path) -> Iterator[tuple[str, str | None]]:
        for where, directories, files in os.walk(root, onerror=_raise):
            here = Path(where)
            for name in directories:
                if (here / name).is_symlink():
                    raise _refused(f"{here / name} is a link to a directory: copy what it leads to")
            for name in files:
                yield (here / name).relative_to(root).as_posix(), self.put_path(here / name)
            if not directories and not files and here != root:
                yield here.relative_to(root).as_posix(), None

    def _place(self, digest: str) -> Path:
        # A digest may come from outside: it must never lead beyond the root.
        if len(digest) != 64 or not _HEX.issuperset(digest):
            raise UnknownBlob(f"{digest!r} is no digest, which is 64 hexadecimal digits")
        return self._root / digest[:2] / digest[2:]

    def _read(self, digest: str) -> Iterator[bytes]:
        seen = hashlib.sha256()
        for chunk in _chunks(self.path(digest)):
            seen.update(chunk)
            yield chunk
        if seen.hexdigest() != digest:
            raise StoreDamaged(f"the blob {digest} is damaged: its content has another digest")

    def _write(self, chunks: Iterable[bytes]) -> str:
        drafts = self._root / "new"
        seen = hashlib.sha256()
        draft = ""
        try:
            drafts.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, draft = _tempfile().mkstemp(dir=drafts)  # nobody else may read it
            with os.fdopen(handle, "wb") as file:
                for chunk in chunks:
                    seen.update(chunk)
                    file.write(chunk)
                file.flush()
                if self._sync:
                    os.fsync(file.fileno())
            place = self._place(seen.hexdigest())
            place.parent.mkdir(exist_ok=True, mode=0o700)
            Path(draft).replace(place)
            self._settle(place.parent)
            self._settle(self._root)
        except OSError as e:
            full = e.errno in _FULL
            raise (StoreFull if full else StoreError)(f"a blob cannot be stored: {e}") from e
        finally:
            if draft:
                Path(draft).unlink(missing_ok=True)
        return seen.hexdigest()

    def _settle(self, directory: Path) -> None:
        """Make the names in a directory survive a loss of power."""
        if not self._sync or os.name != "posix":
            return
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _room(self) -> Path:
        """Make a new, empty directory for one private copy."""
        if self._scratch is not None:
            self._scratch.mkdir(parents=True, exist_ok=True)
            return Path(_tempfile().mkdtemp(dir=self._scratch))
        if self._own is None:
            self._own = _tempfile().mkdtemp(prefix="tidegate-")
            weakref.finalize(self, import_module("shutil").rmtree, self._own, ignore_errors=True)
        return Path(_tempfile().mkdtemp(dir=self._own))

    def _copy(self, digest: str, target: Path) -> None:
        with target.open("wb") as file:
            file.writelines(self._read(digest))


def _last(name: str, otherwise: str) -> str:
    """Return the last part of a name that may come from outside: it must not lead anywhere."""
    last = PurePosixPath(name.replace("\\", "/")).name
    return otherwise if last in {"", ".", ".."} or "\0" in last else last[-200:]


def _tempfile() -> Any:
    # Loaded here, for importing the package must stay light.
    return import_module("tempfile")


def _chunks(source: Path) -> Iterator[bytes]:
    try:
        with source.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except OSError as e:
        raise _refused(f"{source} cannot be read: {e.strerror}") from e


def _raise(error: OSError) -> None:
    raise _refused(f"{error.filename} cannot be read: {error.strerror}") from error


def _refused(reason: str) -> InvalidValue:
    return InvalidValue(reason, [Fault((), reason)])


def _manifest(content: bytes) -> dict[str, str | None]:
    """Read a manifest; its names must stay below the directory it describes."""
    try:
        listed = msgspec.json.decode(content, type=dict[str, str | None])
    except msgspec.DecodeError as e:
        raise _refused("the blob is a file and no directory") from e
    for name in listed:
        path = PurePosixPath(name)
        if path.is_absolute() or not path.parts or ".." in path.parts or "\\" in name:
            raise _refused(f"the directory names a place outside itself: {name!r}")
    return listed
