"""
Writing files so that they survive a power cut.

Rule 1: a file is written under another name, synced, and then renamed: its name never stands for half a content.
Rule 2: a rename, a new file and a new directory are safe once the directory that holds the new name is synced. POSIX promises no more,
        and file systems use that freedom.
"""

import errno
import os
from contextlib import suppress
from pathlib import Path

from tidegate.errors import StoreError, StoreFull

OUT_OF_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the operating system says when a disk, a quota or a file is at its limit."""


def sync(path: Path) -> None:
    """Have a file's content, or the names in a directory, on disk. Errors: `OSError`."""
    if os.name != "posix":  # Windows cannot open a directory, and journals its names
        return
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
        if durable:
            sync(each.parent)


def write(path: Path, content: bytes) -> None:
    """Give a file this content, readable by its owner alone; after a power cut it has the old content or this one. Errors: `OSError`."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)  # an earlier process ended in the middle
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
    sync(path.parent)


def failed(what: str, error: OSError) -> StoreError:
    """Say that something cannot be done, and why: `what` is a clause such as `a blob cannot be stored`."""
    reason = (error.strerror or str(error)).lower()
    kind = StoreFull if error.errno in OUT_OF_ROOM else StoreError
    return kind(f"{what}: {reason}")
