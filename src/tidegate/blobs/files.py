"""
The files and directories that values name, kept as blobs: they come from this machine, and return to it as private copies.

A directory is kept as a manifest: a blob of JSON that maps the names of its files, sorted, to their digests;
an empty directory in it is a name without a digest.
"""

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Protocol

import msgspec

from tidegate.blobs.directory import CHUNK
from tidegate.errors import Fault, InvalidValue

LONGEST_NAME = 255
"""Bytes of the longest file name: NAME_MAX of Linux and macOS. A character takes four at most."""


class _Kept(Protocol):
    """What files need of the port `Blobs`."""

    def put(self, chunks: Iterable[bytes], /) -> str: ...

    def read(self, digest: str, /) -> Iterator[bytes]: ...


class BlobFiles:
    """
    `Files` of values, over blobs.

    `scratch` is where private copies are made, each in a new directory; without it they live as long as this object.
    """

    def __init__(self, blobs: _Kept, scratch: Path | None = None) -> None:
        self._blobs = blobs
        self._scratch = scratch
        self._own: str | None = None

    def put(self, content: bytes, /) -> str:
        """Keep bytes; return their digest. Errors: `StoreFull`, `StoreError`."""
        return self._blobs.put((content,))

    def get(self, digest: str, /) -> bytes:
        """Return the bytes with this digest. Errors: `UnknownBlob`; `StoreDamaged` if they have changed."""
        return b"".join(self._blobs.read(digest))

    def put_path(self, path: Path | str, /) -> str:
        """Keep a file's content, or a directory as a manifest of its files; return the digest."""
        source = Path(path)
        if source.is_dir():
            return self.put(msgspec.json.encode(dict(sorted(self._put_inside(source)))))
        if not source.is_file():
            raise _refused(f"there is no file or directory at {source}")
        return self._blobs.put(_chunks(source))

    def checkout(self, digest: str, name: str, /) -> Path:
        """Return a private, writable copy of a file with this name."""
        target = self._room() / _last(name, "file")
        self._copy(digest, target)
        return target

    def checkout_tree(self, digest: str, name: str, /) -> Path:
        """Return a private copy of the directory that a manifest lists."""
        listed = _manifest(self.get(digest))
        target = self._room() / _last(name, "directory")
        target.mkdir(mode=0o700)
        for within, content in listed.items():
            path = target / within
            (path.parent if content else path).mkdir(parents=True, exist_ok=True)
            if content:
                self._copy(content, path)
        return target

    def _put_inside(self, root: Path) -> Iterator[tuple[str, str | None]]:
        for where, directories, files in os.walk(root, onerror=_raise):
            here = Path(where)
            for name in (*directories, *files):
                _check_name(here, name)
            for name in directories:
                if (here / name).is_symlink():
                    raise _refused(f"{here / name} is a link to a directory: copy what it leads to")
            for name in files:
                yield (here / name).relative_to(root).as_posix(), self.put_path(here / name)
            if not directories and not files and here != root:
                yield here.relative_to(root).as_posix(), None

    def _room(self) -> Path:
        """Make a new, empty directory for one private copy."""
        if self._scratch is not None:
            self._scratch.mkdir(parents=True, exist_ok=True)
            return Path(tempfile.mkdtemp(dir=self._scratch))
        if self._own is None:
            self._own = tempfile.mkdtemp(prefix="tidegate-")
            weakref.finalize(self, shutil.rmtree, self._own, ignore_errors=True)
        return Path(tempfile.mkdtemp(dir=self._own))

    def _copy(self, digest: str, target: Path) -> None:
        with target.open("wb") as file:
            file.writelines(self._blobs.read(digest))


def _last(name: str, otherwise: str) -> str:
    """Return the last part of a name that may come from outside: it must not lead anywhere."""
    last = PurePosixPath(name).name
    if last in {"", ".", ".."} or "\0" in last:
        return otherwise
    return last if len(last.encode()) <= LONGEST_NAME else last[-(LONGEST_NAME // 4) :]


def _check_name(here: Path, name: str) -> None:
    """Refuse a name that would not read back unchanged."""
    try:
        name.encode()
    except UnicodeEncodeError:
        raise _refused(f"the name {name!a} in {here} is not valid Unicode: rename it") from None
    if "\\" in name:
        raise _refused(
            f"the name {name!r} in {here} has a backslash, which separates names on other systems: rename it"
        )


def _chunks(source: Path) -> Iterator[bytes]:
    try:
        with source.open("rb") as file:
            while chunk := file.read(CHUNK):
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
        raise _refused("the blob is a file, not a directory") from e
    for name in listed:
        path = PurePosixPath(name)
        if path.is_absolute() or not path.parts or ".." in path.parts or "\\" in name:
            raise _refused(f"the directory names a path outside itself: {name!r}")
    return listed
