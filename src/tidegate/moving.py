"""
A store that is moved: its rows from a file into Postgres or back, and its files between a directory and an object store.

Rule 1: the original has no owner meanwhile, and is marked as moved before the copy may be opened: so the two never run at once.
Rule 2: files are copied first. They are named by their digests, so what an interrupted copy has done is not done again.
Rule 3: the copy of the rows is there as a whole, compared by count and digest, or not at all.
"""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from msgspec import Struct

from tidegate import disk
from tidegate.blobs.directory import BlobDirectory
from tidegate.bundles.archive import Archive, packed_again
from tidegate.bundles.directory import BundleDirectory
from tidegate.bundles.sources import STORE
from tidegate.errors import CommitUnknown, StoreDamaged, StoreError, UnknownBlob
from tidegate.home import BLOBS, BUNDLES, MOVED, STORE_VARIABLE, TOKEN_FILE, refuse_held
from tidegate.logs import Logs, unquote
from tidegate.objects.bundles import ObjectBundles
from tidegate.objects.following import Following
from tidegate.objects.opening import (
    RECORD,
    ObjectStore,
    has_files,
    recorded,
)
from tidegate.ports.blobs import Blobs
from tidegate.ports.store import Progress
from tidegate.runtime import SystemClock
from tidegate.stores.moving import Rows, is_empty
from tidegate.stores.opening import MovableStore, mark_moved, open_store
from tidegate.stores.sqlite import SqliteStore

STARTED: Final = "copying"
"""The file in a home into which a store is being copied, with where from; and the directory with its rows."""

SCHEMES: Final = ("postgresql://", "postgres://")


class StoreAt(Struct, frozen=True):
    """Where a store is: its home, and the address of its database if that is not a file there."""

    home: Path
    address: str = ""

    @property
    def name(self) -> str:
        """Its name in messages, which has no password."""
        return "the database on Postgres" if self.address else str(self.home)


class Moved(Struct, frozen=True):
    """What was copied: the rows of each kind, blobs and bundles with their number, and bytes of blobs."""

    rows: dict[str, Rows]
    blobs: int
    size: int
    bundles: int


def store_at(word: str, home: Path) -> StoreAt:
    """Return the place that a word of the command line names: a directory, or the address of a database, whose files are in `home`."""
    if word.startswith(SCHEMES):
        return StoreAt(home.absolute(), word)
    if "://" in word:
        raise StoreError(
            "a store is copied from and to a directory, or postgresql://USER@HOST/DATABASE"
        )
    return StoreAt(Path(word).expanduser().absolute())


def move(source: StoreAt, target: StoreAt, blobs: str, progress: Progress) -> Moved:
    """
    Copy a store into an empty at, verify the copy, and mark the original as moved. `blobs` is the object store for the files; empty for the home.

    If both places are the same, only the files move. Errors: `StoreLocked` if somebody owns either; `StoreHeld`, `StoreDamaged`, `StoreError`; then
    the original is as it was, and the copy cannot be opened.
    """
    if source != target and (source.home == target.home or (source.address and target.address)):
        raise StoreError(
            "both have the same directory, or are on Postgres: give another directory (--home), or copy the database with pg_dump"
        )
    refuse_held(source.home)
    if not source.address and not (source.home / STORE).is_file():
        raise StoreError(f"there is no store in {source.home}: nothing to copy")
    with _opened(source) as store:
        _refuse_unapplied(source, store)
        if source == target:
            return _move_files(source.home, blobs, store)
        _begin(source, target)
        files = _files_of(target.home, blobs)
        with _prepared(target) as copy:
            if not is_empty(copy.database):
                raise StoreError(f"{target.name} is not empty: nothing was copied")
            counts = _copy_files(source.home, target.home, files)

            def done() -> None:
                if files is not None:
                    _claim(target.home, files, getattr(copy, "number", ""))
                _mark(source, store, target.name)

            try:
                rows = copy.take(store.database, progress, done)
                _finish(target, copy)
            except CommitUnknown:
                raise  # the copy may be there: the original stays marked
            except BaseException:
                _mark(source, store, "")
                raise
    return Moved(rows, *counts)


# ---- the databases ----


def _refuse_unapplied(source: StoreAt, store: MovableStore) -> None:
    """Refuse a store with tasks that servers have handed over, and of which the history does not say yet what became: a copy would repeat them."""
    found = [] if store.reports is None else store.reports.found()
    # Of others the keeper is gone: they are lost wherever the store goes on.
    if keys := sorted({each.attempt.key for each in found if each.goes_on}):
        row = store.journal.get(keys[0])
        whose = "" if row is None else row.id
        more = f" and {len(keys) - 1:,} more" if len(keys) > 1 else ""
        raise StoreError(
            f"tasks of execution {whose}{more} were handed over by a server that was told to stop, and the history does not have their results yet:"
            f" nothing was copied, or they would be repeated; start `tidegate serve` on {source.name} until they have ended, stop it, and copy then"
        )


@contextmanager
def _opened(at: StoreAt) -> Iterator[MovableStore]:
    """Own a store meanwhile. Errors: `StoreLocked` if somebody else does."""
    before = os.environ.get(STORE_VARIABLE)
    os.environ[STORE_VARIABLE] = at.address
    try:
        store = open_store(at.home / STORE)
    finally:
        if before is None:
            del os.environ[STORE_VARIABLE]
        else:
            os.environ[STORE_VARIABLE] = before
    try:
        store.begin(_in_background)
        yield store
    finally:
        store.close()


def _in_background(name: str, run: Callable[[], None]) -> None:
    threading.Thread(target=run, name=f"tidegate-{name}", daemon=True).start()


