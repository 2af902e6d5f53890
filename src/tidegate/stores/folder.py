"""The directory of a store: strict permissions, a local disk, and the lock of the one engine that writes in it."""

import contextlib
import errno
import fcntl
import logging
import os
import stat
from contextlib import suppress
from pathlib import Path
from pwd import getpwuid
from typing import NamedTuple

from tidegate import disk
from tidegate.blobs.directory import BlobDirectory
from tidegate.blobs.uploads import UploadDirectory
from tidegate.bundles.directory import BundleDirectory
from tidegate.errors import StoreError, StoreFull, StoreLocked
from tidegate.home import BLOBS, BUNDLES, CACHE, SCRATCH, TABLES, UPLOADS
from tidegate.logs import Logs

LOCK_NAME = "engine.lock"

_MOUNTS = Path("/proc/self/mounts")
# SQLite's locks and shared memory do not work there; other remote kinds (9p, virtiofs) are how virtual machines see their own disk.
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "ncpfs", "afs"})


log = logging.getLogger(__name__)


LOCKS = Path("/proc/locks")
WHICH = 5
"""Which field of a line there identifies the locked file: device and inode."""


def is_locked(folder: Path) -> bool:
    """
    Return whether a process of this system has the right to write in a store, as far as the system reports it.

    It is looked up, not tried: while a lock is tried, a starting owner would be refused.
    """
    try:
        number = (folder / LOCK_NAME).stat().st_ino
        locks = LOCKS.read_text()
    except OSError:
        return False
    # `1: FLOCK  ADVISORY  WRITE 4711 08:01:1234567 0 EOF`
    fields = (line.split() for line in locks.splitlines())
    return any(
        len(each) > WHICH and each[1] == "FLOCK" and each[WHICH].endswith(f":{number}")
        for each in fields
    )


class Left(NamedTuple):
    """What the last owner has left in a home: its name, and the file in which it noted what it has seen."""

    former: str = ""
    note: Path | None = None


NOTHING = Left()


class EngineLock:
    """
    The right to write in a store: an advisory lock of the operating system, which ends with the process in every case.

    A child made by `fork` without `exec` would hold it too; programs that are started do not.
    """

    def __init__(self, folder: Path) -> None:
        """Take the lock, or raise `StoreLocked` with the id of the process that has it."""
        path = folder / LOCK_NAME
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            disk.give(self._file, folder)
        except OSError as error:
            raise failed("open", path, error) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(self._file, 32).decode(errors="replace").strip()
            os.close(self._file)
            raise StoreLocked(
                f"process {holder or 'unknown'} already runs the store in {folder}:"
                " stop it first, or use another store with --home",
                pid=int(holder) if holder.isdecimal() else None,
            ) from error
        except OSError as error:
            os.close(self._file)
            raise failed("lock", path, error) from error
        # A full disk must not keep the engine from starting: the process id is a courtesy.
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Release the right."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def make_folder(folder: Path) -> None:
    """Make the directory (mode 0700) and its parents if they are missing, so that they survive a power cut."""
    try:
        disk.make_directory(folder)
    except FileExistsError as error:
        raise StoreError(
            f"{error.filename} is not a directory: choose another place for the store"
        ) from None
    except OSError as error:
        raise failed("make", folder, error) from error
    refuse_open(folder)


def refuse_open(folder: Path) -> None:
    """Refuse a directory in which another user could place code that runs as the store's owner. Root may use anybody's. Errors: `StoreError`."""
    try:
        found = folder.stat()
    except OSError as error:
        raise failed("look into", folder, error) from error
    if found.st_uid != os.geteuid() != disk.ROOT:
        raise StoreError(
            f"{folder} belongs to {_name_of(found.st_uid)}, not to you: choose a directory of your own (--home or TIDEGATE_HOME)"
        )
    if found.st_mode & 0o022:
        raise StoreError(
            f"others can write in {folder}, and so run code as you: chmod go-w it, or choose another directory (--home or TIDEGATE_HOME)"
        )


def _name_of(uid: int) -> str:
    try:
        return getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def make_file(path: Path) -> None:
    """Make the database file (mode 0600, which SQLite passes on to the files beside it) if it is missing."""
    try:
        with contextlib.suppress(FileExistsError):
            disk.make_file(path)
            disk.sync(path.parent)
    except OSError as error:
        raise failed("make", path, error) from error


def identity(path: str) -> tuple[int, int]:
    """Return the identity of the file at a path, whatever was there before; zeros if there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - looked at before every commit
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino


def refuse_network(folder: Path, mounts: Path = _MOUNTS) -> None:
    """Raise `StoreError` if the directory is on a network file system, according to the list of mounts."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    best, kind = "", ""
    where = str(folder.resolve())
    for line in lines:
        _, point, name, *_ = line.split(" ")
        # The kernel writes a blank in a name as \040.
        point = point.replace("\\040", " ")
        inside = where == point or where.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, name
    if kind in _NETWORK:
        raise StoreError(
            f"{folder} is on a network file system ({kind}, mounted at {best}), where a database can be"
            " damaged: choose a directory on a local disk (--home or TIDEGATE_HOME)"
        )


def failed(verb: str, path: Path, error: OSError) -> StoreError:
    """Report what the operating system did not allow."""
    if error.errno in disk.OUT_OF_ROOM:
        return full(str(path))
    reason = (error.strerror or str(error)).lower()
    if error.errno == errno.EACCES:
        reason += _whose(path)
    return StoreError(f"cannot {verb} {path}: {reason}; fix that, or choose another place (--home)")


def _whose(path: Path) -> str:
    """Say who owns a path, or what is around it as far as we may look."""
    for each in (path, *path.parents):
        with contextlib.suppress(OSError, KeyError):
            uid = each.stat().st_uid
            who = getpwuid(uid).pw_name if uid != os.geteuid() else ""
            return f" ({each} belongs to {who})" if who else ""
    return ""


def full(name: str) -> StoreFull:
    """Report a full disk."""
    return StoreFull(
        f"no room is left on the disk of {name}: free some and try again; everything acknowledged is safe"
    )


def close_to_others(home: Path) -> None:
    """Close the files of a home to others, because earlier versions left that to the umask. For the owner of the store."""
    for name in (BLOBS, BUNDLES, SCRATCH, UPLOADS, TABLES, "logs", "decks"):
        path = home / name
        with suppress(OSError):
            found = path.stat(follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode) and found.st_mode & 0o077:
                log.warning(
                    "%s was accessible to others; its permissions have been restricted", path
                )
                path.chmod(0o700)


def remove_drafts(home: Path) -> None:
    """Remove what killed processes have left half written. For the owner of the store; current writes of others stay."""
    for top in (home, home / CACHE):
        BlobDirectory(top / BLOBS).remove_drafts()
        BundleDirectory(top / BUNDLES).remove_drafts()
    Logs(home).remove_drafts()
    UploadDirectory(home / UPLOADS).sweep()
    disk.remove_drafts((home / TABLES / "new").glob("*"))
