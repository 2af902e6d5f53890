"""
Backups: a copy of a store, made while it runs, and a store restored from such a copy.

Rule 1: the database is copied first, as it is at one moment, and the files beside it after that: a file is on disk before the line that
        names it, so everything that the copy names is in it.
Rule 2: `MANIFEST` is written last, and has the SHA-256 of every file. A copy without it is incomplete; one that differs from it is refused.
Rule 3: a copy is for storage, and grants nobody access: tokens and logins are left out, unless asked for.
        Of files in an object store it has the address only.
Rule 4: a restored store holds everything until it is adopted, because the original may still be running, and two must not both act.
"""

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from tidegate import disk
from tidegate.bundles.sources import STORE
from tidegate.errors import BackupDamaged, StoreError
from tidegate.home import BLOBS, BUNDLES, RESTORED, TOKEN_FILE, find_store
from tidegate.objects.opening import RECORD
from tidegate.runtime import SystemClock, problems_of
from tidegate.service.moments import moment
from tidegate.stores.sqlite.copying import copy_database

__all__ = ["RECORD", "Manifest", "back_up", "restore"]

MANIFEST: Final = "backup.json"
BESIDE: Final = (BUNDLES, BLOBS, "logs", "decks")
"""The directories beside the database. Bundles first: their trees may be replaced, and so are absent for less time."""
DRAFTS: Final = ("new", ".new", ".new-", ".old-")
LIVE: Final = ".live"
"""The output of running attempts; their logs are written when they end."""
CHUNK: Final = 1024 * 1024


class Entry(Struct, frozen=True):
    """One file of a copy: its path in the home, and its digest."""

    path: str
    size: int
    sha256: str


class Manifest(Struct, frozen=True):
    """The contents of a copy, when it was made, by which version, and whether tokens are included."""

    made: datetime
    tidegate: str
    access: bool
    entries: list[Entry]


def back_up(home: Path, target: Path, *, access: bool = False) -> Manifest:
    """
    Copy the store in `home` into the directory `target`, which must be empty or missing; the owner of the store keeps running meanwhile.

    Errors: `StoreError` and below; then there is no manifest in `target`.
    """
    if find_store():
        raise StoreError(
            "the history of this store is in Postgres: copy that with pg_dump, and then the directory with its files"
        )
    if not (home / STORE).is_file():
        raise StoreError(f"there is no store in {home}: nothing to copy; check --home")
    _make_empty(target, "a backup goes into an empty directory")
    try:
        copy_database(home / STORE, target / STORE, access=access)
        entries = [_entry(target / STORE, STORE)]
        if access and (home / TOKEN_FILE).is_file():
            entries.append(_copied(home, target, TOKEN_FILE))
        if (home / RECORD).is_file():
            entries.append(_copied(home, target, RECORD))
        for top in BESIDE:
            entries += [_copied(home, target, path) for path in _files(home, top)]
        made = Manifest(moment(SystemClock().now()), version("tidegate"), access, entries)
        disk.write(target / MANIFEST, msgspec.json.format(msgspec.json.encode(made)))
    except OSError as error:
        raise disk.failed(f"the backup in {target} cannot be written", error) from error
    return made


def restore(source: Path, home: Path) -> tuple[Manifest, int]:
    """
    Restore the copy in `source` into `home`, which must be empty or missing; return how many executions it has.

    Nothing in it acts before `tidegate.home.adopt`. Errors: `BackupDamaged` if the copy is incomplete, or differs from its manifest; then
    nothing is written. `StoreError` and below.
    """
    manifest = _read_manifest(source)
    for each in manifest.entries:
        _check(source, each)
    if not (home / RESTORED).is_file() or (home / STORE).exists():
        _make_empty(home, "a store is restored into an empty directory")
    try:
        # First, so that an interrupted restore is held, too, and can be restarted.
        disk.write(home / RESTORED, f"{manifest.made:%Y-%m-%d %H:%M} UTC\n".encode())
        # The database last: without it there is no store.
        for each in sorted(manifest.entries, key=lambda each: each.path == STORE):
            _put(source, home, each)
    except OSError as error:
        raise disk.failed(f"the store in {home} cannot be written", error) from error
    count, problems = problems_of(home)
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise BackupDamaged(
            f"the restored store in {home} has a problem: {problems[0]}{more}; `tidegate doctor` lists all"
        )
    return manifest, count


def _make_empty(directory: Path, why: str) -> None:
    try:
        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            raise StoreError(f"{directory} is not empty, but {why}: choose another")
        disk.make_directory(directory)
    except OSError as error:
        raise disk.failed(f"{directory} cannot be made", error) from error


def _files(home: Path, top: str) -> Iterator[str]:
    """Yield the files below a directory of the home, by their paths in it; drafts and links are left out."""
    for folder, folders, names in os.walk(home / top):
        folders[:] = sorted(name for name in folders if not name.startswith(DRAFTS))
        for name in sorted(names):
            path = Path(folder, name)
            if not name.endswith(LIVE) and stat.S_ISREG(path.lstat().st_mode):
                yield os.path.relpath(path, home)


def _copied(home: Path, target: Path, path: str) -> Entry:
    _copy(home / path, target / path)
    return _entry(target / path, path)


def _put(source: Path, home: Path, entry: Entry) -> None:
    _copy(source / entry.path, home / entry.path)


def _copy(source: Path, target: Path) -> None:
    """Copy a file, readable by its owner alone; it stays executable, and is on disk when this returns."""
    disk.make_directory(target.parent)
    target.unlink(missing_ok=True)
    target.touch(mode=0o700 if source.stat().st_mode & stat.S_IXUSR else 0o600)
    shutil.copyfile(source, target)
    disk.sync(target)
    disk.sync(target.parent)


def _entry(file: Path, path: str) -> Entry:
    return Entry(path, file.stat().st_size, _digest(file))


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _read_manifest(source: Path) -> Manifest:
    try:
        return msgspec.json.decode((source / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        why = f"has no {MANIFEST}: it is not a backup, or an unfinished one"
    except OSError as error:
        why = f"cannot be read: {(error.strerror or str(error)).lower()}"
    except msgspec.MsgspecError as error:
        why = f"has a {MANIFEST} that cannot be read: {error}"
    raise BackupDamaged(f"{source} {why}")


def _check(source: Path, entry: Entry) -> None:
    """Check that a file matches the manifest, and has a safe path. Errors: `BackupDamaged`."""
    path = Path(entry.path)
    if path.is_absolute() or ".." in path.parts:
        raise BackupDamaged(f"{source}: {entry.path!r} would lie outside the store")
    file = source / path
    try:
        same = file.stat().st_size == entry.size and _digest(file) == entry.sha256
    except OSError as error:
        raise BackupDamaged(
            f"{file} cannot be read: {(error.strerror or str(error)).lower()}; take another backup"
        ) from error
    if not same:
        raise BackupDamaged(f"{file} differs from the manifest; take another backup")
