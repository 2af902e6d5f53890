"""
Bundles: source trees as content-addressed archives, and their unpacked copies under `<home>/bundles/<digest>/`.

Rule 1: the same files give the same digest, on every machine and at any time: names are sorted, owners, dates and modes are left out.
Rule 2: an archive is not trusted: nothing in it can write outside of its own directory, make a link or a device, or fill the disk.
Rule 3: a bundle is there whole or not at all: it is unpacked beside its place and renamed into it. One that was changed since is put back.
"""

import hashlib
import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from tidegate.bundles.sources import MAX_BYTES, MAX_FILES, Sources, is_safe
from tidegate.bundles.whole import LIST, check_whole, list_of
from tidegate.errors import CodeError, StoreError

MANY = 100
"""From so many files on, one sync of everything is cheaper than one of each."""

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


def install(archive: Archive, home: Path) -> Path:
    """
    Unpack an archive into its place, unless it is there as it should be, and return the place.

    Errors: `CodeError` if the archive is not what it says, or holds what no source tree holds; `StoreError` if it cannot be written.
    """
    place = bundle_path(home, archive.digest)
    if is_whole(place):
        return place
    if len(archive.body) > MAX_ARCHIVE:
        raise CodeError(f"the bundle is larger than {MAX_ARCHIVE} bytes")
    if hashlib.sha256(archive.body).hexdigest() != archive.digest:
        raise CodeError(
            f"the bundle {archive.digest[:12]} is damaged: its contents have another digest"
        )
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.parent.mkdir(exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=place.parent))
    except FileExistsError as error:
        raise StoreError(
            f"{error.filename} is not a directory: choose another place for the store (--home)"
        ) from None
    except OSError as error:
        raise StoreError(f"{place.parent}: cannot be written: {error.strerror}") from None
    try:
        _settle(_unpack(archive.body, fresh))
        if place.is_dir():
            _set_aside(place)
        fresh.rename(place)
        _sync(place.parent)
    except OSError as error:
        if not is_whole(place):  # otherwise another process was quicker, with the same contents
            raise StoreError(f"{place}: cannot be written: {error.strerror}") from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return place


def is_whole(place: Path) -> bool:
    """Return whether the bundle of this place is there, as it was unpacked."""
    try:
        check_whole(place)
    except CodeError:
        return False
    return True


def damaged(home: Path) -> list[str]:
    """Return what is wrong with the bundles that are there, one line a bundle."""
    problems = []
    for place in sorted((home / "bundles").glob("[0-9a-f]*")):
        try:
            check_whole(place)
        except CodeError as error:
            problems.append(error.message)
    return problems


def _set_aside(place: Path) -> None:
    """Take a damaged bundle out of its place, by one rename, and remove it."""
    aside = Path(tempfile.mkdtemp(prefix=".old-", dir=place.parent))
    try:
        place.rename(aside)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def bundle_path(home: Path, digest: str) -> Path:
    """Return where the bundle of this digest is unpacked. Errors: `CodeError` if this is no digest."""
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise CodeError(f"{digest[:80]!r} is not the digest of a bundle")
    return home / "bundles" / digest


def _unpack(body: bytes, into: Path) -> list[Path]:
    """Write the files of an archive into an empty directory, and return every path made, the files first."""
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
                        f"the bundle holds {member.name[:80]!r}, which is no relative path"
                    )
                bodies[member.name] = content = source.read()
                made.append(_write(into, member.name, content, member.mode))
    except (tarfile.TarError, ValueError, EOFError) as error:
        raise CodeError(f"the bundle is damaged: {error}") from None
    made.append(_write(into, LIST, list_of(bodies), 0o644))
    folders = {up for path in made for up in path.parents if up.is_relative_to(into)}
    return [*made, *folders]


def _settle(paths: Sequence[Path]) -> None:
    """Have everything on disk before the bundle gets its name: a power cut must not leave one that is there, and empty."""
    if len(paths) > MANY:
        os.sync()
    else:
        for path in paths:
            _sync(path)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(into: Path, name: str, body: bytes, mode: int) -> Path:
    path = into / name
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, flags, 0o755 if mode & 0o100 else 0o644)
    except (FileExistsError, NotADirectoryError):
        raise CodeError(f"the bundle holds {name!r}, or a part of it, twice") from None
    with os.fdopen(handle, "wb") as file:
        file.write(body)
    return path
