"""
Where an attempt works that runs in a process which goes on: in a plain call, in the sandbox, inline.

Rule 1: it has a directory of its own, with links to a copy of what would be packed with its workflow, but for the code itself. That goes when it ends.
Rule 2: the copy is one thread's, is compared with what it was after each attempt and with its originals before, and made again if anything differs.
Rule 3: a process has one working directory. The main thread changes it for the time of the attempt, which other threads of the caller's see.
        Another thread gets one that is its own alone, from then on, where the system lets it (Linux, unless a container forbids `unshare`).
        Where it does not, the directory is changed if no other attempt has done so; else the attempt works where it is called.
"""

import ctypes
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

from tidegate import disk
from tidegate.core.messages import Failure
from tidegate.errors import CodeError
from tidegate.sdk.failures import failure_of
from tidegate.sdk.scratch import here, scratch

CLONE_FS = 0x200
"""A flag of unshare(2): the working directory, the root and the umask."""

MOST = 1_000
"""Files of a copy. A source tree with more is not copied: a plain call that took seconds to begin would be none."""

_Signs: TypeAlias = tuple[tuple[str, int, int, int], ...]
"""By what one sees that a file has changed."""

_turn = threading.RLock()


class _Mine(threading.local):
    """What a thread has for itself."""

    def __init__(self) -> None:
        self.depth = 0
        self.alone: bool | None = None
        """Whether its working directory is its own; None if that was not tried."""
        self.copies: dict[tuple[int, str], _Copy] = {}
        """By how many attempts run around it, and by root: a task may call a workflow, and goes on after that."""


class _Copy:
    """A copy of the files that are packed with the modules of a directory. Errors of all methods: `OSError`."""

    def __init__(self, root: Path, names: tuple[str, ...]) -> None:
        self._root = root
        self._names = names
        self.folder = tempfile.mkdtemp(prefix="files-", dir=scratch())
        self._before: _Signs = ()
        self._after: _Signs = ()

    def refresh(self) -> None:
        """Make it again unless it is what it should be."""
        before = _signs(str(self._root), self._names)
        if before != self._before or _walked(self.folder) != self._after:
            disk.remove_tree(self.folder)
            Path(self.folder).mkdir(mode=0o700)
            for name in self._names:
                target = Path(self.folder, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                with suppress(FileNotFoundError):
                    shutil.copy2(self._root / name, target)
            self._before, self._after = before, _walked(self.folder)


_mine = _Mine()


@contextmanager
def workplace(module: str) -> Iterator[str]:
    """Let the block run in a new directory, for an attempt of a task in this module; give its path."""
    folder = tempfile.mkdtemp(prefix="work-", dir=scratch())
    copy = _copy_for(module)
    try:
        if copy is not None:
            for name in os.listdir(copy.folder):  # noqa: PTH208 - only the names
                Path(folder, name).symlink_to(Path(copy.folder, name))
        _mine.depth += 1
        try:
            with _working_in(folder):
                yield folder
        finally:
            _mine.depth -= 1
    finally:
        with suppress(OSError):
            disk.remove_tree(folder)
        if copy is not None:
            with suppress(OSError):
                copy.refresh()


def failure_here(error: BaseException) -> Failure:
    """Return the failure of an attempt that has raised and is over, and say if it has looked for a file that is where it was called."""
    # A module is looked for where the caller's are, and not in the working directory.
    is_file = isinstance(error, FileNotFoundError)
    return failure_of(error, launched_from=here() if is_file else "")


def _copy_for(module: str) -> _Copy | None:
    """Return a copy that is what its originals are; None if there is nothing to copy, or too much."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if not file:
        return None  # typed at a prompt
    # Loaded late, to keep `import tidegate` fast.
    from tidegate.bundles.sources import find_root, find_sources  # noqa: PLC0415

    try:
        root, _ = find_root(Path(file))
        key = (_mine.depth, str(root))
        if key not in _mine.copies:
            names = tuple(n for n in find_sources(Path(file)).files if not n.endswith(".py"))
            _mine.copies[key] = _Copy(root, names if len(names) <= MOST else ())
        copy = _mine.copies[key]
        copy.refresh()
    except (CodeError, OSError):
        return None  # whoever registers the workflow is told
    return copy


@contextmanager
def _working_in(folder: str) -> Iterator[None]:
    alone = _is_alone()
    if not alone and not _turn.acquire(blocking=False):
        yield
        return
    before = os.open(".", getattr(os, "O_PATH", os.O_RDONLY) | os.O_CLOEXEC)
    try:
        where = os.getcwd()  # noqa: PTH109
    except OSError:
        where = ""  # it was removed
    # What stands for the working directory in there stays what it was: the caller's modules.
    there = [index for index, entry in enumerate(sys.path) if not entry and where]
    for index in there:
        sys.path[index] = where
    try:
        os.chdir(folder)
        yield
    finally:
        os.fchdir(before)
        os.close(before)
        for index in there:
            if index < len(sys.path) and sys.path[index] == where:
                sys.path[index] = ""
        if not alone:
            _turn.release()


def _is_alone() -> bool:
    """Whether the working directory of this thread is its own, or has become that now."""
    if threading.current_thread() is threading.main_thread() or sys.platform != "linux":
        return False
    if _mine.alone is None:
        _mine.alone = ctypes.CDLL(None, use_errno=True).unshare(CLONE_FS) == 0
    return _mine.alone


def _signs(top: str, names: tuple[str, ...]) -> _Signs:
    found = []
    for name in names:
        with suppress(OSError):
            seen = os.stat(f"{top}/{name}")  # noqa: PTH116
            found.append((name, seen.st_size, seen.st_mtime_ns, seen.st_ino))
    return tuple(found)


def _walked(top: str) -> _Signs:
    """Return the signs of all that is in a directory; of the links too, and of the directories."""
    found = []
    for below, folders, files in os.walk(top):
        for name in (*folders, *files):
            seen = os.lstat(f"{below}/{name}")
            found.append((f"{below}/{name}", seen.st_size, seen.st_ctime_ns, seen.st_ino))
    return tuple(found)