@contextmanager
def _prepared(at: StoreAt) -> Iterator[MovableStore]:
    """Own the store that is to take the copy: a file that has another name until it is complete."""
    if at.address:
        with _opened(at) as store:
            yield store
        return
    aside = at.home / STARTED
    shutil.rmtree(aside, ignore_errors=True)
    store = SqliteStore.open(aside / STORE)
    try:
        yield store
    finally:
        store.close()
        shutil.rmtree(aside, ignore_errors=True)


def _begin(source: StoreAt, target: StoreAt) -> None:
    """Refuse a place where something is, unless an earlier copy of the same store was interrupted there."""
    note, name = target.home / f"{STARTED}.from", f"{source.home}\n"
    try:
        disk.make_directory(target.home)
        began = note.is_file() and note.read_text() == name
        is_used = (target.home / STORE).exists() or has_files(target.home)
        if not began and (is_used or recorded(target.home) is not None):
            raise StoreError(
                f"{target.home} is not empty: nothing was copied; choose another directory"
            )
        disk.write(note, name.encode())
    except OSError as error:
        raise disk.failed(f"{target.home} cannot be written", error) from error


def _finish(target: StoreAt, copy: MovableStore) -> None:
    """Let the copy be opened."""
    if not target.address:
        copy.close()  # so that everything is in one file
        disk.sync(target.home / STARTED / STORE)
        (target.home / STARTED / STORE).replace(target.home / STORE)
    (target.home / f"{STARTED}.from").unlink(missing_ok=True)
    disk.sync(target.home)


def _mark(source: StoreAt, store: MovableStore, where: str) -> None:
    """Mark the original as moved, or with an empty text as not moved."""
    if source.address:
        mark_moved(store, SystemClock().now() if where else 0)
    elif where:
        disk.write(source.home / MOVED, f"{where} on {datetime.now(UTC):%Y-%m-%d}\n".encode())  # noqa: TID251 - for people
    else:
        (source.home / MOVED).unlink(missing_ok=True)


# ---- the files ----


def _files_of(home: Path, blobs: str) -> ObjectStore | None:
    return ObjectStore(home, blobs) if blobs else None


def _claim(home: Path, files: ObjectStore, number: str) -> None:
    """Record that the files of a home are in an object store, which must be of no other store."""
    known = recorded(home)
    if known is None or known.address != files.bucket.address:
        (home / RECORD).unlink(missing_ok=True)
        files.claim(number)


def _move_files(home: Path, blobs: str, store: MovableStore) -> Moved:
    """Move the files of a store that stays where it is. What was copied stays where it was, too, until it is removed."""
    before, files = recorded(home), _files_of(home, blobs)
    if (before.address if before else "") == (files.bucket.address if files else ""):
        raise StoreError(
            "the files are there already: give the new place with --blobs, or none for the directory"
        )
    counts = _copy_files(home, home, files)
    if files is not None:
        _claim(home, files, getattr(store, "number", ""))
    else:
        (home / RECORD).unlink(missing_ok=True)
        disk.sync(home)
    return Moved({}, *counts)


def _copy_files(home: Path, target: Path, files: ObjectStore | None) -> tuple[int, int, int]:
    """Copy what is not there yet; return how many blobs there are, with how many bytes, and how many bundles. Errors: `StoreDamaged`, `StoreError`."""
    before = recorded(home)
    there = None if before is None else ObjectStore(home, before.address)
    blobs = files.blobs if files else BlobDirectory(target / BLOBS)
    old = there.blobs if there else BlobDirectory(home / BLOBS)
    count = size = 0
    for digest in old.digests():
        length = old.size(digest)
        if not _has(blobs, digest, length) and blobs.put(old.read(digest)) != digest:
            raise StoreDamaged(f"the blob {digest} is damaged: restore it from a backup")
        count, size = count + 1, size + length
    bundles = files.bundles if files else BundleDirectory(target / BUNDLES)
    archives = _archives(home / BUNDLES) if there is None else _fetched(there.bundles)
    number = 0
    for archive in archives:
        bundles.put(archive)
        number += 1
    _copy_logs(home, target, there, files)
    return count, size, number


def _has(blobs: Blobs, digest: str, size: int) -> bool:
    try:
        return blobs.size(digest) == size
    except UnknownBlob:
        return False


def _fetched(bundles: ObjectBundles) -> Iterator[Archive]:
    for digest in bundles.digests():
        yield bundles.archive(digest)


def _archives(top: Path) -> Iterator[Archive]:
    """Pack every bundle of a directory again: the same files give the same archive."""
    for path in sorted(top.glob("[0-9a-f]*")):
        yield packed_again(BundleDirectory(top).tree(path.name))


def _copy_logs(
    home: Path, target: Path, there: ObjectStore | None, files: ObjectStore | None
) -> None:
    """Copy what tasks have printed, and the decks that earlier versions kept."""
    if target != home:
        for top in ("logs", "decks"):
            if (home / top).is_dir():
                shutil.copytree(home / top, target / top, dirs_exist_ok=True)
        if (home / TOKEN_FILE).is_file():
            disk.write(target / TOKEN_FILE, (home / TOKEN_FILE).read_bytes())
    if there is not None:
        for each in there.bucket.list("logs/"):
            path = target / each.name
            if each.name.endswith(".log"):
                disk.make_directory(path.parent, durable=False)
                path.write_bytes(b"".join(there.bucket.read(each.name)))
    if files is not None:
        logs = Logs(target)
        following = Following(files.bucket, logs)
        for path in sorted(logs.top.rglob("*.log")):
            execution, *nodes = map(unquote, path.parent.relative_to(logs.top).parts)
            following.keep_log(execution, "/".join(nodes), int(path.stem))
