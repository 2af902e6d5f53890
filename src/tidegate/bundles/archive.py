"""
Archives of source trees: packed here, unpacked where they are to be imported.

Rule 1: the same files give the same digest, on every machine and at any time: names are sorted, owners, dates and modes are left out.
Rule 2: an archive is not trusted: nothing in it can write outside of its own directory, make a link or a device, or fill the disk.
"""

import hashlib
import io
import os
import tarfile
from pathlib import Path

from msgspec import Struct

from tidegate import disk
from tidegate.bundles.sources import MAX_BYTES, MAX_FILES, Sources, is_safe
from tidegate.bundles.whole import LIST, list_of
from tidegate.errors import CodeError

MAX_ARCHIVE = MAX_BYTES + 4_096 * MAX_FILES


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


def archive_of(body: bytes) -> Archive:
    """Return what was packed elsewhere; whether it is an archive is seen when it is installed."""
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

    Errors: `CodeError` if it holds what no source tree holds; `OSError`.
    """
    made: list[Path] = []
    bodies: dict[str, bytes] = {}
    count = size = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(body), mode="r:") as tar:
            for member in tar:
                count += 1
                size += member.size
                if count > MAX_FILES or size > MAX_BYTES:
                    raise CodeError(
                        f"the bundle holds more than {MAX_FILES} files or {MAX_BYTES} bytes"
                    )
                source = tar.extractfile(member) if member.isreg() else None
                if source is None:
                    raise CodeError(f"the bundle holds {member.name!r}, which is not a plain file")
                if not is_safe(member.name):
                    raise CodeError(
                        f"the bundle holds {member.name[:80]!r}, which is not a relative path"
                    )
                bodies[member.name] = content = source.read()
                made.append(_write(into, member.name, content, member.mode))
    except (tarfile.TarError, ValueError, EOFError) as error:
        raise CodeError(f"the bundle is damaged: {error}") from None
    made.append(_write(into, LIST, list_of(bodies), 0o644))
    folders = {up for path in made for up in path.parents if up.is_relative_to(into)}
    return [*made, *folders]


def _write(into: Path, name: str, body: bytes, mode: int) -> Path:
    path = into / name
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        # Synced with all the rest, before the bundle gets its name.
        disk.make_directory(path.parent, durable=False)
        handle = os.open(path, flags, 0o755 if mode & 0o100 else 0o644)
    except (FileExistsError, NotADirectoryError):
        raise CodeError(f"the bundle holds {name!r}, or a part of it, twice") from None
    with os.fdopen(handle, "wb") as file:
        disk.give(handle, path.parent)
        file.write(body)
    return path
