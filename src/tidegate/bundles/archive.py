"""
Archives of source trees: packed here, unpacked where they are to be imported.

Rule 1: the same files give the same digest, on every machine and at any time: names are sorted; owners, dates and modes are left out.
Rule 2: an archive is not trusted: nothing in it can write outside its own directory, make a link or a device, or fill the disk.
"""

import hashlib
import io
import os
import tarfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import msgspec
from msgspec import Struct

from tidegate import disk
from tidegate.bundles.members import Member, members
from tidegate.bundles.sources import MAX_BYTES, MAX_FILES, Sources, is_safe
from tidegate.bundles.whole import LIST, list_of
from tidegate.errors import CodeError, StoreDamaged

MAX_ARCHIVE = MAX_BYTES + 4_096 * MAX_FILES

MAX_DEPTH = 40
"""Deepest nesting of directories: four times as deep as in Python's own library and in any package of it."""

MAX_FOLDERS = 5_000
"""As many as files: a source tree has some ten files per directory."""


class Archive(Struct, frozen=True):
    """A packed source tree: an uncompressed tar file, and its SHA-256 in hex."""

    digest: str
    body: bytes


def pack(sources: Sources) -> Archive:
    """
    Pack a source tree.

    Errors: `CodeError` if a file of it cannot be read.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sources.files:
            path = sources.root / name
            try:
                body = path.read_bytes()
                runnable = bool(path.stat().st_mode & 0o100)
            except OSError as error:
                raise CodeError(f"{path}: cannot be read: {error.strerror}") from None
            member = tarfile.TarInfo(name)
            member.size = len(body)
            member.mode = 0o755 if runnable else 0o644
            tar.addfile(member, io.BytesIO(body))
    body = buffer.getvalue()
    return archive_of(body)


def packed_again(tree: Path) -> Archive:
    """Return the archive of an unpacked source tree: the same files give the same one. Errors: `CodeError`, `StoreDamaged`."""
    names = tuple(msgspec.json.decode((tree / LIST).read_bytes(), type=dict[str, str]))
    archive = pack(Sources(tree, "", names))
    if archive.digest != tree.name:
        raise StoreDamaged(
            f"the bundle {tree.name} was packed by another program and cannot be packed again: register its source again"
        )
    return archive


def archive_of(body: bytes) -> Archive:
    """Return an archive that was packed elsewhere; it is verified when it is installed."""
    return Archive(hashlib.sha256(body).hexdigest(), body)


def check_archive(archive: Archive) -> None:
    """Check what can be checked before unpacking. Errors: `CodeError`."""
    if len(archive.body) > MAX_ARCHIVE:
        raise CodeError(f"the bundle is larger than {MAX_ARCHIVE} bytes")
    if hashlib.sha256(archive.body).hexdigest() != archive.digest:
        raise CodeError(
            f"the bundle {archive.digest[:12]} is damaged: its contents have another digest"
        )


def unpack(body: bytes, into: Path) -> list[Path]:
    """
    Write the files of an archive into an empty directory, and return every path made, each file before the directories around it.

    Errors: `CodeError` if it contains what a source tree cannot; `OSError`.
    """
    found = list(members(body))
    folders = _checked(found)
    made = [_write(into, name, content, mode) for name, content, mode in found]
    bodies = {name: content for name, content, _ in found}
    made.append(_write(into, LIST, list_of(bodies), 0o644))
    return [*made, *(into / each for each in sorted(folders, key=lambda each: -len(each.parts)))]


def _checked(found: Sequence[Member]) -> set[PurePosixPath]:
    """Return the directories of the files. Nothing is written yet: each limit applies to the result. Errors: `CodeError`."""
    folders: set[PurePosixPath] = set()
    size = 0
    for number, (name, content, _) in enumerate(found, start=1):
        if not is_safe(name):
            raise CodeError(f"the bundle contains {name[:80]!r}, which is not a relative path")
        above = PurePosixPath(name).parents
        if len(above) > MAX_DEPTH:
            raise CodeError(f"the bundle contains {name[:80]!r}, more than {MAX_DEPTH} levels deep")
        folders.update(above)
        size += len(content)
        if number > MAX_FILES or len(folders) > MAX_FOLDERS or size > MAX_BYTES:
            raise CodeError(
                f"the bundle contains more than {MAX_FILES:,} files, {MAX_FOLDERS:,} directories or {MAX_BYTES:,} bytes"
            )
    return folders


def _write(into: Path, name: str, body: bytes, mode: int) -> Path:
    path = into / name
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        # Synced with all the rest, before the bundle gets its name.
        disk.make_directory(path.parent, durable=False)
        handle = os.open(path, flags, 0o700 if mode & 0o100 else 0o600)
    except (FileExistsError, NotADirectoryError):
        raise CodeError(f"the bundle contains {name!r}, or a part of it, twice") from None
    with os.fdopen(handle, "wb") as file:
        disk.give(handle, path.parent)
        file.write(body)
    return path
