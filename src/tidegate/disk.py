"""
Writing files so that they survive a power cut.

Rule 1: a file is written under another name, synced, and then renamed: its name never stands for partial content.
Rule 2: a rename, a new file and a new directory are safe once the directory that contains the new name is synced. POSIX promises no more,
        and file systems use that freedom.
Rule 3: until it has its name, a draft is locked by the process that writes it.
Rule 4: what root makes belongs to the owner of the parent directory: a root command must not lock a service user out of its own store.

Why a lock: the system releases it however the process ends, so a draft that can be locked is a leftover. Its age would prove nothing,
because an upload may pause and a clock may jump; nor would the process id, which is reused, in a container almost always.
"""

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tidegate.errors import StoreError, StoreFull

ROOT = 0
"""The user who may do everything on this machine."""

OUT_OF_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""The operating system's errors for a disk, a quota or a file at its limit."""


RESERVE = 64 * 1024 * 1024
"""Bytes that must stay free, or a hundredth of a smaller disk: room to record people's decisions, and what has ended."""


class Room(NamedTuple):
    """Bytes of a disk: those that are free, and those that must stay so."""

    free: int
    reserve: int


def lacks_room(path: Path) -> str:
    """Return why nothing that may write much should start on the disk of a path, with the figures; empty if it may."""
    found = room(path)
    if found is None or found.free >= found.reserve:
        return ""
    return f"{found.free:,} bytes are free on the disk of {path}, and {found.reserve:,} must stay free: free some"


def room(path: Path) -> Room | None:
    """Return how many bytes are free on the disk of a path, and how many must stay free; None if the system does not report it."""
    try:
        found = os.statvfs(path)
    except OSError:
        return None
    reserve = min(RESERVE, found.f_blocks * found.f_frsize // 100)
    return Room(found.f_bavail * found.f_frsize, reserve)


def sync(path: Path) -> None:
    """Sync a file's content, or the names in a directory. Errors: `OSError`."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_directory(path: Path, *, durable: bool = True) -> None:
    """
    Make a directory and its missing parents, for their owner alone, and sync each directory that gets a new name.

    `durable=False` leaves it to the system when they reach the disk. Errors: `OSError`.
    """
    missing = []
    while not path.is_dir():
        missing.append(path)
        path = path.parent
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
        _give_directory(each)
        if durable:
            sync(each.parent)


def write(path: Path, content: bytes, drafts: Path | None = None) -> None:
    """
    Replace a file's content, readable by its owner alone; after a power cut it has the old content or this one.

    It is drafted in the directory `drafts`; or beside its name, where the next write replaces the leftovers of an earlier one.
    Errors: `OSError`.
    """
    with draft(partial(_beside, path) if drafts is None else partial(new_file, drafts)) as aside:
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    sync(path.parent)


@contextmanager
def draft(make: Callable[[], str]) -> Iterator[Path]:
    """Yield a file or directory made by `make`, to be written and renamed; at the end of the block it is removed if it was not renamed. Errors: `OSError`."""
    while (lock := _lock(path := Path(make()))) is None:
        pass  # it was taken for a leftover before it was locked
    try:
        yield path
    finally:
        _remove(path)
        os.close(lock)


def make_file(path: Path) -> None:
    """Make an empty file, readable by its owner alone. Errors: `OSError`, as `FileExistsError`."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        give(handle, path.parent)
    finally:
        os.close(handle)


def new_file(directory: Path) -> str:
    """Make an empty file with a new name, readable by its owner alone. Errors: `OSError`."""
    handle, name = tempfile.mkstemp(dir=directory)
    try:
        give(handle, directory)
    finally:
        os.close(handle)
    return name


def new_directory(prefix: str, directory: Path) -> str:
    """Make an empty directory with a new name, for its owner alone. Errors: `OSError`."""
    name = tempfile.mkdtemp(prefix=prefix, dir=directory)
    _give_directory(Path(name))
    return name


def give(handle: int, directory: Path) -> None:
    """If root has made the open file, give it to the owner of its directory (Rule 4). Errors: `OSError`."""
    if os.geteuid() != ROOT:
        return
    around = directory.stat()
    if around.st_uid != ROOT and os.fstat(handle).st_uid == ROOT:
        os.fchown(handle, around.st_uid, around.st_gid)


def give_all(directory: Path) -> None:
    """If this process is root's, and the directory another user's, give root's entries in it to that user. What cannot be given stays root's."""
    if (
        os.geteuid() != ROOT
        or not directory.is_dir()
        or (around := directory.stat()).st_uid == ROOT
    ):
        return
    # By descriptors, and no link is followed: the owner may move things meanwhile, and must not be given files elsewhere.
    for _, folders, files, where in os.fwalk(directory):
        for name in (*folders, *files):
            with suppress(OSError):
                if os.stat(name, dir_fd=where, follow_symlinks=False).st_uid == ROOT:
                    os.chown(
                        name, around.st_uid, around.st_gid, dir_fd=where, follow_symlinks=False
                    )


def _give_directory(path: Path) -> None:
    if os.geteuid() == ROOT:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            give(handle, path.parent)
        finally:
            os.close(handle)


def remove_tree(top: str) -> None:
    """
    Remove a directory and its contents. Errors: `OSError` if something is mounted there, or may not be removed.

    Each subdirectory is moved aside before it is emptied: so no path grows long, and mounted file systems are never entered.
    """
    pending, number = [top], 0
    with suppress(OSError):
        os.chmod(top, 0o700)  # noqa: PTH101
    while pending:
        here = pending.pop()
        with os.scandir(here) as entries:
            found = list(entries)
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                number += 1
                aside = f"{top}.{number}"
                with suppress(OSError):
                    os.chmod(entry.path, 0o700)  # noqa: PTH101
                os.rename(entry.path, aside)  # noqa: PTH104
                pending.append(aside)
            else:
                os.unlink(entry.path)  # noqa: PTH108
        os.rmdir(here)  # noqa: PTH106


def remove_drafts(paths: Iterable[Path]) -> None:
    """Remove the drafts that no living process writes. What cannot be removed stays, and does no harm."""
    for path in paths:
        with suppress(OSError):
            lock = _lock(path)
            if lock is not None:
                _remove(path)
                os.close(lock)


def _beside(path: Path) -> str:
    aside = path.with_name(f"{path.name}.new")
    aside.unlink(missing_ok=True)  # an earlier process ended in the middle
    make_file(aside)
    return str(aside)


def _lock(path: Path) -> int | None:
    """Lock a draft until the result is closed; None if another process writes or removes it, or has just done so."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.exists():
            return handle
    except BlockingIOError:
        pass
    except BaseException:
        os.close(handle)
        raise
    os.close(handle)
    return None


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def failed(what: str, error: OSError) -> StoreError:
    """Report that something cannot be done, and why: `what` is a clause such as `a blob cannot be stored`."""
    reason = (error.strerror or str(error)).lower()
    kind = StoreFull if error.errno in OUT_OF_ROOM else StoreError
    return kind(f"{what}: {reason}")
